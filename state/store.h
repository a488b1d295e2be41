/* state/store.h - where everything lives: one contract, two implementations.
 *
 * store_redis.c is Redis (the truth in production); store_memory.c is for
 * talks, rehearsals and unit tests. tests/store runs one contract on both.
 *
 * A store holds shards. In each: documents with versions, sorted indexes, the
 * inbox (events that wait for their effect), an outbox per channel and lane,
 * due events, and the lease of the instance that owns the shard. An event
 * takes effect exactly once: commit() removes its inbox entry in the same
 * atomic step as it writes, and writes nothing if the entry is gone, a
 * document's version is another, or the lease is somebody else's.
 *
 * Every call is asynchronous: `done` comes once, later, never from inside the
 * call, on the loop's thread. Arguments are borrowed until the call returns,
 * results until `done` returns. No order is promised among calls that are under
 * way at the same time, not even of one store. When the store cannot be reached calls end as
 * STORE_AWAY: at once if that is known, else after the time-out (accept:
 * 90 ms, so that a webhook answers 503 within 100 ms; others 5 s). An AWAY
 * call may have been carried out all the same; repeat it, nothing doubles.
 *
 * Ownership is a fencing number that grows each time somebody takes the shard;
 * the lease only says when somebody else may. So an owner whose connection was
 * cut, or whose lease ran out while nobody wanted it, goes on as the owner:
 * what was delivered to it stays its task (it repeats the AWAY commit) and is
 * not delivered again. Once another has taken the shard, `lost` comes, and
 * everything unanswered is delivered to the new owner, from the oldest.
 * Whoever answers an entry second gets STORE_GONE. Two rules for the caller: a
 * commit that ended AWAY and, repeated, GONE was carried out, and its sends are
 * in the outbox under their ids; and a commit that is told OK after `lost`
 * leaves what it did not commit as in flight to the next ownership, even if
 * that is one's own again.
 */
#ifndef STATE_STORE_H
#define STATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "state/commit.h"

enum store_result {
	STORE_OK,
	STORE_CONFLICT, /* a document changed: load again, step again */
	STORE_GONE,     /* the inbox entry had its effect already */
	STORE_FENCED,   /* the shard is not (or no longer) ours */
	STORE_AWAY,
	STORE_DAMAGED, /* something asked for does not open (wrong key, altered): see the log; load and
			  outbox only. Repeating does not help; nothing may be written over it. */
};

struct store_accept {
	const char *dedup; /* what a repeat is known by, e.g. channel and platform id; NULL: never a repeat.
			      Kept as keyed hash. */
	int64_t keep_ms;   /* how long it is remembered */
	const char *body;
	size_t len;
};

struct store_event {
	int shard;
	const char *entry; /* id for commit() */
	const char *body;  /* as accepted; due events: see `due` */
	size_t len;
	const char *due;   /* name of the due event, or NULL */
	int64_t due_at;
};

struct store_outbox_entry {
	const char *entry;
	const char *id; /* send.id */
	const char *channel;
	enum lane lane;
	const char *payload;
	size_t len;
	bool in_flight; /* handed over by an instance that is no more: may have gone out */
};

/* What the store tells by itself. */
struct store_listener {
	void *arg;
	/* Next inbox entries of owned shards, in order. Entries arrive once per ownership; no more than
	 * some 10,000 of a shard before the first are answered. One that does not open is logged, left
	 * where it is, and skipped. */
	void (*event)(void *arg, const struct store_event *event);
	/* The connection came (back) or went; `why` when it went. */
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);
	/* The shard is somebody else's now: forget what is in memory about it. Comes before the `done`
	 * of a call that found it out with STORE_FENCED. Not after release(). */
	void (*lost)(void *arg, int shard);
};

typedef void store_done(void *arg, enum store_result result);
typedef void store_accepted(void *arg, enum store_result result, size_t fresh);
typedef void store_loaded(void *arg, enum store_result result, const struct document *documents,
			  size_t count);
typedef void store_ranged(void *arg, enum store_result result, const char *const *members,
			  size_t count);
typedef void store_outboxed(void *arg, enum store_result result,
			    const struct store_outbox_entry *entries, size_t count);
typedef void store_due_moved(void *arg, enum store_result result, size_t moved, int64_t next_at);

struct store;

struct store_methods {
	/* Tries to own the shard; renewed by the store until release() or `lost`. Once OK: pending and
	 * new inbox entries flow to listener.event. STORE_FENCED: somebody else's lease holds; try
	 * again later. Owning what one owns already is OK and changes nothing. */
	void (*own)(struct store *store, int shard, store_done *done, void *arg);
	void (*release)(struct store *store, int shard, store_done *done, void *arg);
	/* Appends events not seen before to the shard's inbox; whoever owns it gets them. */
	void (*accept)(struct store *store, int shard, const struct store_accept *items,
		       size_t count, store_accepted *done, void *arg);
	void (*load)(struct store *store, int shard, const char *const *keys, size_t count,
		     store_loaded *done, void *arg);
	/* Members with least <= score <= most, lowest first, at most `limit`. */
	void (*range)(struct store *store, int shard, const char *index, double least, double most,
		      size_t limit, store_ranged *done, void *arg);
	/* Fills send.entry of each send and commit.version before `done`; `commit` must live until
	 * then. Where several reasons against it hold: FENCED, then GONE, then CONFLICT. */
	void (*commit)(struct store *store, int shard, struct commit *commit, store_done *done,
		       void *arg);
	/* All entries of a channel's outbox, oldest first, conversation lane first: on takeover, before
	 * anything of one's own is committed there. STORE_DAMAGED: those that open, without the rest. */
	void (*outbox)(struct store *store, int shard, const char *channel, store_outboxed *done,
		       void *arg);
	/* Records that an entry is about to be handed to the platform. STORE_GONE: it was settled.
	 * STORE_FENCED: the shard is somebody else's, so it must not be sent. */
	void (*handover)(struct store *store, int shard, const char *channel, enum lane lane,
			 const char *entry, store_done *done, void *arg);
	/* Ends an outbox entry; with `body` the outcome becomes an inbox event in the same step.
	 * STORE_GONE: it was settled before. Not fenced: what became of a message is true whoever
	 * tells it, and the new owner's handover() will then say GONE. */
	void (*settle)(struct store *store, int shard, const char *channel, enum lane lane,
		       const char *entry, const char *body, size_t len, store_done *done, void *arg);
	/* Moves due events with at <= now to the inbox (at most 1,000 a call); tells when the next is
	 * due (0: none). */
	void (*due)(struct store *store, int shard, int64_t now, store_due_moved *done, void *arg);
	/* Calls still under way end as STORE_AWAY from inside free(); they must not call the store. Not
	 * from inside a callback. Leases are not released: release() first for a clean stop. */
	void (*free)(struct store *store);
};

struct store {
	const struct store_methods *methods;
	struct store_listener listener;
};

/* Sizes and ages for metrics; kept by the store as it works, no round trip. */
struct store_figures {
	uint64_t commands, commits, conflicts, reconnects;
	uint64_t commit_us_total;
};

#endif
