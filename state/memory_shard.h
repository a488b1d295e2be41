/* state/memory_shard.h - one shard of the store in memory; private to state/.
 *
 * Each function is one atomic step, as each Lua script is in Redis. Results
 * that are handed out are copies in the given arena, or borrowed where said.
 */
#ifndef STATE_MEMORY_SHARD_H
#define STATE_MEMORY_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/memory_tables.h"
#include "state/store.h"

struct arena;

struct memory_entry {
	struct memory_entry *next;
	uint64_t id;
	char *send_id, *body, *due;
	size_t len;
	int64_t due_at;
	bool in_flight;
};

/* A stream: the inbox, or the outbox of a channel and lane. */
struct memory_stream {
	struct memory_stream *next;
	char *channel;
	enum lane lane;
	struct memory_entry *first, **end;
};

struct memory_shard {
	struct memory_shard *next;
	int number;
	uint64_t last_id, version, fence;
	uint64_t owner; /* instance, 0: nobody's lease holds */
	struct memory_table documents, seen;
	struct memory_index *indexes, due;
	struct memory_stream inbox, *outboxes;
};

struct memory_shard *memory_shard_new(int number);
void memory_shard_free(struct memory_shard *shard);

/* The fence of the new ownership, or 0. */
uint64_t memory_shard_own(struct memory_shard *shard, uint64_t instance);
void memory_shard_release(struct memory_shard *shard, uint64_t fence);

size_t memory_shard_accept(struct memory_shard *shard, int64_t now, const struct store_accept *items,
			   size_t count);
struct document *memory_shard_load(struct memory_shard *shard, int64_t now, const char *const *keys,
				   size_t count, struct arena *arena);
const char **memory_shard_range(struct memory_shard *shard, const char *index, double least,
				double most, size_t limit, struct arena *arena, size_t *count_r);
enum store_result memory_shard_commit(struct memory_shard *shard, int64_t now, uint64_t fence,
				      struct commit *commit);
struct store_outbox_entry *memory_shard_outbox(struct memory_shard *shard, const char *channel,
					       struct arena *arena, size_t *count_r);
enum store_result memory_shard_handover(struct memory_shard *shard, uint64_t fence,
					const char *channel, enum lane lane, const char *entry);
enum store_result memory_shard_settle(struct memory_shard *shard, const char *channel,
				      enum lane lane, const char *entry, const char *body,
				      size_t len);
size_t memory_shard_due(struct memory_shard *shard, int64_t now, int64_t *next_at_r);
/* The oldest inbox entry after `id`, borrowed until the shard's next step, or NULL. */
const struct memory_entry *memory_shard_next(const struct memory_shard *shard, uint64_t id);

#endif
