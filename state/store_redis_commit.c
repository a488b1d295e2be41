/* One event's changes become one script call. */
#include "state/store_redis_own.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

/* A version is the fence, and below it this many bits that count commits. */
enum { VERSION_BITS = 36 };

struct committing {
	struct store_redis *store;
	int shard;
	uint64_t fence, version;
	struct commit *commit;
	bool has_entry;
	int64_t began_us;
	store_done *done;
	void *arg;
};

/* The entry of each send; where there was none, 1. */
static enum store_result outcome_read(struct committing *committing, const redisReply *reply)
{
	struct commit *commit = committing->commit;

	if (!reply || reply->type != REDIS_REPLY_ARRAY)
		return redis_reply_result(committing->store, reply);
	if (reply->elements != commit->send_count)
		return STORE_AWAY;
	for (size_t i = 0; i < commit->send_count; i++)
		snprintf(commit->sends[i].entry, sizeof commit->sends[i].entry, "%s",
			 reply->element[i]->str);
	return STORE_OK;
}

static void commit_replied(void *arg, const redisReply *reply)
{
	struct committing *committing = arg;
	struct store_redis *store = committing->store;
	enum store_result result = outcome_read(committing, reply);

	if (result == STORE_OK)
		committing->commit->version = committing->version;
	store->figures.commits += result == STORE_OK;
	store->figures.conflicts += result == STORE_CONFLICT;
	store->figures.commit_us_total += (uint64_t)(clock_mono_us() - committing->began_us);
	if (result == STORE_FENCED)
		redis_owned_refused(store, committing->shard, committing->fence);
	if (committing->has_entry && (result == STORE_OK || result == STORE_GONE))
		redis_reader_answered(store, committing->shard);
	committing->done(committing->arg, result);
	free(committing);
}

/* ---- the plan: which commands, of how many words ---- */

/* Every command is walked through twice: to count its words (no call), and to write them. */
struct plan {
	struct store_redis *store;
	int shard;
	const struct commit *commit;
	struct redis_call *call;
	struct buf words; /* 1 byte for each command */
	size_t total;
	uint64_t version;
};

enum { WORDS_MOST = 250 };

static void begin(struct plan *plan, const char *command, size_t words)
{
	if (plan->call)
		redis_call_str(plan->call, command);
	else
		buf_char(&plan->words, (char)(unsigned char)words);
	plan->total += words;
}

static void version_bytes(unsigned char bytes[8], uint64_t version)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(version >> (56 - 8 * i));
}

static void add_body(const struct plan *plan, const char *key, const struct document_write *write)
{
	unsigned char version[8];

	version_bytes(version, plan->version);
	redis_call_begin(plan->call, sizeof version + SEAL_OVERHEAD + write->len);
	buf_add(&plan->call->bytes, version, sizeof version);
	seal_shut(plan->store->seal, key, write->body, write->len, &plan->call->bytes);
	redis_call_end(plan->call);
}

static const char *document_key(const struct plan *plan, const char *key)
{
	return redis_key_of(plan->store, plan->shard, "d", key);
}

/* Documents that stay go together in one MSET, those that expire one by one. */
static bool is_lasting(const struct document_write *write)
{
	return write->body && write->keep_ms <= 0;
}

/* Of writes[from…], how many go into one MSET that begins there. */
static size_t lasting_run(const struct commit *commit, size_t from)
{
	size_t count = 0;

	while (from + count < commit->write_count && 2 * count < WORDS_MOST - 2 &&
	       is_lasting(&commit->writes[from + count]))
		count++;
	return count;
}

static void plan_write(struct plan *plan, const struct document_write *write)
{
	const char *key = plan->call ? document_key(plan, write->key) : NULL;

	if (!write->body) {
		begin(plan, "DEL", 2);
		if (plan->call)
			redis_call_str(plan->call, key);
		return;
	}
	begin(plan, "SET", 5);
	if (!plan->call)
		return;
	redis_call_str(plan->call, key);
	add_body(plan, key, write);
	redis_call_str(plan->call, "PX");
	redis_call_printf(plan->call, "%lld", (long long)write->keep_ms);
}

static void plan_writes(struct plan *plan)
{
	const struct commit *commit = plan->commit;

	for (size_t i = 0; i < commit->write_count;) {
		size_t run = lasting_run(commit, i);
		if (run == 0) {
			plan_write(plan, &commit->writes[i++]);
			continue;
		}
		begin(plan, "MSET", 1 + 2 * run);
		for (size_t end = i + run; i < end; i++) {
			if (!plan->call)
				continue;
			const char *key = document_key(plan, commit->writes[i].key);
			redis_call_str(plan->call, key);
			add_body(plan, key, &commit->writes[i]);
		}
	}
}

static void plan_indexes(struct plan *plan)
{
	for (size_t i = 0; i < plan->commit->index_count; i++) {
		const struct index_write *write = &plan->commit->indexes[i];
		/* ZADD refuses NaN, which in the middle of a script would leave a half. */
		bool remove = write->remove || isnan(write->score);
		begin(plan, remove ? "ZREM" : "ZADD", remove ? 3 : 4);
		if (!plan->call)
			continue;
		redis_call_str(plan->call,
			       redis_key_of(plan->store, plan->shard, "x", write->index));
		if (!remove)
			redis_call_printf(plan->call, "%.17g", write->score);
		redis_call_str(plan->call, write->member);
	}
}

static void plan_sends(struct plan *plan)
{
	for (size_t i = 0; i < plan->commit->send_count; i++) {
		const struct send *send = &plan->commit->sends[i];
		begin(plan, "XADD", 5);
		if (!plan->call)
			continue;
		const char *key =
			redis_key_lane(plan->store, plan->shard, "out", send->channel, send->lane);
		redis_call_str(plan->call, key);
		redis_call_str(plan->call, "*");
		redis_call_str(plan->call, send->in_flight ? "f" : "p");
		redis_call_seal_named(plan->store, plan->call, key, send->id, send->payload,
				      send->len);
	}
}

static void plan_dues(struct plan *plan)
{
	for (size_t i = 0; i < plan->commit->due_count; i++) {
		const struct due_write *write = &plan->commit->dues[i];
		begin(plan, write->at == 0 ? "ZREM" : "ZADD", write->at == 0 ? 3 : 4);
		if (!plan->call)
			continue;
		redis_call_str(plan->call, redis_key(plan->store, plan->shard, "due"));
		if (write->at != 0)
			redis_call_printf(plan->call, "%lld", (long long)write->at);
		redis_call_str(plan->call, write->name);
	}
}

static void plan_all(struct plan *plan)
{
	plan_writes(plan);
	plan_indexes(plan);
	plan_sends(plan);
	plan_dues(plan);
}

static void add_reads(const struct plan *plan)
{
	unsigned char version[8];

	for (size_t i = 0; i < plan->commit->read_count; i++) {
		const struct document_read *read = &plan->commit->reads[i];
		version_bytes(version, read->version);
		redis_call_str(plan->call, document_key(plan, read->key));
		redis_call_bytes(plan->call, version, read->version ? sizeof version : 0);
	}
}

static struct redis_call *commit_call(struct store_redis *store, const struct redis_link *link,
				      int shard, uint64_t fence, uint64_t version,
				      const struct commit *commit)
{
	struct plan plan = {.store = store, .shard = shard, .commit = commit, .version = version};

	if (commit->read_count > UINT16_MAX)
		abort(); /* the plan has no words for it */
	buf_init(&plan.words, 0);
	buf_char(&plan.words, (char)(unsigned char)(commit->read_count >> 8));
	buf_char(&plan.words, (char)(unsigned char)commit->read_count);
	plan_all(&plan);
	plan.call =
		redis_call_script(link, SCRIPT_COMMIT, 1, 4 + 2 * commit->read_count + plan.total);
	redis_call_str(plan.call, redis_key(store, shard, "fence"));
	redis_call_printf(plan.call, "%llu", (unsigned long long)fence);
	redis_call_bytes(plan.call, plan.words.data, plan.words.len);
	redis_call_str(plan.call, redis_key(store, shard, "in"));
	redis_call_str(plan.call, commit->entry ? commit->entry : "");
	add_reads(&plan);
	plan_all(&plan);
	buf_free(&plan.words);
	arena_clear(store->scratch);
	return plan.call;
}

/* Versions come from the owner: no two ownerships have the same fence, and within one it counts.
 * So none ever comes back, and Redis need not count for us. */
static uint64_t version_next(struct store_redis *store, int shard)
{
	struct redis_owned *owned = redis_owned_find(store, shard);

	return owned ? owned->fence << VERSION_BITS | ++owned->commits : 0;
}

void redis_commit(struct store *base, int shard, struct commit *commit, store_done *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct redis_link *link = redis_link_next(store);
	struct committing *committing = xalloc(sizeof *committing);

	*committing = (struct committing){
		.store = store,
		.shard = shard,
		/* 0, where it is not ours, is no shard's fence: Redis answers FENCED. */
		.fence = redis_owned_fence(store, shard),
		.version = version_next(store, shard),
		.commit = commit,
		.has_entry = commit->entry != NULL,
		.began_us = clock_mono_us(),
		.done = done,
		.arg = arg,
	};
	struct redis_call *call =
		commit_call(store, link, shard, committing->fence, committing->version, commit);
	redis_link_send(link, call, PATIENCE_LONG, commit_replied, committing);
}
