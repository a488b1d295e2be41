/* Shards are taken, kept and given up here, by a lease and a fencing number. */
#include "state/store_redis_own.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

struct leasing {
	struct store_redis *store;
	int shard;
	uint64_t fence;
	store_done *done;
	void *arg;
};

struct redis_owned *redis_owned_find(const struct store_redis *store, int shard)
{
	struct redis_owned *owned = store->owned;

	while (owned && owned->shard != shard)
		owned = owned->next;
	return owned;
}

uint64_t redis_owned_fence(const struct store_redis *store, int shard)
{
	const struct redis_owned *owned = redis_owned_find(store, shard);

	return owned ? owned->fence : 0;
}

static void owned_remove(struct store_redis *store, int shard)
{
	for (struct redis_owned **at = &store->owned; *at; at = &(*at)->next) {
		if ((*at)->shard == shard) {
			struct redis_owned *old = *at;
			*at = old->next;
			free(old);
			return;
		}
	}
}

void redis_owned_refused(struct store_redis *store, int shard, uint64_t fence)
{
	const struct store_listener *listener = &store->store.listener;

	if (fence == 0 || redis_owned_fence(store, shard) != fence)
		return;
	owned_remove(store, shard);
	if (listener->lost)
		listener->lost(listener->arg, shard);
}

static struct leasing *leasing_new(struct store_redis *store, int shard, store_done *done,
				   void *arg)
{
	struct leasing *leasing = xalloc(sizeof *leasing);

	leasing->store = store;
	leasing->shard = shard;
	leasing->fence = redis_owned_fence(store, shard);
	leasing->done = done;
	leasing->arg = arg;
	return leasing;
}

static struct redis_call *lease_call(struct store_redis *store, enum redis_script_id script,
				     int shard, size_t arguments)
{
	struct redis_call *call = redis_call_script(store->links[LINK_WORK], script, 2, arguments);

	redis_call_str(call, redis_key(store, shard, "owner"));
	redis_call_str(call, redis_key(store, shard, "fence"));
	arena_clear(store->scratch);
	return call;
}

/* ---- renew ---- */

static void renew_replied(void *arg, const redisReply *reply)
{
	struct leasing *leasing = arg;
	enum store_result result = STORE_AWAY;

	if (redis_reply_is(leasing->store, reply, REDIS_REPLY_INTEGER))
		result = reply->integer > 0 ? STORE_OK : STORE_FENCED;
	if (result == STORE_FENCED)
		redis_owned_refused(leasing->store, leasing->shard, leasing->fence);
	if (leasing->done)
		leasing->done(leasing->arg, result);
	free(leasing);
}

static void renew(struct store_redis *store, struct leasing *leasing)
{
	struct redis_call *call = lease_call(store, SCRIPT_RENEW, leasing->shard, 3);

	redis_call_str(call, store->instance);
	redis_call_printf(call, "%lld", (long long)store->lease_ms);
	redis_call_printf(call, "%llu", (unsigned long long)leasing->fence);
	redis_link_send(store->links[LINK_WORK], call, PATIENCE_LONG, renew_replied, leasing);
}

void redis_renew_all(void *arg)
{
	struct store_redis *store = arg;

	if (!redis_link_is_up(store->links[LINK_WORK]))
		return;
	for (const struct redis_owned *owned = store->owned; owned; owned = owned->next)
		renew(store, leasing_new(store, owned->shard, NULL, NULL));
}

/* ---- own ---- */

static void own_replied(void *arg, const redisReply *reply)
{
	struct leasing *leasing = arg;
	struct store_redis *store = leasing->store;
	struct redis_owned *owned = redis_owned_find(store, leasing->shard);
	enum store_result result = STORE_AWAY;

	if (redis_reply_is(store, reply, REDIS_REPLY_INTEGER))
		result = reply->integer > 0 ? STORE_OK : STORE_FENCED;
	if (result == STORE_OK && !owned) {
		owned = xalloc(sizeof *owned);
		owned->shard = leasing->shard;
		snprintf(owned->cursor, sizeof owned->cursor, "0-0");
		owned->next = store->owned;
		store->owned = owned;
	}
	/* Two calls under way at once: the later fence is the one that counts. */
	if (result == STORE_OK && owned->fence < (uint64_t)reply->integer)
		owned->fence = (uint64_t)reply->integer;
	leasing->done(leasing->arg, result);
	if (result == STORE_OK)
		redis_reader_wake(store);
	free(leasing);
}

void redis_own(struct store *base, int shard, store_done *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct leasing *leasing = leasing_new(store, shard, done, arg);

	if (leasing->fence != 0) {
		renew(store, leasing);
		return;
	}
	struct redis_call *call = lease_call(store, SCRIPT_OWN, shard, 2);
	redis_call_str(call, store->instance);
	redis_call_printf(call, "%lld", (long long)store->lease_ms);
	redis_link_send(store->links[LINK_WORK], call, PATIENCE_LONG, own_replied, leasing);
}

/* ---- release ---- */

static void release_replied(void *arg, const redisReply *reply)
{
	struct leasing *leasing = arg;

	leasing->done(leasing->arg, redis_reply_result(leasing->store, reply));
	free(leasing);
}

void redis_release(struct store *base, int shard, store_done *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct leasing *leasing = leasing_new(store, shard, done, arg);
	struct redis_call *call = lease_call(store, SCRIPT_RELEASE, shard, 1);

	redis_call_printf(call, "%llu", (unsigned long long)leasing->fence);
	owned_remove(store, shard);
	redis_link_send(store->links[LINK_WORK], call, PATIENCE_LONG, release_replied, leasing);
}
