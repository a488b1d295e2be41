/* What instances ask of a store in memory waits in calls; here is what each does and tells. */
#include "state/memory_calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* ---- small helpers ---- */

struct memory_shard *memory_shard_get(struct memory *memory, int number)
{
	struct memory_shard *shard = memory->shards;

	while (shard && shard->number != number)
		shard = shard->next;
	if (!shard) {
		shard = memory_shard_new(number);
		shard->next = memory->shards;
		memory->shards = shard;
	}
	return shard;
}

bool memory_connected(const struct handle *handle)
{
	return !handle->memory->away && !handle->cut;
}

static struct owned *owned_find(const struct handle *handle, int shard)
{
	struct owned *owned = handle->owned;

	while (owned && owned->shard != shard)
		owned = owned->next;
	return owned;
}

static uint64_t owned_fence(const struct handle *handle, int shard)
{
	const struct owned *owned = owned_find(handle, shard);

	return owned ? owned->fence : 0;
}

static void owned_remove(struct handle *handle, int shard)
{
	for (struct owned **at = &handle->owned; *at; at = &(*at)->next) {
		if ((*at)->shard == shard) {
			struct owned *old = *at;
			*at = old->next;
			free(old);
			return;
		}
	}
}

void memory_owned_lost(struct handle *handle, int shard)
{
	owned_remove(handle, shard);
	if (handle->store.listener.lost)
		handle->store.listener.lost(handle->store.listener.arg, shard);
}

/* ---- calls ---- */

static struct call *call_new(struct store *store, int shard,
			     void (*run)(struct call *call, struct memory_shard *shard),
			     void (*tell)(struct call *call), void *arg)
{
	struct handle *handle = (struct handle *)store;
	struct call *call = xalloc(sizeof *call);

	call->handle = handle;
	call->arena = arena_new();
	call->shard = shard;
	call->run = run;
	call->tell = tell;
	call->arg = arg;
	*handle->memory->calls_end = call;
	handle->memory->calls_end = &call->next;
	return call;
}

static void call_unlink(struct memory *memory, struct call *call)
{
	struct call **at = &memory->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	if (memory->calls_end == &call->next)
		memory->calls_end = at;
}

void memory_call_run(struct call *call)
{
	call->ran = true;
	call->result = STORE_AWAY;
	if (memory_connected(call->handle)) {
		call->result = STORE_OK;
		call->run(call, memory_shard_get(call->handle->memory, call->shard));
	}
}

void memory_call_tell(struct call *call)
{
	struct handle *handle = call->handle;

	call_unlink(handle->memory, call);
	if (!memory_connected(handle))
		call->result = STORE_AWAY;
	if (call->result == STORE_FENCED && call->fence != 0 &&
	    owned_fence(handle, call->shard) == call->fence)
		memory_owned_lost(handle, call->shard);
	call->tell(call);
	arena_free(&call->arena);
	free(call);
}

static void tell_plain(struct call *call)
{
	call->done.plain(call->arg, call->result);
}

static void run_own(struct call *call, struct memory_shard *shard)
{
	const struct handle *handle = call->handle;

	call->fence = owned_fence(handle, call->shard);
	if (call->fence == 0) {
		call->fence = memory_shard_own(shard, handle->instance);
		call->result = call->fence ? STORE_OK : STORE_FENCED;
	} else if (call->fence == shard->fence) {
		shard->owner = handle->instance;
	} else {
		call->result = STORE_FENCED;
	}
}

static void tell_own(struct call *call)
{
	struct handle *handle = call->handle;
	struct owned *owned = owned_find(handle, call->shard);

	if (call->result == STORE_OK && !owned) {
		owned = xalloc(sizeof *owned);
		owned->shard = call->shard;
		owned->next = handle->owned;
		handle->owned = owned;
	}
	if (call->result == STORE_OK && owned->fence < call->fence)
		owned->fence = call->fence;
	tell_plain(call);
}

static void own(struct store *store, int shard, store_done *done, void *arg)
{
	call_new(store, shard, run_own, tell_own, arg)->done.plain = done;
}

static void run_release(struct call *call, struct memory_shard *shard)
{
	memory_shard_release(shard, call->fence);
}

static void release(struct store *store, int shard, store_done *done, void *arg)
{
	struct handle *handle = (struct handle *)store;
	struct call *call = call_new(store, shard, run_release, tell_plain, arg);

	call->done.plain = done;
	call->fence = owned_fence(handle, shard);
	owned_remove(handle, shard);
}

static void run_accept(struct call *call, struct memory_shard *shard)
{
	call->result_count =
		memory_shard_accept(shard, call->handle->memory->now, call->items, call->count);
}

static void tell_accept(struct call *call)
{
	call->done.accepted(call->arg, call->result,
			    call->result == STORE_OK ? call->result_count : 0);
}

static void accept_items(struct store *store, int shard, const struct store_accept *items,
			 size_t count, store_accepted *done, void *arg)
{
	struct call *call = call_new(store, shard, run_accept, tell_accept, arg);

	call->done.accepted = done;
	call->items = arena_alloc(call->arena, (count + 1) * sizeof *items);
	call->count = count;
	for (size_t i = 0; i < count; i++) {
		call->items[i] = items[i];
		call->items[i].dedup = arena_str(call->arena, items[i].dedup);
		call->items[i].body = arena_bytes(call->arena, items[i].body, items[i].len);
	}
}

static void run_load(struct call *call, struct memory_shard *shard)
{
	call->documents = memory_shard_load(shard, call->handle->memory->now, call->keys,
					    call->count, call->arena);
}

static void tell_load(struct call *call)
{
	bool ok = call->result == STORE_OK;

	call->done.loaded(call->arg, call->result, ok ? call->documents : NULL,
			  ok ? call->count : 0);
}

static void load(struct store *store, int shard, const char *const *keys, size_t count,
		 store_loaded *done, void *arg)
{
	struct call *call = call_new(store, shard, run_load, tell_load, arg);

	call->done.loaded = done;
	call->keys = arena_alloc(call->arena, (count + 1) * sizeof *keys);
	call->count = count;
	for (size_t i = 0; i < count; i++)
		call->keys[i] = arena_str(call->arena, keys[i]);
}

static void run_range(struct call *call, struct memory_shard *shard)
{
	call->members = memory_shard_range(shard, call->index, call->least, call->most, call->count,
					   call->arena, &call->result_count);
}

static void tell_range(struct call *call)
{
	bool ok = call->result == STORE_OK;

	call->done.ranged(call->arg, call->result, ok ? call->members : NULL,
			  ok ? call->result_count : 0);
}

static void range(struct store *store, int shard, const char *index, double least, double most,
		  size_t limit, store_ranged *done, void *arg)
{
	struct call *call = call_new(store, shard, run_range, tell_range, arg);

	call->done.ranged = done;
	call->index = arena_str(call->arena, index);
	call->least = least;
	call->most = most;
	call->count = limit;
}

static void run_commit(struct call *call, struct memory_shard *shard)
{
	call->result = STORE_FENCED;
	if (call->fence != 0)
		call->result = memory_shard_commit(shard, call->handle->memory->now, call->fence,
						   call->commit);
}

static void commit(struct store *store, int shard, struct commit *what, store_done *done, void *arg)
{
	struct call *call = call_new(store, shard, run_commit, tell_plain, arg);

	call->done.plain = done;
	call->commit = what;
	call->fence = owned_fence(call->handle, shard);
}

static void run_outbox(struct call *call, struct memory_shard *shard)
{
	call->entries = memory_shard_outbox(shard, call->channel, call->arena, &call->result_count);
}

static void tell_outbox(struct call *call)
{
	bool ok = call->result == STORE_OK;

	call->done.outboxed(call->arg, call->result, ok ? call->entries : NULL,
			    ok ? call->result_count : 0);
}

static void outbox(struct store *store, int shard, const char *channel, store_outboxed *done,
		   void *arg)
{
	struct call *call = call_new(store, shard, run_outbox, tell_outbox, arg);

	call->done.outboxed = done;
	call->channel = arena_str(call->arena, channel);
}

static void run_handover(struct call *call, struct memory_shard *shard)
{
	call->result = STORE_FENCED;
	if (call->fence != 0)
		call->result = memory_shard_handover(shard, call->fence, call->channel, call->lane,
						     call->entry);
}

static void handover(struct store *store, int shard, const char *channel, enum lane lane,
		     const char *entry, store_done *done, void *arg)
{
	struct call *call = call_new(store, shard, run_handover, tell_plain, arg);

	call->done.plain = done;
	call->fence = owned_fence(call->handle, shard);
	call->channel = arena_str(call->arena, channel);
	call->lane = lane;
	call->entry = arena_str(call->arena, entry);
}

static void run_settle(struct call *call, struct memory_shard *shard)
{
	call->result = memory_shard_settle(shard, call->channel, call->lane, call->entry,
					   call->body, call->len);
}

static void settle(struct store *store, int shard, const char *channel, enum lane lane,
		   const char *entry, const char *body, size_t len, store_done *done, void *arg)
{
	struct call *call = call_new(store, shard, run_settle, tell_plain, arg);

	call->done.plain = done;
	call->channel = arena_str(call->arena, channel);
	call->lane = lane;
	call->entry = arena_str(call->arena, entry);
	call->body = body ? arena_bytes(call->arena, body, len) : NULL;
	call->len = len;
}

static void run_due(struct call *call, struct memory_shard *shard)
{
	call->result_count = memory_shard_due(shard, call->now, &call->next_at);
}

static void tell_due(struct call *call)
{
	bool ok = call->result == STORE_OK;

	call->done.due_moved(call->arg, call->result, ok ? call->result_count : 0,
			     ok ? call->next_at : 0);
}

static void due(struct store *store, int shard, int64_t now, store_due_moved *done, void *arg)
{
	struct call *call = call_new(store, shard, run_due, tell_due, arg);

	call->done.due_moved = done;
	call->now = now;
}

void memory_store_free(struct store *store)
{
	struct handle *handle = (struct handle *)store;
	struct memory *memory = handle->memory;
	struct handle **at = &memory->handles;

	handle->cut = true;
	/* From the front again each time: whoever hears of one may make another. */
	for (struct call *call = memory->calls; call;) {
		if (call->handle == handle) {
			memory_call_tell(call);
			call = memory->calls;
		} else {
			call = call->next;
		}
	}
	while (handle->owned)
		owned_remove(handle, handle->owned->shard);
	for (struct memory_shard *shard = memory->shards; shard; shard = shard->next)
		if (shard->owner == handle->instance)
			shard->owner = 0;
	while (*at != handle)
		at = &(*at)->next;
	*at = handle->next;
	free(handle);
}

const struct store_methods memory_methods = {
	.own = own,
	.release = release,
	.accept = accept_items,
	.load = load,
	.range = range,
	.commit = commit,
	.outbox = outbox,
	.handover = handover,
	.settle = settle,
	.due = due,
	.free = memory_store_free,
};
