/* state/memory_calls.h - instances and calls of the store in memory; private to state/.
 *
 * memory_calls.c knows what a call asks and tells; store_memory.c whose turn it is.
 */
#ifndef STATE_MEMORY_CALLS_H
#define STATE_MEMORY_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/memory_shard.h"
#include "state/store_memory.h"

struct arena;

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

extern const struct store_methods memory_methods;

struct memory_shard *memory_shard_get(struct memory *memory, int number);
bool memory_connected(const struct handle *handle);
/* Forgets the ownership and tells the listener. */
void memory_owned_lost(struct handle *handle, int shard);
/* Carries a call out, or finds its instance cut off. */
void memory_call_run(struct call *call);
/* Tells its `done`, and frees it. */
void memory_call_tell(struct call *call);
void memory_store_free(struct store *store);

#endif
