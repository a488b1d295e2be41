/* Calls on a store in memory wait here for their turn, one by one or shuffled. */
#include "state/store_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "state/memory_shard.h"

/* A shard that this instance believes to own. */
struct owned {
	struct owned *next;
	int shard;
	uint64_t fence, delivered, limit;
};

struct handle {
	struct store store; /* first: a struct store * is a struct handle * */
	struct memory *memory;
	struct handle *next;
	uint64_t instance;
	bool cut;
	enum { TOLD_NOTHING, TOLD_UP, TOLD_DOWN } told;
	struct owned *owned;
};

struct call {
	struct call *next;
	struct handle *handle;
	struct arena *arena;
	int shard;
	void (*run)(struct call *call, struct memory_shard *shard); /* its effect */
	void (*tell)(struct call *call);                            /* its `done` */
	void *arg;
	bool ran;
	enum store_result result;
	uint64_t fence;
	/* What was asked; copies in the arena. */
	const char *channel, *entry, *body, *index;
	const char **keys;
	struct store_accept *items;
	struct commit *commit;
	double least, most;
	size_t count, len;
	int64_t now;
	enum lane lane;
	/* What came of it. */
	struct document *documents;
	const char **members;
	struct store_outbox_entry *entries;
	size_t result_count;
	int64_t next_at;
	union {
		store_done *plain;
		store_accepted *accepted;
		store_loaded *loaded;
		store_ranged *ranged;
		store_outboxed *outboxed;
		store_due_moved *due_moved;
	} done;
};

struct memory {
	struct handle *handles;
	struct memory_shard *shards;
	struct call *calls, **calls_end;
	uint64_t last_instance;
	int64_t now;
	bool away;
};

/* ---- small helpers ---- */

static struct memory_shard *shard_get(struct memory *memory, int number)
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

static bool connected(const struct handle *handle)
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

static void owned_lost(struct handle *handle, int shard)
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

static void call_run(struct call *call)
{
	call->ran = true;
	call->result = STORE_AWAY;
	if (connected(call->handle)) {
		call->result = STORE_OK;
		call->run(call, shard_get(call->handle->memory, call->shard));
	}
}

static void call_tell(struct call *call)
{
	struct handle *handle = call->handle;

	call_unlink(handle->memory, call);
	if (!connected(handle))
		call->result = STORE_AWAY;
	if (call->result == STORE_FENCED && call->fence != 0 &&
	    owned_fence(handle, call->shard) == call->fence)
		owned_lost(handle, call->shard);
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

static void store_free(struct store *store)
{
	struct handle *handle = (struct handle *)store;
	struct memory *memory = handle->memory;
	struct handle **at = &memory->handles;

	handle->cut = true;
	/* From the front again each time: whoever hears of one may make another. */
	for (struct call *call = memory->calls; call;) {
		if (call->handle == handle) {
			call_tell(call);
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

static const struct store_methods methods = {
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
	.free = store_free,
};

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
	return handle->told != (connected(handle) ? TOLD_UP : TOLD_DOWN);
}

static bool lost_ready(const struct handle *handle, const struct owned *owned)
{
	return connected(handle) && shard_get(handle->memory, owned->shard)->fence != owned->fence;
}

static const struct memory_entry *event_ready(const struct handle *handle,
					      const struct owned *owned)
{
	if (!connected(handle) || handle->told != TOLD_UP)
		return NULL;
	return memory_shard_next(shard_get(handle->memory, owned->shard), owned->delivered);
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

	handle->told = connected(handle) ? TOLD_UP : TOLD_DOWN;
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
		owned_lost(ready->handle, ready->owned->shard);
		break;
	case READY_EVENT:
		deliver(ready->handle, ready->owned, event_ready(ready->handle, ready->owned));
		break;
	case READY_CALL:
		if (!ready->call->ran)
			call_run(ready->call);
		else
			call_tell(ready->call);
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
				owned_lost(handle, owned->shard);
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
			call_run(call);
		call_tell(call);
	}
	for (struct handle *handle = memory->handles; handle; handle = handle->next)
		for (struct owned *owned = handle->owned; owned; owned = owned->next)
			owned->limit = shard_get(memory, owned->shard)->last_id;
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
		store_free(&(*memory)->handles->store);
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

	handle->store.methods = &methods;
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
	shard_get(memory, shard)->owner = 0;
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
