/* What one shard of the store in memory holds, and the atomic steps on it. */
#include "state/memory_shard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { DUE_AT_ONCE = 1000 };

/* ---- tables: documents, seen ---- */

static size_t hash(const char *key)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return (size_t)h;
}

static void item_free(struct memory_item *item)
{
	free(item->key);
	free(item->body);
	free(item);
}

/* Where the item is hung, or where a new one goes; what has expired on the way is let go. */
static struct memory_item **table_at(struct memory_table *table, int64_t now, const char *key)
{
	struct memory_item **at = &table->buckets[hash(key) % table->size];

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	if (*at && (*at)->expires_at != 0 && (*at)->expires_at <= now) {
		struct memory_item *old = *at;
		*at = old->next;
		item_free(old);
		table->count--;
		while (*at)
			at = &(*at)->next;
	}
	return at;
}

static struct memory_item *table_find(struct memory_table *table, int64_t now, const char *key)
{
	return table->size ? *table_at(table, now, key) : NULL;
}

static void table_grow(struct memory_table *table)
{
	struct memory_table old = *table;

	table->size = old.size ? old.size * 2 : 64;
	table->buckets = xalloc(table->size * sizeof *table->buckets);
	for (size_t i = 0; i < old.size; i++) {
		for (struct memory_item *item = old.buckets[i], *next; item; item = next) {
			struct memory_item **bucket =
				&table->buckets[hash(item->key) % table->size];
			next = item->next;
			item->next = *bucket;
			*bucket = item;
		}
	}
	free(old.buckets);
}

static struct memory_item *table_set(struct memory_table *table, int64_t now, const char *key,
				     const char *body, size_t len, int64_t keep_ms)
{
	if (table->count >= table->size)
		table_grow(table);
	struct memory_item **at = table_at(table, now, key), *item = *at;
	if (!item) {
		item = *at = xalloc(sizeof *item);
		item->key = xstrdup(key);
		table->count++;
	}
	free(item->body);
	item->body = body ? xmemdup(body, len) : NULL;
	item->len = len;
	item->expires_at = keep_ms > 0 ? now + keep_ms : 0;
	return item;
}

static void table_remove(struct memory_table *table, int64_t now, const char *key)
{
	struct memory_item **at = table->size ? table_at(table, now, key) : NULL;

	if (at && *at) {
		struct memory_item *old = *at;
		*at = old->next;
		item_free(old);
		table->count--;
	}
}

static void table_free(struct memory_table *table)
{
	for (size_t i = 0; i < table->size; i++) {
		for (struct memory_item *item = table->buckets[i], *next; item; item = next) {
			next = item->next;
			item_free(item);
		}
	}
	free(table->buckets);
}

/* ---- sorted sets: indexes, due ---- */

static void index_remove(struct memory_index *index, const char *member)
{
	for (size_t i = 0; i < index->count; i++) {
		if (strcmp(index->members[i].member, member) == 0) {
			free(index->members[i].member);
			index->count--;
			memmove(&index->members[i], &index->members[i + 1],
				(index->count - i) * sizeof *index->members);
			return;
		}
	}
}

static void index_set(struct memory_index *index, const char *member, double score)
{
	size_t low = 0, high;

	index_remove(index, member);
	if (index->count == index->cap) {
		index->cap = index->cap ? index->cap * 2 : 8;
		index->members = xrealloc(index->members, index->cap * sizeof *index->members);
	}
	for (high = index->count; low < high;) {
		size_t middle = low + (high - low) / 2;
		const struct memory_member *at = &index->members[middle];
		if (at->score < score || (at->score <= score && strcmp(at->member, member) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	memmove(&index->members[low + 1], &index->members[low],
		(index->count - low) * sizeof *index->members);
	index->members[low] = (struct memory_member){.score = score, .member = xstrdup(member)};
	index->count++;
}

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

static void index_clear(struct memory_index *index)
{
	for (size_t i = 0; i < index->count; i++)
		free(index->members[i].member);
	free(index->members);
	free(index->name);
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
	table_free(&shard->documents);
	table_free(&shard->seen);
	for (struct memory_index *index = shard->indexes, *next; index; index = next) {
		next = index->next;
		index_clear(index);
		free(index);
	}
	index_clear(&shard->due);
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
		if (item->dedup && table_find(&shard->seen, now, item->dedup))
			continue;
		if (item->dedup)
			table_set(&shard->seen, now, item->dedup, NULL, 0, item->keep_ms);
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
		const struct memory_item *item = table_find(&shard->documents, now, keys[i]);
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
			table_find(&shard->documents, now, commit->reads[i].key);
		if ((item ? item->version : 0) != commit->reads[i].version)
			return false;
	}
	return true;
}

static void commit_write(struct memory_shard *shard, int64_t now,
			 const struct document_write *write, uint64_t version)
{
	if (!write->body)
		table_remove(&shard->documents, now, write->key);
	else
		table_set(&shard->documents, now, write->key, write->body, write->len,
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
			index_remove(index_make(shard, write->index), write->member);
		else
			index_set(index_make(shard, write->index), write->member, write->score);
	}
	for (size_t i = 0; i < commit->send_count; i++)
		commit_send(shard, &commit->sends[i]);
	for (size_t i = 0; i < commit->due_count; i++) {
		if (commit->dues[i].at == 0)
			index_remove(&shard->due, commit->dues[i].name);
		else
			index_set(&shard->due, commit->dues[i].name, (double)commit->dues[i].at);
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
		index_remove(&shard->due, entry->due);
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
