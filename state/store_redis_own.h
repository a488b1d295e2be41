/* state/store_redis_own.h - what the files of the Redis store share; private to state/.
 *
 * store_redis.c          set-up, accept, load, range
 * store_redis_commit.c   commit
 * store_redis_inbox.c    the reader: a second connection that waits for inbox entries
 * store_redis_lease.c    own, renew, release
 * store_redis_outbox.c   outbox, handover, settle, due
 */
#ifndef STATE_STORE_REDIS_OWN_H
#define STATE_STORE_REDIS_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"
#include "state/redis_link.h"
#include "state/seal.h"
#include "state/store_redis.h"

struct arena;
struct loop_timer;

/* Connections. Redis takes some 16 KB from each before it syncs its file, so several share one sync,
 * and an accept, for which a webhook waits, does not stand in line behind commits. */
enum {
	LINK_READER, /* blocks in XREAD */
	LINK_ACCEPT,
	LINK_WORK,
	LINK_COUNT = LINK_WORK + 3,
};

/* A shard that we believe to own. */
struct redis_owned {
	struct redis_owned *next;
	int shard;
	uint64_t fence, commits;
	char cursor[32];    /* the last entry that was delivered */
	size_t outstanding; /* delivered and not yet answered */
	bool full;          /* too many of those: not read further for now */
};

/* A read under way: what it asked for. */
struct redis_reading {
	struct store_redis *store;
	size_t count;
	struct {
		int shard;
		uint64_t fence;
	} shards[];
};

struct store_redis {
	struct store store; /* first: a struct store * is a struct store_redis * */
	struct loop *loop;
	const struct seal *seal;
	char *instance, *prefix;
	int64_t lease_ms;
	struct redis_link *links[LINK_COUNT];
	unsigned turn; /* which working link is next */
	bool told_up;
	bool closing;
	struct redis_owned *owned;
	struct loop_timer *renewal;
	struct redis_reading *reading; /* NULL: none under way */
	struct loop_timer *wake_again;
	struct redis_reading
		*waking;       /* the one that CLIENT UNBLOCK was sent for; never looked into */
	struct arena *scratch; /* keys of the command that is being written */
	struct log_subject subject;
	unsigned failures; /* connections lost or not made since it was up */
	struct error why;  /* logged */
	uint64_t refusals; /* error replies */
	int64_t refusal_told_us;
	struct store_figures figures;
};

/* The next of the working links. */
struct redis_link *redis_link_next(struct store_redis *store);

/* ---- keys: in the scratch arena, good until the next scratch_clear ---- */

const char *redis_key(struct store_redis *store, int shard, const char *kind);
const char *redis_key_of(struct store_redis *store, int shard, const char *kind, const char *name);
/* kind "out" or "fly" */
const char *redis_key_lane(struct store_redis *store, int shard, const char *kind,
			   const char *channel, enum lane lane);

/* An argument: `data` sealed for the place `key`. */
void redis_call_seal(struct store_redis *store, struct redis_call *call, const char *key,
		     const void *data, size_t len);
/* The same for a value of two parts, of which the first ends with its NUL. */
void redis_call_seal_named(struct store_redis *store, struct redis_call *call, const char *key,
			   const char *name, const void *data, size_t len);

/* ---- replies ---- */

/* True if it is of that type; an error is logged (not what a client sent: Redis's own words). */
bool redis_reply_is(struct store_redis *store, const redisReply *reply, int type);
/* 1 OK, -1 FENCED, -2 GONE, -3 CONFLICT; no reply or an error: AWAY. */
enum store_result redis_reply_result(struct store_redis *store, const redisReply *reply);

/* ---- ownership (store_redis_lease.c) ---- */

struct redis_owned *redis_owned_find(const struct store_redis *store, int shard);
uint64_t redis_owned_fence(const struct store_redis *store, int shard);
/* A call with this fence was refused: if it is our present one, the shard is lost. */
void redis_owned_refused(struct store_redis *store, int shard, uint64_t fence);
void redis_own(struct store *store, int shard, store_done *done, void *arg);
void redis_release(struct store *store, int shard, store_done *done, void *arg);
void redis_renew_all(void *store);

/* ---- reader (store_redis_inbox.c) ---- */

void redis_reader_go(struct store_redis *store);
/* What is wanted of the reader has changed: ends a blocking read that does not fit any more. */
void redis_reader_wake(struct store_redis *store);
/* An entry was answered. */
void redis_reader_answered(struct store_redis *store, int shard);

/* ---- the other methods ---- */

void redis_commit(struct store *store, int shard, struct commit *commit, store_done *done,
		  void *arg);
void redis_outbox(struct store *store, int shard, const char *channel, store_outboxed *done,
		  void *arg);
void redis_handover(struct store *store, int shard, const char *channel, enum lane lane,
		    const char *entry, store_done *done, void *arg);
void redis_settle(struct store *store, int shard, const char *channel, enum lane lane,
		  const char *entry, const char *body, size_t len, store_done *done, void *arg);
void redis_due(struct store *store, int shard, int64_t now, store_due_moved *done, void *arg);

#endif
