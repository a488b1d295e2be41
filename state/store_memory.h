/* state/store_memory.h - a store in this process, for talks, rehearsals and tests.
 *
 * Nothing completes until store_memory_turn(): it runs everything that is
 * ready, in order, or (with a seed) one ready completion chosen at random, so
 * that a test can interleave many simulated instances at every await point.
 * Several handles may share one memory: each is an "instance". Nothing is
 * sealed here; it never leaves the process. Leases do not run out by the
 * virtual clock (it may jump by days) but when memory_expire() says so, or when
 * the handle is freed.
 */
#ifndef STATE_STORE_MEMORY_H
#define STATE_STORE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "state/store.h"

struct memory;

struct memory *memory_new(void);
void memory_free(struct memory **memory);
/* An instance's handle on it. */
struct store *store_memory_new(struct memory *memory, const struct store_listener *listener);
/* Runs what is ready; true if anything was. */
bool memory_turn(struct memory *memory);
/* One step of some instance: carries one call out, or tells one result, or delivers one event. */
bool memory_turn_random(struct memory *memory, uint64_t *seed);
/* The virtual clock: dedup and document expiry are judged by it. */
void memory_set_now(struct memory *memory, int64_t now);
/* While away, every call ends as STORE_AWAY. */
void memory_set_away(struct memory *memory, bool away);
/* Like memory_set_away for one instance only: its connection. */
void memory_set_cut(struct store *store, bool cut);
/* The shard's lease runs out: whoever calls own() next takes it; the owner does not notice yet. */
void memory_expire(struct memory *memory, int shard);
/* Walks all documents, for invariant checks in tests. */
void memory_each(struct memory *memory, void (*each)(void *arg, int shard, const struct document *),
		 void *arg);
/* Earliest due time over all shards, 0 if none. */
int64_t memory_next_due(const struct memory *memory);

#endif
