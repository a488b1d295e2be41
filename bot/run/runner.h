/* bot/run/runner.h - accept, step, commit, send: where core, store and channels meet.
 *
 * The runner knows no loop, no clock and no socket: all that is lent through
 * struct runner_host, so that the daemon and a rehearsal run the same code.
 * One event at a time per conversation (a person's address), many at once over
 * all. Loop thread only.
 */
#ifndef BOT_RUN_RUNNER_H
#define BOT_RUN_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/message.h"
#include "bot/step.h"
#include "config/config.h"
#include "state/store.h"

struct runner;

/* What a channel is to the runner. */
struct runner_channel {
	const char *name;
	const char *adapter; /* addresses of chat channels are told apart by it */
	unsigned can;
	int64_t rate;         /* sends a second, 0: no limit */
	int64_t group_gap_ms;
	size_t in_flight_max; /* 0: 64 */
};

struct runner_host {
	void *arg;
	int64_t (*now)(void *arg);
	int64_t (*mono_us)(void *arg); /* for durations in metrics; NULL: none are kept */
	uint64_t (*seed)(void *arg);
	int (*utc_offset)(void *arg, const char *zone, int64_t now);
	/* Keyed hash, see state/seal.h; `out` holds 27 bytes. */
	void (*hash)(void *arg, const char *space, const char *input, char *out);
	/* Hands a message to the channel's platform; answered by runner_settled(), later. */
	void (*transmit)(void *arg, const char *channel, const struct message_out *message);
	/* Call runner_wake() at this time (ms; only the last call counts). */
	void (*wake_at)(void *arg, int64_t at);
	/* The store went away (true) or came back: channels hold back. May be NULL. */
	void (*held)(void *arg, bool held);
	/* Observes every event after it took effect; for rehearsals and tests. May be NULL. */
	void (*stepped)(void *arg, const struct event *event, const struct commit *commit);
};

/* config, bot, channels and host are borrowed for the runner's life. */
struct runner *runner_new(const struct config *config, const struct bot *bot,
			  const struct runner_channel *channels, size_t channel_count,
			  const struct runner_host *host);
/* What to give to the store as its listener; then attach it and start. */
struct store_listener runner_listener(struct runner *runner);
void runner_start(struct runner *runner, struct store *store);

/* A platform's messages: `done` says once, later, whether they are durable. */
void runner_accept(struct runner *runner, const char *channel, const struct message_in *messages,
		   size_t count, void (*done)(void *arg, bool accepted), void *arg);
void runner_settled(struct runner *runner, const char *channel, const char *send_id,
		    const struct outcome *outcome);
/* The time asked for by wake_at() has come. */
void runner_wake(struct runner *runner);

/* Takes no new events and hands over no new sends; what is in flight goes on. */
void runner_drain(struct runner *runner);
/* Nothing in flight: neither event, commit, nor send under way. */
bool runner_idle(const struct runner *runner);
/* Gives the shards back, then calls `done`. */
void runner_release(struct runner *runner, void (*done)(void *arg), void *arg);
void runner_free(struct runner **runner);

/* Owns every shard and the store is there: /readyz. */
bool runner_ready(const struct runner *runner);

/* Durations in microseconds: cumulative counts by upper bound, as Prometheus wants them. */
enum { HISTOGRAM_BUCKETS = 14 };
extern const int64_t histogram_bounds_us[HISTOGRAM_BUCKETS];
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS + 1];
	uint64_t count, sum_us;
};

struct runner_channel_figures {
	uint64_t in, in_repeated, in_later;
	uint64_t sent, refused, retried, uncertain, expired, maybe_twice;
	size_t waiting, in_flight;
	int64_t oldest_waiting_ms; /* age */
};

struct runner_figures {
	uint64_t events, conflicts, gone;
	size_t jobs;
	struct histogram step, commit, send; /* send: handed over to settled */
};

void runner_figures(const struct runner *runner, struct runner_figures *figures_r);
void runner_channel_figures(const struct runner *runner, size_t channel,
			    struct runner_channel_figures *figures_r);

#endif
