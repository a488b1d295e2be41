/* Store calls made as if they were synchronous, and a listener that remembers. */
#include "tests/store/bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"

enum { PATIENCE_US = 20 * 1000 * 1000 };

/* ---- listener ---- */

static void on_event(void *arg, const struct store_event *event)
{
	struct heard *heard = arg;

	assert_true(heard->count < sizeof heard->events / sizeof *heard->events);
	heard->events[heard->count].shard = event->shard;
	heard->events[heard->count].entry = xstrdup(event->entry);
	heard->events[heard->count].body = xmemdup(event->body ? event->body : "", event->len + 1);
	heard->events[heard->count].len = event->len;
	heard->events[heard->count].due = event->due ? xstrdup(event->due) : NULL;
	heard->events[heard->count].due_at = event->due_at;
	heard->count++;
}

static void on_up(void *arg)
{
	((struct heard *)arg)->ups++;
}

static void on_down(void *arg, const char *why)
{
	assert_non_null(why);
	((struct heard *)arg)->downs++;
}

static void on_lost(void *arg, int shard)
{
	((struct heard *)arg)->losts++;
	((struct heard *)arg)->last_lost = shard;
}

struct store_listener heard_listener(struct heard *heard)
{
	return (struct store_listener){
		.arg = heard,
		.event = on_event,
		.up = on_up,
		.down = on_down,
		.lost = on_lost,
	};
}

void heard_free(struct heard *heard)
{
	for (size_t i = 0; i < heard->count; i++) {
		free(heard->events[i].entry);
		free(heard->events[i].body);
		free(heard->events[i].due);
	}
	memset(heard, 0, sizeof *heard);
}

/* ---- waiting ---- */

void bed_until(struct bed *bed, bool (*is)(const void *arg), const void *arg, const char *what)
{
	int64_t end = clock_mono_us() + PATIENCE_US;

	while (!is(arg)) {
		bed_turn(bed);
		if (clock_mono_us() > end)
			fail_msg("waited 20 s for: %s", what);
	}
}

struct wanted {
	const struct heard *heard;
	size_t count;
};

static bool has_events(const void *arg)
{
	const struct wanted *wanted = arg;

	return wanted->heard->count >= wanted->count;
}

void bed_until_events(struct bed *bed, const struct heard *heard, size_t count)
{
	struct wanted wanted = {heard, count};
	char what[64];

	snprintf(what, sizeof what, "%zu events (last seen: %zu)", count, heard->count);
	bed_until(bed, has_events, &wanted, what);
	assert_int_equal(heard->count, count);
}

/* ---- one call ---- */

struct answer {
	int times;
	enum store_result result;
	struct arena *arena;
	size_t count;
	int64_t next_at;
	struct document *documents;
	struct store_outbox_entry *entries;
	char *joined;
};

static bool is_done(const void *arg)
{
	return ((const struct answer *)arg)->times > 0;
}

static enum store_result answer_wait(struct bed *bed, struct answer *answer, const char *what)
{
	assert_int_equal(answer->times, 0); /* never from inside the call */
	bed_until(bed, is_done, answer, what);
	assert_int_equal(answer->times, 1);
	return answer->result;
}

static void on_done(void *arg, enum store_result result)
{
	struct answer *answer = arg;

	answer->times++;
	answer->result = result;
}

static void on_accepted(void *arg, enum store_result result, size_t fresh)
{
	on_done(arg, result);
	((struct answer *)arg)->count = fresh;
}

static void on_loaded(void *arg, enum store_result result, const struct document *documents,
		      size_t count)
{
	struct answer *answer = arg;

	on_done(arg, result);
	answer->count = count;
	answer->documents = arena_alloc(answer->arena, (count + 1) * sizeof *documents);
	for (size_t i = 0; i < count; i++) {
		answer->documents[i] = documents[i];
		answer->documents[i].key = arena_str(answer->arena, documents[i].key);
		if (documents[i].body)
			answer->documents[i].body =
				arena_bytes(answer->arena, documents[i].body, documents[i].len);
	}
}

static void on_ranged(void *arg, enum store_result result, const char *const *members, size_t count)
{
	struct answer *answer = arg;

	on_done(arg, result);
	answer->joined = arena_str(answer->arena, "");
	for (size_t i = 0; i < count; i++)
		answer->joined = arena_printf(answer->arena, "%s%s%s", answer->joined, i ? " " : "",
					      members[i]);
}

static void on_outboxed(void *arg, enum store_result result,
			const struct store_outbox_entry *entries, size_t count)
{
	struct answer *answer = arg;

	on_done(arg, result);
	answer->count = count;
	answer->entries = arena_alloc(answer->arena, (count + 1) * sizeof *entries);
	for (size_t i = 0; i < count; i++) {
		answer->entries[i] = entries[i];
		answer->entries[i].entry = arena_str(answer->arena, entries[i].entry);
		answer->entries[i].id = arena_str(answer->arena, entries[i].id);
		answer->entries[i].channel = arena_str(answer->arena, entries[i].channel);
		answer->entries[i].payload =
			arena_bytes(answer->arena, entries[i].payload, entries[i].len);
	}
}

static void on_due(void *arg, enum store_result result, size_t moved, int64_t next_at)
{
	struct answer *answer = arg;

	on_done(arg, result);
	answer->count = moved;
	answer->next_at = next_at;
}

enum store_result bed_own(struct bed *bed, struct store *store, int shard)
{
	struct answer answer = {0};

	store->methods->own(store, shard, on_done, &answer);
	return answer_wait(bed, &answer, "own");
}

enum store_result bed_release(struct bed *bed, struct store *store, int shard)
{
	struct answer answer = {0};

	store->methods->release(store, shard, on_done, &answer);
	return answer_wait(bed, &answer, "release");
}

enum store_result bed_accept(struct bed *bed, struct store *store, int shard,
			     const struct store_accept *items, size_t count, size_t *fresh_r)
{
	struct answer answer = {0};

	store->methods->accept(store, shard, items, count, on_accepted, &answer);
	answer_wait(bed, &answer, "accept");
	*fresh_r = answer.count;
	return answer.result;
}

void bed_event(struct bed *bed, struct store *store, int shard, const char *body)
{
	struct store_accept item = {.body = body, .len = strlen(body)};
	size_t fresh;

	assert_int_equal(bed_accept(bed, store, shard, &item, 1, &fresh), STORE_OK);
	assert_int_equal(fresh, 1);
}

enum store_result bed_load(struct bed *bed, struct store *store, int shard, const char *const *keys,
			   size_t count, struct arena *arena, struct document **documents_r)
{
	struct answer answer = {.arena = arena};

	store->methods->load(store, shard, keys, count, on_loaded, &answer);
	answer_wait(bed, &answer, "load");
	*documents_r = answer.documents;
	if (answer.result == STORE_OK)
		assert_int_equal(answer.count, count);
	return answer.result;
}

const char *bed_range(struct bed *bed, struct store *store, int shard, const char *index,
		      double least, double most, size_t limit, struct arena *arena)
{
	struct answer answer = {.arena = arena};

	store->methods->range(store, shard, index, least, most, limit, on_ranged, &answer);
	assert_int_equal(answer_wait(bed, &answer, "range"), STORE_OK);
	return answer.joined;
}

enum store_result bed_commit(struct bed *bed, struct store *store, int shard, struct commit *commit)
{
	struct answer answer = {0};

	store->methods->commit(store, shard, commit, on_done, &answer);
	return answer_wait(bed, &answer, "commit");
}

size_t bed_outbox(struct bed *bed, struct store *store, int shard, const char *channel,
		  struct arena *arena, struct store_outbox_entry **entries_r)
{
	struct answer answer;

	do {
		answer = (struct answer){.arena = arena};
		store->methods->outbox(store, shard, channel, on_outboxed, &answer);
	} while (answer_wait(bed, &answer, "outbox") == STORE_AWAY); /* connecting again */
	assert_true(answer.result == STORE_OK || answer.result == STORE_DAMAGED);
	*entries_r = answer.entries;
	return answer.count;
}

enum store_result bed_handover(struct bed *bed, struct store *store, int shard, const char *channel,
			       enum lane lane, const char *entry)
{
	struct answer answer = {0};

	store->methods->handover(store, shard, channel, lane, entry, on_done, &answer);
	return answer_wait(bed, &answer, "handover");
}

enum store_result bed_settle(struct bed *bed, struct store *store, int shard, const char *channel,
			     enum lane lane, const char *entry, const char *body)
{
	struct answer answer = {0};

	store->methods->settle(store, shard, channel, lane, entry, body, body ? strlen(body) : 0,
			       on_done, &answer);
	return answer_wait(bed, &answer, "settle");
}

size_t bed_due(struct bed *bed, struct store *store, int shard, int64_t now, int64_t *next_at_r)
{
	struct answer answer = {0};

	store->methods->due(store, shard, now, on_due, &answer);
	assert_int_equal(answer_wait(bed, &answer, "due"), STORE_OK);
	*next_at_r = answer.next_at;
	return answer.count;
}
