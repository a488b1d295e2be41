/* bot/run/rehearse/stage.h - a small world without sockets: the real runner and
 * core on the store in memory, and a clock that stands still until it is moved.
 *
 * With a seed of 0 everything happens in order; with another one, what is ready
 * happens in random order, so that conversations meet at every await point.
 */
#ifndef BOT_RUN_REHEARSE_STAGE_H
#define BOT_RUN_REHEARSE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/message.h"
#include "bot/step.h"
#include "config/config.h"
#include "state/commit.h"
#include "state/store_memory.h"

struct stage;

struct stage_host {
	void *arg;
	/* The bot says something; decides what becomes of it. An outcome SENT needs a message_id.
	 * Strings of the outcome are borrowed until the next call. */
	void (*spoken)(void *arg, const char *channel, const struct message_out *message,
		       struct outcome *outcome_r);
	/* An event took effect. */
	void (*stepped)(void *arg, const struct event *event, const struct commit *commit);
};

/* config and host are borrowed; `now` is wall ms. */
struct stage *stage_new(const struct config *config, const struct locales *locales, int64_t now,
			uint64_t seed, const struct stage_host *host);
void stage_free(struct stage **stage);

int64_t stage_now(const struct stage *stage);
/* A message reaches the platform's channel `times` times; nothing runs yet. */
void stage_say(struct stage *stage, const char *channel, const struct message_in *message,
	       int times);
/* Everything that is ready happens; false if it never comes to rest. */
bool stage_rest(struct stage *stage);
/* The clock goes on to `until`, stopping wherever something is due. */
bool stage_pass(struct stage *stage, int64_t until);
/* The daemon stops cleanly and another one starts on the same store, its memory empty. */
bool stage_restart(struct stage *stage);
/* It is killed after so many turns of what is going on, and another one takes over. */
void stage_kill(struct stage *stage, int turns);
/* Offers that the store did not take. */
size_t stage_turned_away(const struct stage *stage);
struct memory *stage_memory(struct stage *stage);
uint64_t stage_random(uint64_t *seed);

#endif
