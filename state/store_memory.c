/* Gives the calls on a store in memory their turn, one by one or shuffled. */
#include "state/store_memory.h"

#include <stdlib.h>

#include "base/arena.h"
#include "state/memory_calls.h"

/* ---- turns ---- */

/* One thing that can happen now. */
struct ready {
	enum { READY_NONE, READY_STATE, READY_LOST, READY_CALL, READY_EVENT } kind;
	struct handle *handle;
	struct owned *owned;
	struct call *call;
};

static bool state_ready(const struct handle *handle)
{
	return handle->told != (memory_connected(handle) ? TOLD_UP : TOLD_DOWN);
}

static bool lost_ready(const struct handle *handle, const struct owned *owned)
{
	return memory_connected(handle) &&
	       memory_shard_get(handle->memory, owned->shard)->fence != owned->fence;
}

static const struct memory_entry *event_ready(const struct handle *handle,
					      const struct owned *owned)
{
	if (!memory_connected(handle) || handle->told != TOLD_UP)
		return NULL;
	return memory_shard_next(memory_shard_get(handle->memory, owned->shard), owned->delivered);
}

/* The `number`th thing (0-based) that can happen; fewer: kind NONE, and *count_r tells how many. */
static struct ready ready_find(struct memory *memory, size_t number, size_t *count_r)
{
	size_t count = 0;

	for (struct handle *handle = memory->handles; handle; handle = handle->next) {
		if (state_ready(handle) && count++ == number)
			return (struct ready){.kind = READY_STATE, .handle = handle};
		for (struct owned *owned = handle->owned; owned; owned = owned->next) {
			if (lost_ready(handle, owned) && count++ == number)
				return (struct ready){READY_LOST, handle, owned, NULL};
			if (event_ready(handle, owned) && count++ == number)
				return (struct ready){READY_EVENT, handle, owned, NULL};
		}
	}
	for (struct call *call = memory->calls; call; call = call->next)
		if (count++ == number)
			return (struct ready){.kind = READY_CALL, .call = call};
	*count_r = count;
	return (struct ready){.kind = READY_NONE};
}

static void tell_state(struct handle *handle)
{
	const struct store_listener *listener = &handle->store.listener;

	handle->told = memory_connected(handle) ? TOLD_UP : TOLD_DOWN;
	if (handle->told == TOLD_UP && listener->up)
		listener->up(listener->arg);
	if (handle->told == TOLD_DOWN && listener->down)
		listener->down(listener->arg, "memory: set away");
}

static void deliver(struct handle *handle, struct owned *owned, const struct memory_entry *entry)
{
	struct arena *arena = arena_new();
	struct store_event event = {
		.shard = owned->shard,
		.entry = arena_printf(arena, "%llu-0", (unsigned long long)entry->id),
		.body = entry->body ? arena_bytes(arena, entry->body, entry->len) : NULL,
		.len = entry->len,
		.due = arena_str(arena, entry->due),
		.due_at = entry->due_at,
	};

	owned->delivered = entry->id;
	if (handle->store.listener.event)
		handle->store.listener.event(handle->store.listener.arg, &event);
	arena_free(&arena);
}

static void ready_run(const struct ready *ready)
{
	switch (ready->kind) {
	case READY_STATE:
		tell_state(ready->handle);
		break;
	case READY_LOST:
		memory_owned_lost(ready->handle, ready->owned->shard);
		break;
	case READY_EVENT:
		deliver(ready->handle, ready->owned, event_ready(ready->handle, ready->owned));
		break;
	case READY_CALL:
		if (!ready->call->ran)
			memory_call_run(ready->call);
		else
			memory_call_tell(ready->call);
		break;
	case READY_NONE:
		break;
	}
}

bool memory_turn_random(struct memory *memory, uint64_t *seed)
{
	size_t count = 0;
	uint64_t z;

	ready_find(memory, SIZE_MAX, &count);
	if (count == 0)
		return false;
	/* splitmix64 (Steele, Lea, Flood 2014) */
	z = *seed += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	struct ready ready = ready_find(memory, (size_t)(z % count), &count);
	ready_run(&ready);
	return true;
}

/* The first owned shard with an entry that was there when the turn began. */
static bool deliver_one(struct memory *memory)
{
	for (struct handle *handle = memory->handles; handle; handle = handle->next) {
		for (struct owned *owned = handle->owned; owned; owned = owned->next) {
			const struct memory_entry *entry = event_ready(handle, owned);
			if (entry && entry->id <= owned->limit) {
				deliver(handle, owned, entry);
				return true;
			}
		}
	}
	return false;
}

static bool turn_news(struct memory *memory)
{
	for (struct handle *handle = memory->handles; handle; handle = handle->next) {
		if (state_ready(handle)) {
			tell_state(handle);
			return true;
		}
		for (struct owned *owned = handle->owned; owned; owned = owned->next) {
			if (lost_ready(handle, owned)) {
				memory_owned_lost(handle, owned->shard);
				return true;
			}
		}
	}
	return false;
}

bool memory_turn(struct memory *memory)
{
	bool any = false;
	size_t calls = 0;

	while (turn_news(memory))
		any = true;
	for (const struct call *call = memory->calls; call; call = call->next)
		calls++;
	for (; calls > 0 && memory->calls; calls--) {
		struct call *call = memory->calls;
		any = true;
		if (!call->ran)
			memory_call_run(call);
		memory_call_tell(call);
	}
	for (struct handle *handle = memory->handles; handle; handle = handle->next)
		for (struct owned *owned = handle->owned; owned; owned = owned->next)
			owned->limit = memory_shard_get(memory, owned->shard)->last_id;
	while (deliver_one(memory))
		any = true;
	return any;
}

/* ---- the memory ---- */

struct memory *memory_new(void)
{
	struct memory *memory = xalloc(sizeof *memory);

	memory->calls_end = &memory->calls;
	return memory;
}

void memory_free(struct memory **memory)
{
	while ((*memory)->handles)
		memory_store_free(&(*memory)->handles->store);
	for (struct memory_shard *shard = (*memory)->shards, *next; shard; shard = next) {
		next = shard->next;
		memory_shard_free(shard);
	}
	free(*memory);
	*memory = NULL;
}

struct store *store_memory_new(struct memory *memory, const struct store_listener *listener)
{
	struct handle *handle = xalloc(sizeof *handle);

	handle->store.methods = &memory_methods;
	handle->store.listener = *listener;
	handle->memory = memory;
	handle->instance = ++memory->last_instance;
	handle->next = memory->handles;
	memory->handles = handle;
	return &handle->store;
}

void memory_set_now(struct memory *memory, int64_t now)
{
	memory->now = now;
}

void memory_set_away(struct memory *memory, bool away)
{
	memory->away = away;
}

void memory_set_cut(struct store *store, bool cut)
{
	((struct handle *)store)->cut = cut;
}

void memory_expire(struct memory *memory, int shard)
{
	memory_shard_get(memory, shard)->owner = 0;
}

void memory_each(struct memory *memory, void (*each)(void *arg, int shard, const struct document *),
		 void *arg)
{
	for (struct memory_shard *shard = memory->shards; shard; shard = shard->next) {
		for (size_t i = 0; i < shard->documents.size; i++) {
			const struct memory_item *item = shard->documents.buckets[i];
			for (; item; item = item->next) {
				struct document document = {
					.key = item->key,
					.version = item->version,
					.body = item->body,
					.len = item->len,
				};
				if (item->expires_at == 0 || item->expires_at > memory->now)
					each(arg, shard->number, &document);
			}
		}
	}
}

int64_t memory_next_due(const struct memory *memory)
{
	int64_t next = 0;

	for (const struct memory_shard *shard = memory->shards; shard; shard = shard->next) {
		if (shard->due.count > 0 &&
		    (next == 0 || (int64_t)shard->due.members[0].score < next))
			next = (int64_t)shard->due.members[0].score;
	}
	return next;
}
