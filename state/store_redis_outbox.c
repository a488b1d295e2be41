/* Sends that wait for their platform, and events that wait for their time. */
#include "state/store_redis_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { PAGE = 500, DUE_AT_ONCE = 1000 };

/* ---- outbox: lane by lane, page by page ---- */

struct flying {
	const char **entries; /* sorted */
	size_t count;
};

struct outboxing {
	struct store_redis *store;
	int shard;
	struct arena *arena;
	const char *channel;
	enum lane lane;
	struct flying flying;
	struct store_outbox_entry *entries;
	size_t count;
	bool damaged;
	store_outboxed *done;
	void *arg;
};

static void lane_begin(struct outboxing *outboxing);

static void outbox_finish(struct outboxing *outboxing, enum store_result result)
{
	bool ok = result == STORE_OK || result == STORE_DAMAGED;

	outboxing->done(outboxing->arg, result, ok ? outboxing->entries : NULL,
			ok ? outboxing->count : 0);
	arena_free(&outboxing->arena);
	free(outboxing);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_flying(const struct flying *flying, const char *entry)
{
	return flying->count > 0 &&
	       bsearch(&entry, flying->entries, flying->count, sizeof *flying->entries, compare);
}

/* The sealed value is the send's id with its NUL, and the payload. */
static void entry_add(struct outboxing *outboxing, const redisReply *entry)
{
	struct store_redis *store = outboxing->store;
	struct error error = {0};
	const redisReply *fields = entry->element[1];
	size_t len = 0;
	char *plain = NULL, *payload = NULL;

	if (fields->elements == 2)
		plain = seal_open(store->seal,
				  redis_key_lane(store, outboxing->shard, "out", outboxing->channel,
						 outboxing->lane),
				  fields->element[1]->str, fields->element[1]->len,
				  outboxing->arena, &len, &error);
	if (plain)
		payload = memchr(plain, '\0', len);
	if (!payload) {
		log_error(&store->subject, "shard %d: outbox entry %s does not open: %s",
			  outboxing->shard, entry->element[0]->str, error.text);
		outboxing->damaged = true;
		return;
	}
	payload++;
	outboxing->entries = arena_grow(outboxing->arena, outboxing->entries, outboxing->count,
					sizeof *outboxing->entries);
	outboxing->entries[outboxing->count++] = (struct store_outbox_entry){
		.entry = arena_str(outboxing->arena, entry->element[0]->str),
		.id = plain,
		.channel = outboxing->channel,
		.lane = outboxing->lane,
		.payload = payload,
		.len = len - (size_t)(payload - plain),
		/* From the start, or since handover(). */
		.in_flight = fields->element[0]->str[0] == 'f' ||
			     is_flying(&outboxing->flying, entry->element[0]->str),
	};
}

static void page_replied(void *arg, const redisReply *reply);

/* `after`: an entry's id, or "-" for the first page. */
static void page_ask(struct outboxing *outboxing, const char *after)
{
	struct store_redis *store = outboxing->store;
	struct redis_call *call = redis_call_new(6);

	redis_call_str(call, "XRANGE");
	redis_call_str(call, redis_key_lane(store, outboxing->shard, "out", outboxing->channel,
					    outboxing->lane));
	redis_call_printf(call, "%s%s", after[0] == '-' ? "" : "(", after);
	redis_call_str(call, "+");
	redis_call_str(call, "COUNT");
	redis_call_printf(call, "%d", (int)PAGE);
	arena_clear(store->scratch);
	redis_link_send(redis_link_next(store), call, PATIENCE_LONG, page_replied, outboxing);
}

static void page_replied(void *arg, const redisReply *reply)
{
	struct outboxing *outboxing = arg;

	if (!redis_reply_is(outboxing->store, reply, REDIS_REPLY_ARRAY)) {
		outbox_finish(outboxing, STORE_AWAY);
		return;
	}
	for (size_t i = 0; i < reply->elements; i++)
		entry_add(outboxing, reply->element[i]);
	arena_clear(outboxing->store->scratch);
	if (reply->elements == PAGE) {
		page_ask(outboxing, reply->element[PAGE - 1]->element[0]->str);
	} else if (++outboxing->lane < LANE_COUNT) {
		lane_begin(outboxing);
	} else {
		outbox_finish(outboxing, outboxing->damaged ? STORE_DAMAGED : STORE_OK);
	}
}

static void flying_replied(void *arg, const redisReply *reply)
{
	struct outboxing *outboxing = arg;
	struct flying *flying = &outboxing->flying;

	if (!redis_reply_is(outboxing->store, reply, REDIS_REPLY_ARRAY)) {
		outbox_finish(outboxing, STORE_AWAY);
		return;
	}
	flying->count = reply->elements;
	flying->entries =
		arena_alloc(outboxing->arena, (flying->count + 1) * sizeof *flying->entries);
	for (size_t i = 0; i < flying->count; i++)
		flying->entries[i] = arena_str(outboxing->arena, reply->element[i]->str);
	qsort(flying->entries, flying->count, sizeof *flying->entries, compare);
	page_ask(outboxing, "-");
}

static void lane_begin(struct outboxing *outboxing)
{
	struct store_redis *store = outboxing->store;
	struct redis_call *call = redis_call_new(2);

	redis_call_str(call, "SMEMBERS");
	redis_call_str(call, redis_key_lane(store, outboxing->shard, "fly", outboxing->channel,
					    outboxing->lane));
	arena_clear(store->scratch);
	redis_link_send(redis_link_next(store), call, PATIENCE_LONG, flying_replied, outboxing);
}

void redis_outbox(struct store *base, int shard, const char *channel, store_outboxed *done,
		  void *arg)
{
	struct outboxing *outboxing = xalloc(sizeof *outboxing);

	outboxing->store = (struct store_redis *)base;
	outboxing->shard = shard;
	outboxing->arena = arena_new();
	outboxing->channel = arena_str(outboxing->arena, channel);
	outboxing->done = done;
	outboxing->arg = arg;
	lane_begin(outboxing);
}

/* ---- handover, settle ---- */

struct plain {
	struct store_redis *store;
	int shard;
	uint64_t fence;
	store_done *done;
	void *arg;
};

static struct plain *plain_new(struct store_redis *store, int shard, store_done *done, void *arg)
{
	struct plain *plain = xalloc(sizeof *plain);

	*plain = (struct plain){store, shard, redis_owned_fence(store, shard), done, arg};
	return plain;
}

static void plain_replied(void *arg, const redisReply *reply)
{
	struct plain *plain = arg;
	enum store_result result = redis_reply_result(plain->store, reply);

	if (result == STORE_FENCED)
		redis_owned_refused(plain->store, plain->shard, plain->fence);
	plain->done(plain->arg, result);
	free(plain);
}

void redis_handover(struct store *base, int shard, const char *channel, enum lane lane,
		    const char *entry, store_done *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct plain *plain = plain_new(store, shard, done, arg);
	struct redis_link *link = redis_link_next(store);
	struct redis_call *call = redis_call_script(link, SCRIPT_HANDOVER, 3, 2);

	redis_call_str(call, redis_key(store, shard, "fence"));
	redis_call_str(call, redis_key_lane(store, shard, "out", channel, lane));
	redis_call_str(call, redis_key_lane(store, shard, "fly", channel, lane));
	redis_call_printf(call, "%llu", (unsigned long long)plain->fence);
	redis_call_str(call, entry);
	arena_clear(store->scratch);
	redis_link_send(link, call, PATIENCE_LONG, plain_replied, plain);
}

void redis_settle(struct store *base, int shard, const char *channel, enum lane lane,
		  const char *entry, const char *body, size_t len, store_done *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct redis_link *link = redis_link_next(store);
	struct redis_call *call = redis_call_script(link, SCRIPT_SETTLE, 3, body ? 2 : 1);
	const char *inbox = redis_key(store, shard, "in");

	redis_call_str(call, redis_key_lane(store, shard, "out", channel, lane));
	redis_call_str(call, redis_key_lane(store, shard, "fly", channel, lane));
	redis_call_str(call, inbox);
	redis_call_str(call, entry);
	if (body)
		redis_call_seal(store, call, inbox, body, len);
	arena_clear(store->scratch);
	redis_link_send(link, call, PATIENCE_LONG, plain_replied,
			plain_new(store, shard, done, arg));
}

/* ---- due ---- */

struct dueing {
	struct store_redis *store;
	store_due_moved *done;
	void *arg;
};

static void due_replied(void *arg, const redisReply *reply)
{
	struct dueing *dueing = arg;

	if (redis_reply_is(dueing->store, reply, REDIS_REPLY_ARRAY) && reply->elements == 2)
		dueing->done(dueing->arg, STORE_OK, (size_t)reply->element[0]->integer,
			     strtoll(reply->element[1]->str, NULL, 10));
	else
		dueing->done(dueing->arg, STORE_AWAY, 0, 0);
	free(dueing);
}

void redis_due(struct store *base, int shard, int64_t now, store_due_moved *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct dueing *dueing = xalloc(sizeof *dueing);
	struct redis_link *link = redis_link_next(store);
	struct redis_call *call = redis_call_script(link, SCRIPT_DUE, 2, 2);

	*dueing = (struct dueing){store, done, arg};
	redis_call_str(call, redis_key(store, shard, "due"));
	redis_call_str(call, redis_key(store, shard, "in"));
	redis_call_printf(call, "%lld", (long long)now);
	redis_call_printf(call, "%d", (int)DUE_AT_ONCE);
	arena_clear(store->scratch);
	redis_link_send(link, call, PATIENCE_LONG, due_replied, dueing);
}
