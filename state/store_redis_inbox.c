/* One connection waits here for inbox entries of all owned shards, and delivers them.
 *
 * Plain XREAD from a cursor, no consumer group: a shard has one owner, whom the fence assures, and
 * an entry is deleted by the commit that answers it; so what is pending is what is in the stream.
 */
#include "state/store_redis_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/loop.h"

enum {
	READ_AT_ONCE = 512, /* over all shards */
	OUTSTANDING_MOST = 10000,
	OUTSTANDING_AGAIN = OUTSTANDING_MOST / 2,
	WAKE_AGAIN_MS = 2,
	REFUSED_AGAIN_MS = 200,
};

/* ---- delivery ---- */

/* The value of a field of a stream entry, or NULL. */
static const redisReply *field(const redisReply *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, name) == 0)
			return fields->element[i + 1];
	return NULL;
}

static int event_read(struct store_redis *store, int shard, const redisReply *fields,
		      struct arena *arena, struct store_event *event)
{
	const redisReply *sealed = field(fields, "p"), *due = field(fields, "d");
	const redisReply *due_at = field(fields, "t");
	struct error error = {0};

	if (due && due_at) {
		event->due = due->str;
		event->due_at = strtoll(due_at->str, NULL, 10);
		return 0;
	}
	if (!sealed)
		error_set(&error, "unknown fields");
	else
		event->body = seal_open(store->seal, redis_key(store, shard, "in"), sealed->str,
					sealed->len, arena, &event->len, &error);
	if (event->body)
		return 0;
	log_error(&store->subject, "shard %d: inbox entry %s does not open: %s", shard,
		  event->entry, error.text);
	return -1;
}

/* A callback may release or lose the shard; then the rest is not for us. */
static struct redis_owned *still_owned(struct store_redis *store, int shard, uint64_t fence)
{
	struct redis_owned *owned = redis_owned_find(store, shard);

	return owned && owned->fence == fence ? owned : NULL;
}

static void deliver(struct store_redis *store, int shard, uint64_t fence, const redisReply *entries)
{
	const struct store_listener *listener = &store->store.listener;

	for (size_t i = 0; i < entries->elements; i++) {
		struct redis_owned *owned = still_owned(store, shard, fence);
		const redisReply *entry = entries->element[i];
		if (!owned)
			return;
		struct arena *arena = arena_new();
		struct store_event event = {.shard = shard, .entry = entry->element[0]->str};
		snprintf(owned->cursor, sizeof owned->cursor, "%s", event.entry);
		if (event_read(store, shard, entry->element[1], arena, &event) == 0) {
			owned->outstanding++;
			owned->full = owned->outstanding >= OUTSTANDING_MOST;
			if (listener->event)
				listener->event(listener->arg, &event);
		}
		arena_clear(store->scratch);
		arena_free(&arena);
	}
}

/* ---- reading ---- */

/* [[key, [[id, [field, value…]]…]]…], a subset of the streams asked for, in the same order. */
static void deliver_all(struct store_redis *store, const struct redis_reading *reading,
			const redisReply *reply)
{
	size_t at = 0;

	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *stream = reply->element[i];
		for (; at < reading->count; at++) {
			int shard = reading->shards[at].shard;
			bool same =
				strcmp(redis_key(store, shard, "in"), stream->element[0]->str) == 0;
			if (same) {
				deliver(store, shard, reading->shards[at].fence,
					stream->element[1]);
				break;
			}
		}
	}
	arena_clear(store->scratch);
}

static void read_replied(void *arg, const redisReply *reply)
{
	struct redis_reading *reading = arg;
	struct store_redis *store = reading->store;

	store->reading = NULL;
	if (reply && reply->type == REDIS_REPLY_ARRAY)
		deliver_all(store, reading, reply);
	free(reading);
	/* NIL: nothing came, or it was woken. */
	if (reply && reply->type != REDIS_REPLY_NIL &&
	    !redis_reply_is(store, reply, REDIS_REPLY_ARRAY))
		loop_timer_start(store->wake_again, REFUSED_AGAIN_MS, 0);
	else
		redis_reader_go(store);
}

static size_t readable(const struct store_redis *store)
{
	size_t count = 0;

	for (const struct redis_owned *owned = store->owned; owned; owned = owned->next)
		count += !owned->full;
	return count;
}

void redis_reader_go(struct store_redis *store)
{
	size_t count = readable(store), i = 0;

	if (store->closing || store->reading || count == 0 ||
	    !redis_link_is_up(store->links[LINK_READER]))
		return;
	struct redis_reading *reading = xalloc(sizeof *reading + count * sizeof *reading->shards);
	struct redis_call *call = redis_call_new(6 + 2 * count);
	reading->store = store;
	reading->count = count;
	redis_call_str(call, "XREAD");
	redis_call_str(call, "COUNT");
	redis_call_printf(call, "%zu", READ_AT_ONCE / count + 1);
	redis_call_str(call, "BLOCK");
	redis_call_printf(call, "%d", (int)REDIS_BLOCK_MS);
	redis_call_str(call, "STREAMS");
	for (const struct redis_owned *owned = store->owned; owned; owned = owned->next) {
		if (owned->full)
			continue;
		reading->shards[i].shard = owned->shard;
		reading->shards[i++].fence = owned->fence;
		redis_call_str(call, redis_key(store, owned->shard, "in"));
	}
	for (const struct redis_owned *owned = store->owned; owned; owned = owned->next)
		if (!owned->full)
			redis_call_str(call, owned->cursor);
	arena_clear(store->scratch);
	store->reading = reading;
	redis_link_send(store->links[LINK_READER], call, PATIENCE_BLOCK, read_replied, reading);
}

/* ---- waking ---- */

static void woken(void *arg, const redisReply *reply)
{
	struct store_redis *store = arg;
	bool same = store->reading && store->reading == store->waking;

	store->waking = NULL;
	/* It was not blocked: not yet, or no longer. If it is still the same read, then not yet. */
	if (same && reply && reply->type == REDIS_REPLY_INTEGER && reply->integer == 0)
		loop_timer_start(store->wake_again, WAKE_AGAIN_MS, 0);
}

void redis_reader_wake(struct store_redis *store)
{
	if (store->closing)
		return;
	if (!store->reading) {
		redis_reader_go(store);
		return;
	}
	if (store->waking == store->reading || !redis_link_is_up(store->links[LINK_WORK]))
		return;
	store->waking = store->reading;
	struct redis_call *call = redis_call_new(3);
	redis_call_str(call, "CLIENT");
	redis_call_str(call, "UNBLOCK");
	redis_call_printf(call, "%lld", redis_link_id(store->links[LINK_READER]));
	redis_link_send(store->links[LINK_WORK], call, PATIENCE_LONG, woken, store);
}

void redis_reader_answered(struct store_redis *store, int shard)
{
	struct redis_owned *owned = redis_owned_find(store, shard);

	if (!owned || owned->outstanding == 0)
		return;
	owned->outstanding--;
	if (owned->full && owned->outstanding <= OUTSTANDING_AGAIN) {
		owned->full = false;
		redis_reader_wake(store);
	}
}
