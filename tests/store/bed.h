/* tests/store/bed.h - what the contract test runs a store on: the memory, or a real Redis.
 *
 * The bed_… calls issue one store call and drive the bed until its `done` came.
 */
#ifndef TESTS_STORE_BED_H
#define TESTS_STORE_BED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/store.h"

struct arena;
struct bed;

/* What a listener of the tests has heard, oldest first. */
struct heard {
	struct {
		int shard;
		char *entry, *body, *due;
		size_t len;
		int64_t due_at;
	} events[4096];
	size_t count;
	int ups, downs, losts, last_lost;
};

/* ---- each bed provides these ---- */

struct bed *bed_new(void);
void bed_free(struct bed *bed);
const char *bed_name(void);
/* Another instance. */
struct store *bed_open(struct bed *bed, const struct store_listener *listener);
void bed_turn(struct bed *bed);
/* Dedup and document expiry see that this much time has gone. */
void bed_pass(struct bed *bed, int64_t ms);
/* The lease of a shard runs out. */
void bed_expire(struct bed *bed, int shard);
/* The connections of all instances are cut; they come back by themselves or by bed_mend(). */
void bed_cut(struct bed *bed);
void bed_mend(struct bed *bed);

/* One step of something, chosen by the seed where the bed can choose. */
bool bed_turn_random(struct bed *bed, uint64_t *seed);
/* Cuts the connections for a moment: of this instance, or where the bed cannot tell, of all. */
void bed_snap(struct bed *bed, struct store *store);
/* How many interleavings are worth the time here. */
int bed_races(void);

/* ---- bed.c ---- */

struct store_listener heard_listener(struct heard *heard);
void heard_free(struct heard *heard);
/* Turns until *flag; fails the test after 20 s. */
void bed_until(struct bed *bed, bool (*is)(const void *arg), const void *arg, const char *what);
void bed_until_events(struct bed *bed, const struct heard *heard, size_t count);

enum store_result bed_own(struct bed *bed, struct store *store, int shard);
enum store_result bed_release(struct bed *bed, struct store *store, int shard);
enum store_result bed_accept(struct bed *bed, struct store *store, int shard,
			     const struct store_accept *items, size_t count, size_t *fresh_r);
/* One event without dedup. */
void bed_event(struct bed *bed, struct store *store, int shard, const char *body);
enum store_result bed_load(struct bed *bed, struct store *store, int shard, const char *const *keys,
			   size_t count, struct arena *arena, struct document **documents_r);
/* The members joined by spaces. */
const char *bed_range(struct bed *bed, struct store *store, int shard, const char *index,
		      double least, double most, size_t limit, struct arena *arena);
enum store_result bed_commit(struct bed *bed, struct store *store, int shard,
			     struct commit *commit);
size_t bed_outbox(struct bed *bed, struct store *store, int shard, const char *channel,
		  struct arena *arena, struct store_outbox_entry **entries_r);
enum store_result bed_handover(struct bed *bed, struct store *store, int shard, const char *channel,
			       enum lane lane, const char *entry);
enum store_result bed_settle(struct bed *bed, struct store *store, int shard, const char *channel,
			     enum lane lane, const char *entry, const char *body);
size_t bed_due(struct bed *bed, struct store *store, int shard, int64_t now, int64_t *next_at_r);

#endif
