/* What one shard of the store in memory holds, and the atomic steps on it. */
#include "state/memory_shard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { DUE_AT_ONCE = 1000 };

/* ---- indexes by name ---- */

static struct memory_index *index_find(struct memory_shard *shard, const char *name)
{
	for (struct memory_index *index = shard->indexes; index; index = index->next)
		if (strcmp(index->name, name) == 0)
			return index;
	return NULL;
}

static struct memory_index *index_make(struct memory_shard *shard, const char *name)
{
	struct memory_index *index = index_find(shard, name);

	if (!index) {
		index = xalloc(sizeof *index);
		index->name = xstrdup(name);
		index->next = shard->indexes;
		shard->indexes = index;
	}
	return index;
}

/* ---- streams: inbox, outboxes ---- */

static void entry_free(struct memory_entry *entry)
{
	free(entry->send_id);
	free(entry->body);
	free(entry->due);
	free(entry);
}

static struct memory_entry *stream_add(struct memory_shard *shard, struct memory_stream *stream,
				       const char *body, size_t len)
{
	struct memory_entry *entry = xalloc(sizeof *entry);

	entry->id = ++shard->last_id;
	entry->body = body ? xmemdup(body, len) : NULL;
	entry->len = len;
	*stream->end = entry;
	stream->end = &entry->next;
	return entry;
}

/* Where the entry is hung, or NULL. */
static struct memory_entry **stream_find(struct memory_stream *stream, const char *entry)
{
	uint64_t id = strtoull(entry, NULL, 10);

	for (struct memory_entry **at = &stream->first; *at; at = &(*at)->next)
		if ((*at)->id == id)
			return at;
	return NULL;
}

static void stream_remove(struct memory_stream *stream, struct memory_entry **at)
{
	struct memory_entry *entry = *at;

	*at = entry->next;
	if (stream->end == &entry->next)
		stream->end = at;
	entry_free(entry);
}

static void stream_clear(struct memory_stream *stream)
{
	for (struct memory_entry *entry = stream->first, *next; entry; entry = next) {
		next = entry->next;
		entry_free(entry);
	}
	free(stream->channel);
}

static struct memory_stream *outbox_find(struct memory_shard *shard, const char *channel,
					 enum lane lane)
{
	for (struct memory_stream *outbox = shard->outboxes; outbox; outbox = outbox->next)
		if (outbox->lane == lane && strcmp(outbox->channel, channel) == 0)
			return outbox;
	return NULL;
}

static struct memory_stream *outbox_make(struct memory_shard *shard, const char *channel,
					 enum lane lane)
{
	struct memory_stream *outbox = outbox_find(shard, channel, lane);

	if (!outbox) {
		outbox = xalloc(sizeof *outbox);
		outbox->channel = xstrdup(channel);
		outbox->lane = lane;
		outbox->end = &outbox->first;
		outbox->next = shard->outboxes;
		shard->outboxes = outbox;
	}
	return outbox;
}

/* ---- the shard ---- */

struct memory_shard *memory_shard_new(int number)
{
	struct memory_shard *shard = xalloc(sizeof *shard);

	shard->number = number;
	shard->inbox.end = &shard->inbox.first;
	return shard;
}

void memory_shard_free(struct memory_shard *shard)
{
	memory_table_free(&shard->documents);
	memory_table_free(&shard->seen);
	for (struct memory_index *index = shard->indexes, *next; index; index = next) {
		next = index->next;
		memory_index_clear(index);
		free(index);
	}
	memory_index_clear(&shard->due);
	stream_clear(&shard->inbox);
	for (struct memory_stream *outbox = shard->outboxes, *next; outbox; outbox = next) {
		next = outbox->next;
		stream_clear(outbox);
		free(outbox);
	}
	free(shard);
}

uint64_t memory_shard_own(struct memory_shard *shard, uint64_t instance)
{
	if (shard->owner != 0 && shard->owner != instance)
		return 0;
	shard->owner = instance;
	return ++shard->fence;
}

void memory_shard_release(struct memory_shard *shard, uint64_t fence)
{
	if (shard->fence == fence) {
		shard->owner = 0;
		shard->fence++;
	}
}

size_t memory_shard_accept(struct memory_shard *shard, int64_t now,
			   const struct store_accept *items, size_t count)
{
	size_t fresh = 0;

	for (size_t i = 0; i < count; i++) {
		const struct store_accept *item = &items[i];
		if (item->dedup && memory_table_find(&shard->seen, now, item->dedup))
			continue;
		if (item->dedup)
			memory_table_set(&shard->seen, now, item->dedup, NULL, 0, item->keep_ms);
		stream_add(shard, &shard->inbox, item->body, item->len);
		fresh++;
	}
	return fresh;
}

struct document *memory_shard_load(struct memory_shard *shard, int64_t now, const char *const *keys,
				   size_t count, struct arena *arena)
{
	struct document *documents = arena_alloc(arena, (count + 1) * sizeof *documents);

	for (size_t i = 0; i < count; i++) {
		const struct memory_item *item = memory_table_find(&shard->documents, now, keys[i]);
		documents[i].key = keys[i];
		if (item) {
			documents[i].version = item->version;
			documents[i].body = arena_bytes(arena, item->body, item->len);
			documents[i].len = item->len;
		}
	}
	return documents;
}

const char **memory_shard_range(struct memory_shard *shard, const char *name, double least,
				double most, size_t limit, struct arena *arena, size_t *count_r)
{
	const struct memory_index *index = index_find(shard, name);
	const char **members = NULL;

	*count_r = 0;
	for (size_t i = 0; index && i < index->count && *count_r < limit; i++) {
		if (index->members[i].score < least || index->members[i].score > most)
			continue;
		members = arena_grow(arena, members, *count_r, sizeof *members);
		members[(*count_r)++] = arena_str(arena, index->members[i].member);
	}
	return members;
}

static bool versions_hold(struct memory_shard *shard, int64_t now, const struct commit *commit)
{
	for (size_t i = 0; i < commit->read_count; i++) {
		const struct memory_item *item =
			memory_table_find(&shard->documents, now, commit->reads[i].key);
		if ((item ? item->version : 0) != commit->reads[i].version)
			return false;
	}
	return true;
}

static void commit_write(struct memory_shard *shard, int64_t now,
			 const struct document_write *write, uint64_t version)
{
	if (!write->body)
		memory_table_remove(&shard->documents, now, write->key);
	else
		memory_table_set(&shard->documents, now, write->key, write->body, write->len,
				 write->keep_ms)
			->version = version;
}

static void commit_send(struct memory_shard *shard, struct send *send)
{
	struct memory_entry *entry = stream_add(
		shard, outbox_make(shard, send->channel, send->lane), send->payload, send->len);

	entry->send_id = xstrdup(send->id);
	entry->in_flight = send->in_flight;
	snprintf(send->entry, sizeof send->entry, "%" PRIu64 "-0", entry->id);
}

enum store_result memory_shard_commit(struct memory_shard *shard, int64_t now, uint64_t fence,
				      struct commit *commit)
{
	struct memory_entry **entry = NULL;

	if (shard->fence != fence)
		return STORE_FENCED;
	if (commit->entry && !(entry = stream_find(&shard->inbox, commit->entry)))
		return STORE_GONE;
	if (!versions_hold(shard, now, commit))
		return STORE_CONFLICT;
	if (entry)
		stream_remove(&shard->inbox, entry);
	commit->version = ++shard->version;
	for (size_t i = 0; i < commit->write_count; i++)
		commit_write(shard, now, &commit->writes[i], commit->version);
	for (size_t i = 0; i < commit->index_count; i++) {
		const struct index_write *write = &commit->indexes[i];
		if (write->remove)
			memory_index_remove(index_make(shard, write->index), write->member);
		else
			memory_index_set(index_make(shard, write->index), write->member,
					 write->score);
	}
	for (size_t i = 0; i < commit->send_count; i++)
		commit_send(shard, &commit->sends[i]);
	for (size_t i = 0; i < commit->due_count; i++) {
		if (commit->dues[i].at == 0)
			memory_index_remove(&shard->due, commit->dues[i].name);
		else
			memory_index_set(&shard->due, commit->dues[i].name,
					 (double)commit->dues[i].at);
	}
	return STORE_OK;
}

struct store_outbox_entry *memory_shard_outbox(struct memory_shard *shard, const char *channel,
					       struct arena *arena, size_t *count_r)
{
	struct store_outbox_entry *entries = NULL;

	*count_r = 0;
	for (enum lane lane = 0; lane < LANE_COUNT; lane++) {
		const struct memory_stream *outbox = outbox_find(shard, channel, lane);
		for (const struct memory_entry *entry = outbox ? outbox->first : NULL; entry;
		     entry = entry->next) {
			entries = arena_grow(arena, entries, *count_r, sizeof *entries);
			entries[(*count_r)++] = (struct store_outbox_entry){
				.entry = arena_printf(arena, "%" PRIu64 "-0", entry->id),
				.id = arena_str(arena, entry->send_id),
				.channel = arena_str(arena, channel),
				.lane = lane,
				.payload = arena_bytes(arena, entry->body, entry->len),
				.len = entry->len,
				.in_flight = entry->in_flight,
			};
		}
	}
	return entries;
}

enum store_result memory_shard_handover(struct memory_shard *shard, uint64_t fence,
					const char *channel, enum lane lane, const char *entry)
{
	struct memory_stream *outbox = outbox_find(shard, channel, lane);
	struct memory_entry **at = outbox ? stream_find(outbox, entry) : NULL;

	if (shard->fence != fence)
		return STORE_FENCED;
	if (!at)
		return STORE_GONE;
	(*at)->in_flight = true;
	return STORE_OK;
}

enum store_result memory_shard_settle(struct memory_shard *shard, const char *channel,
				      enum lane lane, const char *entry, const char *body,
				      size_t len)
{
	struct memory_stream *outbox = outbox_find(shard, channel, lane);
	struct memory_entry **at = outbox ? stream_find(outbox, entry) : NULL;

	if (!at)
		return STORE_GONE;
	stream_remove(outbox, at);
	if (body)
		stream_add(shard, &shard->inbox, body, len);
	return STORE_OK;
}

size_t memory_shard_due(struct memory_shard *shard, int64_t now, int64_t *next_at_r)
{
	size_t moved = 0;

	for (; shard->due.count > 0 && moved < DUE_AT_ONCE; moved++) {
		const struct memory_member *first = &shard->due.members[0];
		if (first->score > (double)now)
			break;
		struct memory_entry *entry = stream_add(shard, &shard->inbox, NULL, 0);
		entry->due = xstrdup(first->member);
		entry->due_at = (int64_t)first->score;
		memory_index_remove(&shard->due, entry->due);
	}
	*next_at_r = shard->due.count > 0 ? (int64_t)shard->due.members[0].score : 0;
	return moved;
}

const struct memory_entry *memory_shard_next(const struct memory_shard *shard, uint64_t id)
{
	for (const struct memory_entry *entry = shard->inbox.first; entry; entry = entry->next)
		if (entry->id > id)
			return entry;
	return NULL;
}
