/* One event's changes become one script call. */
#include "state/store_redis_own.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

struct committing {
	struct store_redis *store;
	int shard;
	uint64_t fence;
	struct commit *commit;
	bool has_entry;
	int64_t began_us;
	store_done *done;
	void *arg;
};

/* {version, entry of each send} */
static enum store_result outcome_read(struct committing *committing, const redisReply *reply)
{
	struct commit *commit = committing->commit;

	if (!reply || reply->type != REDIS_REPLY_ARRAY)
		return redis_reply_result(committing->store, reply);
	if (reply->elements != 1 + commit->send_count)
		return STORE_AWAY;
	commit->version = (uint64_t)reply->element[0]->integer;
	for (size_t i = 0; i < commit->send_count; i++)
		snprintf(commit->sends[i].entry, sizeof commit->sends[i].entry, "%s",
			 reply->element[i + 1]->str);
	return STORE_OK;
}

static void commit_replied(void *arg, const redisReply *reply)
{
	struct committing *committing = arg;
	struct store_redis *store = committing->store;
	enum store_result result = outcome_read(committing, reply);

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

static void add_keys(struct store_redis *store, struct redis_call *call, int shard,
		     const struct commit *commit)
{
	redis_call_str(call, redis_key(store, shard, "fence"));
	redis_call_str(call, redis_key(store, shard, "version"));
	redis_call_str(call, redis_key(store, shard, "in"));
	redis_call_str(call, redis_key(store, shard, "due"));
	for (size_t i = 0; i < commit->read_count; i++)
		redis_call_str(call, redis_key_of(store, shard, "d", commit->reads[i].key));
	for (size_t i = 0; i < commit->write_count; i++)
		redis_call_str(call, redis_key_of(store, shard, "d", commit->writes[i].key));
	for (size_t i = 0; i < commit->index_count; i++)
		redis_call_str(call, redis_key_of(store, shard, "x", commit->indexes[i].index));
	for (size_t i = 0; i < commit->send_count; i++) {
		const struct send *send = &commit->sends[i];
		redis_call_str(call,
			       redis_key_lane(store, shard, "out", send->channel, send->lane));
		redis_call_str(call,
			       redis_key_lane(store, shard, "fly", send->channel, send->lane));
	}
}

static void add_read(struct redis_call *call, uint64_t version)
{
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(version >> (56 - 8 * i));
	redis_call_bytes(call, bytes, version ? sizeof bytes : 0);
}

static void add_write(struct store_redis *store, struct redis_call *call, int shard,
		      const struct document_write *write)
{
	if (write->body)
		redis_call_seal(store, call, redis_key_of(store, shard, "d", write->key),
				write->body, write->len);
	else
		redis_call_bytes(call, "", 0);
	redis_call_printf(call, "%lld", (long long)(write->keep_ms > 0 ? write->keep_ms : 0));
}

static void add_index(struct redis_call *call, const struct index_write *write)
{
	redis_call_str(call, write->member);
	/* ZADD refuses NaN in the middle of a script. */
	if (write->remove || isnan(write->score))
		redis_call_bytes(call, "", 0);
	else
		redis_call_printf(call, "%.17g", write->score);
}

static void add_send(struct store_redis *store, struct redis_call *call, int shard,
		     const struct send *send)
{
	redis_call_seal_named(store, call,
			      redis_key_lane(store, shard, "out", send->channel, send->lane),
			      send->id, send->payload, send->len);
	redis_call_bytes(call, send->in_flight ? "1" : "0", 1);
}

static void add_arguments(struct store_redis *store, struct redis_call *call, int shard,
			  uint64_t fence, const struct commit *commit)
{
	redis_call_printf(call, "%llu", (unsigned long long)fence);
	redis_call_str(call, commit->entry ? commit->entry : "");
	redis_call_printf(call, "%zu", commit->read_count);
	redis_call_printf(call, "%zu", commit->write_count);
	redis_call_printf(call, "%zu", commit->index_count);
	redis_call_printf(call, "%zu", commit->send_count);
	redis_call_printf(call, "%zu", commit->due_count);
	for (size_t i = 0; i < commit->read_count; i++)
		add_read(call, commit->reads[i].version);
	for (size_t i = 0; i < commit->write_count; i++)
		add_write(store, call, shard, &commit->writes[i]);
	for (size_t i = 0; i < commit->index_count; i++)
		add_index(call, &commit->indexes[i]);
	for (size_t i = 0; i < commit->send_count; i++)
		add_send(store, call, shard, &commit->sends[i]);
	for (size_t i = 0; i < commit->due_count; i++) {
		redis_call_str(call, commit->dues[i].name);
		redis_call_printf(call, "%lld", (long long)commit->dues[i].at);
	}
}

void redis_commit(struct store *base, int shard, struct commit *commit, store_done *done, void *arg)
{
	struct store_redis *store = (struct store_redis *)base;
	struct committing *committing = xalloc(sizeof *committing);
	size_t keys = 4 + commit->read_count + commit->write_count + commit->index_count +
		      2 * commit->send_count;
	size_t arguments = 7 + commit->read_count + 2 * commit->write_count +
			   2 * commit->index_count + 2 * commit->send_count + 2 * commit->due_count;
	struct redis_call *call = redis_call_script(store->link, SCRIPT_COMMIT, keys, arguments);

	*committing = (struct committing){
		.store = store,
		.shard = shard,
		/* 0, where it is not ours, is no shard's fence: Redis answers FENCED. */
		.fence = redis_owned_fence(store, shard),
		.commit = commit,
		.has_entry = commit->entry != NULL,
		.began_us = clock_mono_us(),
		.done = done,
		.arg = arg,
	};
	add_keys(store, call, shard, commit);
	add_arguments(store, call, shard, committing->fence, commit);
	arena_clear(store->scratch);
	redis_link_send(store->link, call, PATIENCE_LONG, commit_replied, committing);
}
