/* bot/step.h - the core: an event and what is known go in, what to do comes out.
 *
 * bot_step() is pure: no socket, no clock, no Redis, no randomness of its own.
 * "Now" and a seed are in the event. It reads documents through the view; when
 * one is missing there it returns STEP_NEED, the runner loads all that the view
 * lists as wanted, and calls again with the same event. STEP_DONE leaves the
 * effects in *commit_r: document reads with their versions, writes, sends, dues.
 * Stepping the same event on the same documents gives the same effects,
 * byte for byte.
 */
#ifndef BOT_STEP_H
#define BOT_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/message.h"
#include "config/community.h"
#include "state/commit.h"

struct arena;
struct bot;
struct locales;

/* What the core knows of a channel. */
struct bot_channel {
	const char *name;
	unsigned can;
	size_t text_max;
};

/* Borrows everything; build once per configuration. */
struct bot *bot_new(const struct locales *locales, const struct community *communities,
		    size_t community_count, const struct bot_channel *channels,
		    size_t channel_count);
void bot_free(struct bot **bot);

enum event_type {
	EVENT_MESSAGE,
	EVENT_DUE,     /* `due` is the name that an earlier step set */
	EVENT_OUTCOME, /* what became of a send that asked for it */
};

struct event {
	enum event_type type;
	const char *id; /* unique; send ids are made from it */
	const char *community;
	int64_t now;    /* wall ms */
	int utc_offset; /* s, of the community's zone at `now` */
	uint64_t seed;
	/* EVENT_MESSAGE */
	const char *channel;
	const char *sender_key; /* keyed hash of the sender's address: "person/<key>" */
	struct message_in message;
	/* EVENT_DUE */
	const char *due;
	int64_t due_at;
	/* EVENT_OUTCOME */
	const char *send_id;
	const char *ref; /* the send's `ref` */
	struct outcome outcome;
};

/* Documents at hand, and those that were asked for. Owned by the runner's arena. */
struct view;
struct view *view_new(struct arena *arena);
void view_put(struct view *view,
	      const struct document *document); /* version 0: known not to exist */
/* Keys asked for and not there yet; valid until the next step. */
size_t view_wanted(const struct view *view, const char *const **keys_r);
/* The document (body NULL, version 0 if it does not exist); NULL if unknown: now wanted. */
const struct document *view_get(struct view *view, const char *key);

enum step_result { STEP_DONE, STEP_NEED };

enum step_result bot_step(const struct bot *bot, const struct event *event, struct view *view,
			  struct arena *arena, struct commit *commit_r);

/* The payload of a send in the outbox: message_out and what the runner must know, as JSON.
 * Written by the core, read by the runner and by tests. */
struct outgoing {
	struct message_out message;
	const char *community;
	const char *ref;      /* an outcome event is wanted, and this comes back with it; NULL: none
				 (a REFUSED one is reported always if ref is set) */
	const char *replaces; /* an edit is needless when a newer one of the same key waits; NULL */
	int64_t not_after;    /* ms; worthless later; 0: 24 h after it was made */
	int64_t made_at;
};
char *outgoing_encode(const struct outgoing *outgoing, struct arena *arena, size_t *len_r);
int outgoing_decode(const char *payload, size_t len, struct arena *arena,
		    struct outgoing *outgoing_r);

#endif
