/* state/memory_tables.h - containers of the store in memory; private to state/.
 *
 * A table holds items by key until they expire; an index is a sorted set. Both
 * own what they hold. A zeroed one is empty.
 */
#ifndef STATE_MEMORY_TABLES_H
#define STATE_MEMORY_TABLES_H

#include <stddef.h>
#include <stdint.h>

struct memory_item {
	struct memory_item *next;
	char *key, *body;
	size_t len;
	uint64_t version;
	int64_t expires_at; /* 0: never */
};

struct memory_table {
	struct memory_item **buckets;
	size_t size, count;
};

struct memory_member {
	double score;
	char *member;
};

struct memory_index {
	struct memory_index *next;
	char *name;
	struct memory_member *members; /* by score, then by member */
	size_t count, cap;
};

/* NULL if it is not there or has expired; good until the table's next change. */
struct memory_item *memory_table_find(struct memory_table *table, int64_t now, const char *key);
/* Copies the body; keep_ms 0: for ever. */
struct memory_item *memory_table_set(struct memory_table *table, int64_t now, const char *key,
				     const char *body, size_t len, int64_t keep_ms);
void memory_table_remove(struct memory_table *table, int64_t now, const char *key);
void memory_table_free(struct memory_table *table);

void memory_index_set(struct memory_index *index, const char *member, double score);
void memory_index_remove(struct memory_index *index, const char *member);
/* Frees what it holds, and its name. */
void memory_index_clear(struct memory_index *index);

#endif
