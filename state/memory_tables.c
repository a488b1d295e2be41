/* The containers of the store in memory: hash tables whose items expire, and sorted sets. */
#include "state/memory_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

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

struct memory_item *memory_table_find(struct memory_table *table, int64_t now, const char *key)
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

struct memory_item *memory_table_set(struct memory_table *table, int64_t now, const char *key,
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

void memory_table_remove(struct memory_table *table, int64_t now, const char *key)
{
	struct memory_item **at = table->size ? table_at(table, now, key) : NULL;

	if (at && *at) {
		struct memory_item *old = *at;
		*at = old->next;
		item_free(old);
		table->count--;
	}
}

void memory_table_free(struct memory_table *table)
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

void memory_index_remove(struct memory_index *index, const char *member)
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

void memory_index_set(struct memory_index *index, const char *member, double score)
{
	size_t low = 0, high;

	memory_index_remove(index, member);
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

void memory_index_clear(struct memory_index *index)
{
	for (size_t i = 0; i < index->count; i++)
		free(index->members[i].member);
	free(index->members);
	free(index->name);
}
