/* The store in Redis: set-up, its two connections, and the calls that only read or accept. */
#include "state/store_redis_own.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/loop.h"

enum {
	LEASE_MS = 10000,
	VERSION_LEN = 8,
	INSTANCE_MAX = 64,
	QUIET_FAILURES = 3 * LINK_COUNT,
	REFUSAL_QUIET_US = 10 * 1000 * 1000,
};

static const char *const lane_names[LANE_COUNT] = {
	[LANE_CONVERSATION] = "conversation",
	[LANE_BULK] = "bulk",
};

struct redis_link *redis_link_next(struct store_redis *store)
{
	return store->links[LINK_WORK + store->turn++ % (LINK_COUNT - LINK_WORK)];
}

/* ---- keys ---- */

const char *redis_key(struct store_redis *store, int shard, const char *kind)
{
	return arena_printf(store->scratch, "%s:{%d}:%s", store->prefix, shard, kind);
}

const char *redis_key_of(struct store_redis *store, int shard, const char *kind, const char *name)
{
	return arena_printf(store->scratch, "%s:{%d}:%s:%s", store->prefix, shard, kind, name);
}

const char *redis_key_lane(struct store_redis *store, int shard, const char *kind,
			   const char *channel, enum lane lane)
{
	return arena_printf(store->scratch, "%s:{%d}:%s:%s:%s", store->prefix, shard, kind, channel,
			    lane_names[lane]);
}

/* ---- sealed arguments, replies ---- */

void redis_call_seal(struct store_redis *store, struct redis_call *call, const char *key,
		     const void *data, size_t len)
{
	redis_call_begin(call, SEAL_OVERHEAD + len);
	seal_shut(store->seal, key, data, len, &call->bytes);
	redis_call_end(call);
}

void redis_call_seal_named(struct store_redis *store, struct redis_call *call, const char *key,
			   const char *name, const void *data, size_t len)
{
	size_t name_len = strlen(name) + 1;
	char *both = arena_alloc(store->scratch, name_len + len);

	memcpy(both, name, name_len);
	if (len > 0)
		memcpy(both + name_len, data, len);
	redis_call_seal(store, call, key, both, name_len + len);
}

/* The first word is Redis's error code; the rest may quote what we sent. A Redis that refuses
 * refuses everything: one line now and then says it. */
static void refusal_log(struct store_redis *store, const char *reply)
{
	static const struct {
		const char *code, *meaning;
	} known[] = {
		{"OOM", "its memory is full (maxmemory)"},
		{"MISCONF", "it cannot write to its disk"},
		{"LOADING", "it is still reading its data"},
		{"READONLY", "it is a replica"},
		{"MASTERDOWN", "it is a replica without its master"},
		{"NOREPLICAS", "it has too few replicas"},
		{"BUSY", "it is busy with somebody's script"},
		{"NOAUTH", "it wants a password"},
		{"NOPERM", "this user may not do that"},
		{"CLUSTERDOWN", "its cluster is not complete"},
	};
	int len = (int)strcspn(reply, " \r\n");
	int64_t now = clock_mono_us();
	const char *meaning = NULL;

	store->refusals++;
	if (store->refusal_told_us && now - store->refusal_told_us < REFUSAL_QUIET_US)
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].code) == (size_t)len && !strncmp(reply, known[i].code, (size_t)len))
			meaning = known[i].meaning;
	log_error(&store->subject, "redis refuses commands (%llu so far): %.*s%s%s",
		  (unsigned long long)store->refusals, len, reply, meaning ? ", " : "",
		  meaning ? meaning : "");
	store->refusal_told_us = now;
}

bool redis_reply_is(struct store_redis *store, const redisReply *reply, int type)
{
	if (reply && reply->type == type)
		return true;
	if (reply && reply->type == REDIS_REPLY_ERROR)
		refusal_log(store, reply->str);
	else if (reply)
		log_error(&store->subject, "a command was answered with type %d instead of %d",
			  reply->type, type);
	return false;
}

enum store_result redis_reply_result(struct store_redis *store, const redisReply *reply)
{
	if (!redis_reply_is(store, reply, REDIS_REPLY_INTEGER))
		return STORE_AWAY;
	switch (reply->integer) {
	case -1:
		return STORE_FENCED;
	case -2:
		return STORE_GONE;
	case -3:
		return STORE_CONFLICT;
	default:
		return STORE_OK;
	}
}

/* ---- accept ---- */

struct accepting {
	struct store_redis *store;
	store_accepted *done;
	void *arg;
};

static void accept_replied(void *arg, const redisReply *reply)
{
	struct accepting *accepting = arg;
	bool ok = redis_reply_is(accepting->store, reply, REDIS_REPLY_INTEGER);

	accepting->done(accepting->arg, ok ? STORE_OK : STORE_AWAY,
			ok ? (size_t)reply->integer : 0);
	free(accepting);
}

static void redis_accept(struct store *base, int shard, const struct store_accept *items,
			 size_t count, store_accepted *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct accepting *accepting = xalloc(sizeof *accepting);
	size_t seen = 0;
	char hash[SEAL_HASH_LEN + 1];

	*accepting = (struct accepting){store, done, arg};
	for (size_t i = 0; i < count; i++)
		seen += items[i].dedup != NULL;
	struct redis_call *call =
		redis_call_script(store->links[LINK_ACCEPT], SCRIPT_ACCEPT, 1 + seen, 2 * count);
	const char *inbox = redis_key(store, shard, "in");
	redis_call_str(call, inbox);
	for (size_t i = 0; i < count; i++) {
		if (!items[i].dedup)
			continue;
		seal_hash(store->seal, "dedup", items[i].dedup, hash);
		redis_call_str(call, redis_key_of(store, shard, "seen", hash));
	}
	for (size_t i = 0; i < count; i++) {
		int64_t keep_ms = items[i].keep_ms > 0 ? items[i].keep_ms : 1;
		redis_call_seal(store, call, inbox, items[i].body, items[i].len);
		redis_call_printf(call, "%lld", items[i].dedup ? (long long)keep_ms : 0LL);
	}
	arena_clear(store->scratch);
	redis_link_send(store->links[LINK_ACCEPT], call, PATIENCE_SHORT, accept_replied, accepting);
}

/* ---- load ---- */

struct loading {
	struct store_redis *store;
	store_loaded *done;
	void *arg;
	struct arena *arena;
	int shard;
	struct document *documents;
	size_t count;
};

/* A value is the version, 8 bytes, and the sealed body. */
static int document_open(struct loading *loading, struct document *document,
			 const redisReply *value)
{
	struct store_redis *store = loading->store;
	struct error error = {0};

	if (value->type == REDIS_REPLY_NIL)
		return 0;
	if (value->type != REDIS_REPLY_STRING || value->len < VERSION_LEN)
		error_set(&error, "not a document's value");
	else
		document->body = seal_open(store->seal,
					   redis_key_of(store, loading->shard, "d", document->key),
					   value->str + VERSION_LEN, value->len - VERSION_LEN,
					   loading->arena, &document->len, &error);
	if (!document->body) {
		log_error(&store->subject, "shard %d: a document does not open: %s", loading->shard,
			  error.text);
		return -1;
	}
	for (size_t i = 0; i < VERSION_LEN; i++)
		document->version = document->version << 8 | (unsigned char)value->str[i];
	return 0;
}

static void load_replied(void *arg, const redisReply *reply)
{
	struct loading *loading = arg;
	enum store_result result = STORE_AWAY;

	if (redis_reply_is(loading->store, reply, REDIS_REPLY_ARRAY) &&
	    reply->elements == loading->count) {
		result = STORE_OK;
		for (size_t i = 0; i < loading->count; i++)
			if (document_open(loading, &loading->documents[i], reply->element[i]) < 0)
				result = STORE_DAMAGED;
		arena_clear(loading->store->scratch);
	}
	bool ok = result == STORE_OK;
	loading->done(loading->arg, result, ok ? loading->documents : NULL,
		      ok ? loading->count : 0);
	arena_free(&loading->arena);
	free(loading);
}

/* MGET wants at least one key. */
static void nothing_replied(void *arg, const redisReply *reply)
{
	struct loading *loading = arg;

	loading->done(loading->arg, reply ? STORE_OK : STORE_AWAY, loading->documents, 0);
	arena_free(&loading->arena);
	free(loading);
}

static void redis_load(struct store *base, int shard, const char *const *keys, size_t count,
		       store_loaded *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct loading *loading = xalloc(sizeof *loading);
	struct redis_call *call = redis_call_new(1 + count);

	*loading = (struct loading){.store = store, .done = done, .arg = arg, .shard = shard};
	loading->arena = arena_new();
	loading->count = count;
	loading->documents = arena_alloc(loading->arena, (count + 1) * sizeof *loading->documents);
	redis_call_str(call, count > 0 ? "MGET" : "PING");
	for (size_t i = 0; i < count; i++) {
		loading->documents[i].key = arena_str(loading->arena, keys[i]);
		redis_call_str(call, redis_key_of(store, shard, "d", keys[i]));
	}
	arena_clear(store->scratch);
	redis_link_send(redis_link_next(store), call, PATIENCE_LONG,
			count > 0 ? load_replied : nothing_replied, loading);
}

/* ---- range ---- */

struct ranging {
	struct store_redis *store;
	store_ranged *done;
	void *arg;
};

static void range_replied(void *arg, const redisReply *reply)
{
	struct ranging *ranging = arg;
	bool ok = redis_reply_is(ranging->store, reply, REDIS_REPLY_ARRAY);
	const char **members = xalloc(((ok ? reply->elements : 0) + 1) * sizeof *members);

	for (size_t i = 0; ok && i < reply->elements; i++)
		members[i] = reply->element[i]->str;
	ranging->done(ranging->arg, ok ? STORE_OK : STORE_AWAY, members, ok ? reply->elements : 0);
	free(members);
	free(ranging);
}

static void redis_range(struct store *base, int shard, const char *index, double least, double most,
			size_t limit, store_ranged *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct ranging *ranging = xalloc(sizeof *ranging);
	struct redis_call *call = redis_call_new(7);

	*ranging = (struct ranging){store, done, arg};
	redis_call_str(call, "ZRANGEBYSCORE");
	redis_call_str(call, redis_key_of(store, shard, "x", index));
	redis_call_printf(call, "%.17g", least);
	redis_call_printf(call, "%.17g", most);
	redis_call_str(call, "LIMIT");
	redis_call_str(call, "0");
	redis_call_printf(call, "%zu", limit);
	arena_clear(store->scratch);
	redis_link_send(redis_link_next(store), call, PATIENCE_LONG, range_replied, ranging);
}

/* ---- connections ---- */

static void state_changed(struct store_redis *store, const char *why)
{
	const struct store_listener *listener = &store->store.listener;
	bool up = true;

	for (int i = 0; i < LINK_COUNT; i++)
		up = up && redis_link_is_up(store->links[i]);
	if (up == store->told_up || store->closing)
		return;
	store->told_up = up;
	if (!up)
		store->figures.reconnects++;
	if (up)
		store->failures = 0;
	if (up)
		store->why.text[0] = '\0';
	if (up && listener->up)
		listener->up(listener->arg);
	else if (!up && listener->down)
		listener->down(listener->arg, why);
}

static void link_is_up(void *arg)
{
	struct store_redis *store = arg;

	state_changed(store, NULL);
	if (!store->told_up)
		return;
	/* Whether our shards are still ours is what the answers tell. */
	redis_renew_all(store);
	redis_reader_wake(store);
}

static void link_is_down(void *arg, const char *why)
{
	struct store_redis *store = arg;

	/* Once for each reason, and not for a moment's absence, as while our own Redis starts. */
	if (++store->failures >= QUIET_FAILURES && strcmp(store->why.text, why) != 0 &&
	    !store->closing) {
		error_set(&store->why, "%s", why);
		log_warning(&store->subject, "%s", why);
	}
	state_changed(store, why);
}

static void wake_again(void *arg)
{
	redis_reader_wake(arg);
}

static void redis_free(struct store *base)
{
	struct store_redis *store = (struct store_redis *)base;

	store->closing = true;
	for (int i = 0; i < LINK_COUNT; i++)
		redis_link_free(&store->links[i]);
	loop_timer_close(&store->renewal);
	loop_timer_close(&store->wake_again);
	for (struct redis_owned *owned = store->owned, *next; owned; owned = next) {
		next = owned->next;
		free(owned);
	}
	arena_free(&store->scratch);
	free(store->instance);
	free(store->prefix);
	free(store);
}

static const struct store_methods methods = {
	.own = redis_own,
	.release = redis_release,
	.accept = redis_accept,
	.load = redis_load,
	.range = redis_range,
	.commit = redis_commit,
	.outbox = redis_outbox,
	.handover = redis_handover,
	.settle = redis_settle,
	.due = redis_due,
	.free = redis_free,
};

/* CLIENT SETNAME takes no spaces, and a lease ends its instance with a colon and a number. */
static bool name_is_plain(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return len > 0 && len <= INSTANCE_MAX;
}

static int links_open(struct store_redis *store, const struct store_redis_options *options,
		      struct error *error_r)
{
	struct redis_link_options link = {
		.url = options->url,
		.user = options->user,
		.password = options->password,
		.name = store->instance,
		.arg = store,
		.up = link_is_up,
		.down = link_is_down,
	};

	for (int i = 0; i < LINK_COUNT; i++) {
		store->links[i] = redis_link_new(store->loop, &link, error_r);
		if (!store->links[i])
			return -1;
	}
	return 0;
}

struct store *store_redis_new(struct loop *loop, const struct seal *seal,
			      const struct store_redis_options *options,
			      const struct store_listener *listener, struct error *error_r)
{
	const char *prefix = options->prefix ? options->prefix : "linli";

	if (!name_is_plain(options->instance) || !name_is_plain(prefix)) {
		error_set(error_r, "redis: instance and prefix are 1 to 64 letters, digits, - _ .");
		return NULL;
	}
	struct store_redis *store = xalloc(sizeof *store);
	store->store.methods = &methods;
	store->store.listener = *listener;
	store->loop = loop;
	store->seal = seal;
	store->instance = xstrdup(options->instance);
	store->prefix = xstrdup(prefix);
	store->lease_ms = options->lease_ms > 0 ? options->lease_ms : LEASE_MS;
	store->subject = (struct log_subject){.kind = "store", .name = "redis"};
	store->scratch = arena_new();
	store->renewal = loop_timer(loop, redis_renew_all, store);
	store->wake_again = loop_timer(loop, wake_again, store);
	if (links_open(store, options, error_r) < 0) {
		redis_free(&store->store);
		return NULL;
	}
	uint64_t third = (uint64_t)(store->lease_ms / 3);
	loop_timer_start(store->renewal, third ? third : 1, third ? third : 1);
	return &store->store;
}

struct store_figures store_redis_figures(const struct store *base)
{
	const struct store_redis *store = (const struct store_redis *)base;
	struct store_figures figures = store->figures;

	for (int i = 0; i < LINK_COUNT; i++)
		figures.commands += redis_link_commands(store->links[i]);
	return figures;
}
