/* The contract's bed in memory. */
#include "tests/store/bed.h"

#include <stdlib.h>

#include "base/arena.h"
#include "state/store_memory.h"

struct bed {
	struct memory *memory;
	int64_t now;
	struct store *snapped;
	int snapped_turns;
};

struct bed *bed_new(void)
{
	struct bed *bed = xalloc(sizeof *bed);

	bed->memory = memory_new();
	bed->now = 1700000000000;
	memory_set_now(bed->memory, bed->now);
	return bed;
}

void bed_free(struct bed *bed)
{
	memory_free(&bed->memory);
	free(bed);
}

const char *bed_name(void)
{
	return "memory";
}

struct store *bed_open(struct bed *bed, const struct store_listener *listener)
{
	return store_memory_new(bed->memory, listener);
}

void bed_turn(struct bed *bed)
{
	memory_turn(bed->memory);
}

void bed_pass(struct bed *bed, int64_t ms)
{
	bed->now += ms;
	memory_set_now(bed->memory, bed->now);
}

void bed_expire(struct bed *bed, int shard)
{
	memory_expire(bed->memory, shard);
}

void bed_cut(struct bed *bed)
{
	memory_set_away(bed->memory, true);
}

void bed_mend(struct bed *bed)
{
	memory_set_away(bed->memory, false);
}

bool bed_turn_random(struct bed *bed, uint64_t *seed)
{
	if (bed->snapped && bed->snapped_turns-- == 0) {
		memory_set_cut(bed->snapped, false);
		bed->snapped = NULL;
	}
	return memory_turn_random(bed->memory, seed) || bed->snapped;
}

void bed_snap(struct bed *bed, struct store *store)
{
	if (bed->snapped)
		memory_set_cut(bed->snapped, false);
	bed->snapped = store;
	bed->snapped_turns = 8;
	if (store)
		memory_set_cut(store, true);
}

int bed_races(void)
{
	return 3000;
}
