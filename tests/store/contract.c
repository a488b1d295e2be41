/* What every store promises (state/store.h), run on whichever bed is linked in. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "tests/store/bed.h"

enum { A = 3, B = 7 }; /* shards */

struct scene {
	struct bed *bed;
	struct arena *arena;
	struct heard one_heard, two_heard;
	struct store *one, *two;
};

static bool is_up(const void *arg)
{
	return ((const struct heard *)arg)->ups > 0;
}

static int set_up(void **state)
{
	struct scene *scene = xalloc(sizeof *scene);

	scene->bed = bed_new();
	scene->arena = arena_new();
	struct store_listener listener = heard_listener(&scene->one_heard);
	scene->one = bed_open(scene->bed, &listener);
	listener = heard_listener(&scene->two_heard);
	scene->two = bed_open(scene->bed, &listener);
	bed_until(scene->bed, is_up, &scene->one_heard, "up");
	bed_until(scene->bed, is_up, &scene->two_heard, "up");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	scene->one->methods->free(scene->one);
	scene->two->methods->free(scene->two);
	bed_free(scene->bed);
	heard_free(&scene->one_heard);
	heard_free(&scene->two_heard);
	arena_free(&scene->arena);
	free(scene);
	return 0;
}

/* ---- short forms ---- */

static struct document load_one(struct scene *scene, const char *key)
{
	struct document *documents;

	assert_int_equal(bed_load(scene->bed, scene->two, A, &key, 1, scene->arena, &documents),
			 STORE_OK);
	assert_string_equal(documents[0].key, key);
	return documents[0];
}

/* Writes one document that was read at `version`. */
static enum store_result write_one(struct scene *scene, struct store *store, const char *entry,
				   const char *key, uint64_t version, const char *body)
{
	struct document_read read = {.key = key, .version = version};
	struct document_write write = {.key = key, .body = body, .len = body ? strlen(body) : 0};
	struct commit commit = {.entry = entry,
				.reads = &read,
				.read_count = 1,
				.writes = &write,
				.write_count = 1};

	return bed_commit(scene->bed, store, A, &commit);
}

static void own_a(struct scene *scene)
{
	assert_int_equal(bed_own(scene->bed, scene->one, A), STORE_OK);
}

/* Somebody takes the shard from whoever owns it; a renewal may come in between. */
static void take_a(struct scene *scene, struct store *store)
{
	enum store_result result;

	do {
		bed_expire(scene->bed, A);
		result = bed_own(scene->bed, store, A);
		assert_true(result == STORE_OK || result == STORE_FENCED);
	} while (result != STORE_OK);
}

/* ---- inbox ---- */

static void accepted_events_reach_the_owner_in_order(void **state)
{
	struct scene *scene = *state;

	bed_event(scene->bed, scene->two, A, "before anybody owned it");
	own_a(scene);
	bed_until_events(scene->bed, &scene->one_heard, 1);
	bed_event(scene->bed, scene->two, A, "from the other instance");
	bed_event(scene->bed, scene->one, A, "from itself");
	bed_event(scene->bed, scene->one, B, "of a shard nobody owns");
	bed_event(scene->bed, scene->one, A, "last");
	bed_until_events(scene->bed, &scene->one_heard, 4);
	assert_string_equal(scene->one_heard.events[0].body, "before anybody owned it");
	assert_string_equal(scene->one_heard.events[1].body, "from the other instance");
	assert_string_equal(scene->one_heard.events[2].body, "from itself");
	assert_string_equal(scene->one_heard.events[3].body, "last");
	assert_int_equal(scene->one_heard.events[3].shard, A);
	assert_null(scene->one_heard.events[3].due);
	assert_int_equal(scene->two_heard.count, 0);
}

static void repeats_are_dropped_while_remembered(void **state)
{
	struct scene *scene = *state;
	struct store_accept items[] = {
		{.dedup = "telegram-demo/100", .keep_ms = 300, .body = "one", .len = 3},
		{.dedup = "telegram-demo/101", .keep_ms = 300, .body = "two", .len = 3},
		{.dedup = "telegram-demo/100", .keep_ms = 300, .body = "one again", .len = 9},
		{.body = "never a repeat", .len = 14},
		{.body = "never a repeat", .len = 14},
	};
	size_t fresh;

	own_a(scene);
	assert_int_equal(bed_accept(scene->bed, scene->one, A, items, 5, &fresh), STORE_OK);
	assert_int_equal(fresh, 4);
	assert_int_equal(bed_accept(scene->bed, scene->two, A, items, 3, &fresh), STORE_OK);
	assert_int_equal(fresh, 0);
	/* Another shard remembers for itself. */
	assert_int_equal(bed_accept(scene->bed, scene->two, B, items, 2, &fresh), STORE_OK);
	assert_int_equal(fresh, 2);
	bed_pass(scene->bed, 350);
	assert_int_equal(bed_accept(scene->bed, scene->two, A, items, 1, &fresh), STORE_OK);
	assert_int_equal(fresh, 1);
	bed_until_events(scene->bed, &scene->one_heard, 5);
}

static void bodies_may_hold_any_bytes(void **state)
{
	struct scene *scene = *state;
	size_t len = 100 * 1024;
	char *body = arena_alloc(scene->arena, len);

	for (size_t i = 0; i < len; i++)
		body[i] = (char)(i * 7);
	struct store_accept items[] = {{.body = body, .len = len}, {.body = "", .len = 0}};
	struct document_write writes[] = {{.key = "blob/1", .body = body, .len = len},
					  {.key = "blob/empty", .body = "", .len = 0}};
	struct commit commit = {.writes = writes, .write_count = 2};
	size_t fresh;

	own_a(scene);
	assert_int_equal(bed_accept(scene->bed, scene->one, A, items, 2, &fresh), STORE_OK);
	bed_until_events(scene->bed, &scene->one_heard, 2);
	assert_int_equal(scene->one_heard.events[0].len, len);
	assert_memory_equal(scene->one_heard.events[0].body, body, len);
	assert_int_equal(scene->one_heard.events[1].len, 0);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
	struct document document = load_one(scene, "blob/1");
	assert_int_equal(document.len, len);
	assert_memory_equal(document.body, body, len);
	document = load_one(scene, "blob/empty");
	assert_int_equal(document.len, 0);
	assert_true(document.version != 0);
	assert_non_null(document.body);
}

/* ---- ownership ---- */

static void one_instance_owns_a_shard(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	own_a(scene); /* again: nothing changes */
	assert_int_equal(bed_own(scene->bed, scene->two, A), STORE_FENCED);
	assert_int_equal(bed_own(scene->bed, scene->two, B), STORE_OK);
	assert_int_equal(bed_release(scene->bed, scene->one, A), STORE_OK);
	assert_int_equal(bed_own(scene->bed, scene->two, A), STORE_OK);
	assert_int_equal(scene->one_heard.losts + scene->two_heard.losts, 0);
	assert_int_equal(write_one(scene, scene->one, NULL, "task/1", 0, "x"), STORE_FENCED);
	/* Releasing what is somebody else's does nothing to it. */
	assert_int_equal(bed_release(scene->bed, scene->one, A), STORE_OK);
	assert_int_equal(write_one(scene, scene->two, NULL, "task/1", 0, "x"), STORE_OK);
}

static void a_taken_shard_is_lost_and_redelivered(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	bed_event(scene->bed, scene->one, A, "answered");
	bed_event(scene->bed, scene->one, A, "not answered");
	bed_event(scene->bed, scene->one, A, "not answered either");
	bed_until_events(scene->bed, &scene->one_heard, 3);
	assert_int_equal(
		write_one(scene, scene->one, scene->one_heard.events[0].entry, "task/1", 0, "x"),
		STORE_OK);
	take_a(scene, scene->two);
	bed_until_events(scene->bed, &scene->two_heard, 2);
	assert_string_equal(scene->two_heard.events[0].body, "not answered");
	assert_string_equal(scene->two_heard.events[1].body, "not answered either");
	assert_string_equal(scene->two_heard.events[0].entry, scene->one_heard.events[1].entry);
	/* The old owner finds out: by itself or by this. */
	assert_int_equal(
		write_one(scene, scene->one, scene->one_heard.events[1].entry, "task/2", 0, "x"),
		STORE_FENCED);
	assert_int_equal(scene->one_heard.losts, 1);
	assert_int_equal(scene->one_heard.last_lost, A);
	assert_int_equal(load_one(scene, "task/2").version, 0);
	assert_int_equal(
		write_one(scene, scene->two, scene->two_heard.events[0].entry, "task/2", 0, "y"),
		STORE_OK);
	/* It can get it back, and is told of what is left only. */
	take_a(scene, scene->one);
	bed_until_events(scene->bed, &scene->one_heard, 4);
	assert_string_equal(scene->one_heard.events[3].body, "not answered either");
	assert_int_equal(scene->one_heard.losts, 1);
}

static bool has_lost(const void *arg)
{
	return ((const struct heard *)arg)->losts > 0;
}

static void a_loss_is_noticed_without_a_call(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	take_a(scene, scene->two);
	bed_until(scene->bed, has_lost, &scene->one_heard, "lost");
	assert_int_equal(scene->two_heard.losts, 0);
}

static void a_lease_that_nobody_wanted_goes_on(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	bed_expire(scene->bed, A);
	assert_int_equal(write_one(scene, scene->one, NULL, "task/1", 0, "x"), STORE_OK);
	assert_int_equal(scene->one_heard.losts, 0);
}

static void released_events_come_again_to_the_next_owner(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	bed_event(scene->bed, scene->one, A, "left over");
	bed_until_events(scene->bed, &scene->one_heard, 1);
	assert_int_equal(bed_release(scene->bed, scene->one, A), STORE_OK);
	own_a(scene);
	bed_until_events(scene->bed, &scene->one_heard, 2);
	assert_string_equal(scene->one_heard.events[1].body, "left over");
}

/* ---- commit ---- */

static void a_commit_does_everything_once(void **state)
{
	struct scene *scene = *state;
	struct document_read reads[] = {{.key = "task/1"}, {.key = "person/a"}};
	struct document_write writes[] = {{.key = "task/1", .body = "open", .len = 4},
					  {.key = "person/a", .body = "asked", .len = 5}};
	struct index_write indexes[] = {{.index = "tasks/open", .member = "1", .score = 5}};
	struct send sends[] = {
		{.id = "s1", .channel = "sms", .lane = LANE_BULK, .payload = "hello", .len = 5}};
	struct due_write dues[] = {{.name = "lease/1", .at = 1000}};
	struct commit commit = {.reads = reads,
				.read_count = 2,
				.writes = writes,
				.write_count = 2,
				.indexes = indexes,
				.index_count = 1,
				.sends = sends,
				.send_count = 1,
				.dues = dues,
				.due_count = 1};
	struct store_outbox_entry *entries;
	int64_t next_at;

	own_a(scene);
	bed_event(scene->bed, scene->one, A, "help");
	bed_until_events(scene->bed, &scene->one_heard, 1);
	commit.entry = scene->one_heard.events[0].entry;
	for (int again = 0; again < 2; again++) {
		enum store_result result = bed_commit(scene->bed, scene->one, A, &commit);
		assert_int_equal(result, again ? STORE_GONE : STORE_OK);
		struct document task = load_one(scene, "task/1");
		assert_int_equal(task.version, commit.version);
		assert_int_equal(load_one(scene, "person/a").version, commit.version);
		assert_string_equal(task.body, "open");
		assert_string_equal(
			bed_range(scene->bed, scene->one, A, "tasks/open", 0, 9, 9, scene->arena),
			"1");
		assert_int_equal(
			bed_outbox(scene->bed, scene->one, A, "sms", scene->arena, &entries), 1);
		assert_string_equal(entries[0].entry, sends[0].entry);
	}
	assert_int_equal(bed_due(scene->bed, scene->one, A, 999, &next_at), 0);
	assert_int_equal(next_at, 1000);
}

static void a_refused_commit_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct document_write writes[] = {{.key = "task/1", .body = "new", .len = 3},
					  {.key = "task/2", .body = "new", .len = 3}};
	struct document_read reads[] = {{.key = "task/2", .version = 0},
					{.key = "task/1", .version = 999}};
	struct index_write indexes[] = {{.index = "i", .member = "new", .score = 1},
					{.index = "i", .member = "old", .remove = true}};
	struct send sends[] = {{.id = "s", .channel = "sms", .payload = "new", .len = 3}};
	struct due_write dues[] = {{.name = "new", .at = 1}, {.name = "old", .at = 0}};
	struct index_write old_index = {.index = "i", .member = "old", .score = 1};
	struct due_write old_due = {.name = "old", .at = 70};
	struct document_write old_write = {.key = "task/1", .body = "old", .len = 3};
	struct commit before = {.writes = &old_write,
				.write_count = 1,
				.indexes = &old_index,
				.index_count = 1,
				.dues = &old_due,
				.due_count = 1};
	struct commit commit = {.reads = reads,
				.read_count = 2,
				.writes = writes,
				.write_count = 2,
				.indexes = indexes,
				.index_count = 2,
				.sends = sends,
				.send_count = 1,
				.dues = dues,
				.due_count = 2};
	struct store_outbox_entry *entries;
	int64_t next_at;

	own_a(scene);
	bed_event(scene->bed, scene->one, A, "event");
	bed_until_events(scene->bed, &scene->one_heard, 1);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &before), STORE_OK);
	for (int round = 0; round < 3; round++) {
		enum store_result expected[] = {STORE_CONFLICT, STORE_GONE, STORE_FENCED};
		commit.entry = round == 1 ? "0-1" : scene->one_heard.events[0].entry;
		struct store *store = round == 2 ? scene->two : scene->one;
		assert_int_equal(bed_commit(scene->bed, store, A, &commit), expected[round]);
		assert_string_equal(load_one(scene, "task/1").body, "old");
		assert_int_equal(load_one(scene, "task/2").version, 0);
		assert_string_equal(
			bed_range(scene->bed, scene->one, A, "i", 0, 9, 9, scene->arena), "old");
		assert_int_equal(
			bed_outbox(scene->bed, scene->one, A, "sms", scene->arena, &entries), 0);
		assert_int_equal(bed_due(scene->bed, scene->one, A, 5, &next_at), 0);
		assert_int_equal(next_at, 70);
	}
	/* The entry is still there. */
	commit.entry = scene->one_heard.events[0].entry;
	reads[1].version = before.version;
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
}

static void an_empty_commit_answers_an_event(void **state)
{
	struct scene *scene = *state;
	struct commit commit = {0};

	own_a(scene);
	bed_event(scene->bed, scene->one, A, "nothing to do");
	bed_until_events(scene->bed, &scene->one_heard, 1);
	commit.entry = scene->one_heard.events[0].entry;
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_GONE);
}

static void versions_never_come_back(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	assert_int_equal(write_one(scene, scene->one, NULL, "task/1", 0, "first"), STORE_OK);
	uint64_t first = load_one(scene, "task/1").version;
	assert_int_equal(write_one(scene, scene->one, NULL, "task/1", 0, "again"), STORE_CONFLICT);
	assert_int_equal(write_one(scene, scene->one, NULL, "task/1", first, NULL), STORE_OK);
	assert_int_equal(load_one(scene, "task/1").version, 0);
	assert_null(load_one(scene, "task/1").body);
	assert_int_equal(write_one(scene, scene->one, NULL, "task/1", 0, "second life"), STORE_OK);
	assert_int_equal(write_one(scene, scene->one, NULL, "task/1", first, "stale"),
			 STORE_CONFLICT);
	assert_string_equal(load_one(scene, "task/1").body, "second life");
}

static void documents_expire(void **state)
{
	struct scene *scene = *state;
	struct document_write writes[] = {{.key = "draft/1", .body = "x", .len = 1, .keep_ms = 300},
					  {.key = "draft/2", .body = "x", .len = 1, .keep_ms = 300},
					  {.key = "draft/3", .body = "x", .len = 1}};
	struct commit commit = {.writes = writes, .write_count = 3};

	own_a(scene);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
	/* Written again without a term: stays. */
	assert_int_equal(write_one(scene, scene->one, NULL, "draft/2", commit.version, "y"),
			 STORE_OK);
	bed_pass(scene->bed, 350);
	assert_int_equal(load_one(scene, "draft/1").version, 0);
	assert_string_equal(load_one(scene, "draft/2").body, "y");
	assert_string_equal(load_one(scene, "draft/3").body, "x");
}

static void indexes_are_sorted(void **state)
{
	struct scene *scene = *state;
	struct index_write indexes[] = {
		{.index = "v/east", .member = "c", .score = 2.5},
		{.index = "v/east", .member = "a", .score = 1700000000123.0},
		{.index = "v/east", .member = "b2", .score = -1},
		{.index = "v/east", .member = "b1", .score = -1},
		{.index = "v/west", .member = "z", .score = 0},
		{.index = "v/east", .member = "c", .score = 3}, /* moved */
		{.index = "v/west", .member = "z", .remove = true},
		{.index = "v/north", .member = "never there", .remove = true},
	};
	struct commit commit = {.indexes = indexes, .index_count = 8};

	own_a(scene);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
#define RANGE(index, least, most, limit)                                                           \
	bed_range(scene->bed, scene->one, A, index, least, most, limit, scene->arena)
	assert_string_equal(RANGE("v/east", -INFINITY, INFINITY, 10), "b1 b2 c a");
	assert_string_equal(RANGE("v/east", -INFINITY, INFINITY, 3), "b1 b2 c");
	assert_string_equal(RANGE("v/east", 3, 3, 10), "c");
	assert_string_equal(RANGE("v/east", 1700000000123.0, 1700000000123.0, 10), "a");
	assert_string_equal(RANGE("v/east", 4, 1700000000122.0, 10), "");
	assert_string_equal(RANGE("v/west", -INFINITY, INFINITY, 10), "");
	assert_string_equal(RANGE("v/none", -INFINITY, INFINITY, 10), "");
#undef RANGE
}

static void many_documents_load_at_once(void **state)
{
	struct scene *scene = *state;
	enum { MANY = 500 };
	struct document_write *writes = arena_alloc(scene->arena, MANY * sizeof *writes);
	const char **keys = arena_alloc(scene->arena, 2 * MANY * sizeof *keys);
	struct document *documents;

	for (size_t i = 0; i < MANY; i++) {
		writes[i].key = arena_printf(scene->arena, "person/%zu", i);
		writes[i].body = arena_printf(scene->arena, "body %zu", i);
		writes[i].len = strlen(writes[i].body);
		keys[2 * i] = writes[i].key;
		keys[2 * i + 1] = arena_printf(scene->arena, "nobody/%zu", i);
	}
	struct commit commit = {.writes = writes, .write_count = MANY};
	own_a(scene);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
	assert_int_equal(bed_load(scene->bed, scene->two, A, keys, (size_t)2 * MANY, scene->arena,
				  &documents),
			 STORE_OK);
	for (size_t i = 0; i < MANY; i++) {
		assert_string_equal(documents[2 * i].body, writes[i].body);
		assert_int_equal(documents[2 * i].version, commit.version);
		assert_int_equal(documents[2 * i + 1].version, 0);
		assert_null(documents[2 * i + 1].body);
	}
	assert_int_equal(bed_load(scene->bed, scene->two, B, keys, 1, scene->arena, &documents),
			 STORE_OK);
	assert_int_equal(documents[0].version, 0);
	assert_int_equal(bed_load(scene->bed, scene->two, B, keys, 0, scene->arena, &documents),
			 STORE_OK);
}

/* ---- outbox ---- */

static void the_outbox_keeps_order_and_flight(void **state)
{
	struct scene *scene = *state;
	struct send sends[] = {
		{.id = "b1", .channel = "sms", .lane = LANE_BULK, .payload = "B1", .len = 2},
		{.id = "c1", .channel = "sms", .payload = "C1", .len = 2, .in_flight = true},
		{.id = "x1", .channel = "xmpp", .payload = "X1", .len = 2},
		{.id = "c2", .channel = "sms", .payload = "C\0002", .len = 3},
	};
	struct commit commit = {.sends = sends, .send_count = 4};
	struct store_outbox_entry *entries;

	own_a(scene);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
	assert_int_equal(bed_handover(scene->bed, scene->one, A, "sms", LANE_BULK, sends[0].entry),
			 STORE_OK);
	assert_int_equal(bed_outbox(scene->bed, scene->two, A, "sms", scene->arena, &entries), 3);
	const size_t order[] = {1, 3, 0};
	const bool flying[] = {true, false, true};
	for (size_t i = 0; i < 3; i++) {
		const struct send *send = &sends[order[i]];
		assert_string_equal(entries[i].id, send->id);
		assert_string_equal(entries[i].entry, send->entry);
		assert_string_equal(entries[i].channel, "sms");
		assert_int_equal(entries[i].lane, send->lane);
		assert_int_equal(entries[i].len, send->len);
		assert_memory_equal(entries[i].payload, send->payload, send->len);
		assert_int_equal(entries[i].in_flight, flying[i]);
	}
	assert_int_equal(bed_outbox(scene->bed, scene->two, A, "none", scene->arena, &entries), 0);
}

static void a_send_is_settled_once(void **state)
{
	struct scene *scene = *state;
	struct send sends[] = {{.id = "1", .channel = "sms", .payload = "p", .len = 1},
			       {.id = "2", .channel = "sms", .payload = "p", .len = 1},
			       {.id = "3", .channel = "sms", .payload = "p", .len = 1}};
	struct commit commit = {.sends = sends, .send_count = 3};
	struct store_outbox_entry *entries;

	own_a(scene);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
#define SETTLE(store, i, body)                                                                     \
	bed_settle(scene->bed, store, A, "sms", LANE_CONVERSATION, sends[i].entry, body)
#define HANDOVER(store, i)                                                                         \
	bed_handover(scene->bed, store, A, "sms", LANE_CONVERSATION, sends[i].entry)
	assert_int_equal(HANDOVER(scene->one, 0), STORE_OK);
	assert_int_equal(HANDOVER(scene->one, 0), STORE_OK);
	assert_int_equal(SETTLE(scene->one, 0, "outcome: sent"), STORE_OK);
	assert_int_equal(SETTLE(scene->one, 0, "outcome: sent"), STORE_GONE);
	assert_int_equal(HANDOVER(scene->one, 0), STORE_GONE);
	assert_int_equal(SETTLE(scene->one, 1, NULL), STORE_OK);
	bed_until_events(scene->bed, &scene->one_heard, 1);
	assert_string_equal(scene->one_heard.events[0].body, "outcome: sent");
	/* Another lane, another channel: not it. */
	assert_int_equal(
		bed_settle(scene->bed, scene->one, A, "sms", LANE_BULK, sends[2].entry, NULL),
		STORE_GONE);
	/* Taken over: the old owner must not send, but may tell what became of it. */
	take_a(scene, scene->two);
	assert_int_equal(HANDOVER(scene->one, 2), STORE_FENCED);
	assert_int_equal(scene->one_heard.losts, 1);
	assert_int_equal(bed_outbox(scene->bed, scene->two, A, "sms", scene->arena, &entries), 1);
	assert_false(entries[0].in_flight);
	assert_int_equal(SETTLE(scene->one, 2, "late but true"), STORE_OK);
	assert_int_equal(HANDOVER(scene->two, 2), STORE_GONE);
	bed_until_events(scene->bed, &scene->two_heard, 2);
	assert_string_equal(scene->two_heard.events[1].body, "late but true");
#undef SETTLE
#undef HANDOVER
}

/* ---- due ---- */

static void due_events_move_to_the_inbox(void **state)
{
	struct scene *scene = *state;
	struct due_write dues[] = {{.name = "lease/1", .at = 1700000000500},
				   {.name = "lease/2", .at = 1700000000400},
				   {.name = "lease/3", .at = 1700000000300},
				   {.name = "lease/2", .at = 1700000000600}, /* moved */
				   {.name = "lease/3", .at = 0},             /* cleared */
				   {.name = "lease/4", .at = 0}};            /* never set */
	struct commit commit = {.dues = dues, .due_count = 6};
	int64_t next_at;

	own_a(scene);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 1700000000000, &next_at), 0);
	assert_int_equal(next_at, 0);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 1700000000499, &next_at), 0);
	assert_int_equal(next_at, 1700000000500);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 1700000000500, &next_at), 1);
	assert_int_equal(next_at, 1700000000600);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 1700000000500, &next_at), 0);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 1700000000900, &next_at), 1);
	assert_int_equal(next_at, 0);
	bed_until_events(scene->bed, &scene->one_heard, 2);
	assert_string_equal(scene->one_heard.events[0].due, "lease/1");
	assert_int_equal(scene->one_heard.events[0].due_at, 1700000000500);
	assert_int_equal(scene->one_heard.events[0].len, 0);
	assert_string_equal(scene->one_heard.events[1].due, "lease/2");
	assert_int_equal(scene->one_heard.events[1].due_at, 1700000000600);
	assert_int_equal(
		write_one(scene, scene->one, scene->one_heard.events[0].entry, "t", 0, "x"),
		STORE_OK);
	assert_int_equal(
		write_one(scene, scene->one, scene->one_heard.events[0].entry, "t", 0, "x"),
		STORE_GONE);
}

static void due_events_come_a_thousand_at_a_time(void **state)
{
	struct scene *scene = *state;
	enum { MANY = 2300 };
	struct due_write *dues = arena_alloc(scene->arena, MANY * sizeof *dues);
	int64_t next_at;

	for (size_t i = 0; i < MANY; i++) {
		dues[i].name = arena_printf(scene->arena, "wave/%zu", i);
		dues[i].at = 1000 + (int64_t)i;
	}
	struct commit commit = {.dues = dues, .due_count = MANY};
	own_a(scene);
	assert_int_equal(bed_commit(scene->bed, scene->one, A, &commit), STORE_OK);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 9000, &next_at), 1000);
	assert_int_equal(next_at, 2000);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 9000, &next_at), 1000);
	assert_int_equal(bed_due(scene->bed, scene->one, A, 9000, &next_at), 300);
	assert_int_equal(next_at, 0);
	/* More than one read's worth, delivered in order without an answer in between. */
	bed_until_events(scene->bed, &scene->one_heard, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_string_equal(scene->one_heard.events[i].due, dues[i].name);
}

/* ---- away ---- */

static bool is_back(const void *arg)
{
	return ((const struct heard *)arg)->ups > 1;
}

static bool is_down(const void *arg)
{
	return ((const struct heard *)arg)->downs > 0;
}

static void a_cut_loses_and_doubles_nothing(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	bed_event(scene->bed, scene->one, A, "delivered before the cut");
	bed_until_events(scene->bed, &scene->one_heard, 1);
	bed_cut(scene->bed);
	bed_until(scene->bed, is_down, &scene->one_heard, "down");
	bed_until(scene->bed, is_down, &scene->two_heard, "down");
	assert_int_equal(
		write_one(scene, scene->one, scene->one_heard.events[0].entry, "task/1", 0, "x"),
		STORE_AWAY);
	bed_mend(scene->bed);
	bed_until(scene->bed, is_back, &scene->one_heard, "up again");
	bed_until(scene->bed, is_back, &scene->two_heard, "up again");
	bed_event(scene->bed, scene->two, A, "accepted after the cut");
	bed_until_events(scene->bed, &scene->one_heard, 2);
	assert_string_equal(scene->one_heard.events[1].body, "accepted after the cut");
	/* Still the owner, and the first event still waits for its answer. */
	assert_int_equal(scene->one_heard.losts, 0);
	assert_int_equal(
		write_one(scene, scene->one, scene->one_heard.events[0].entry, "task/1", 0, "x"),
		STORE_OK);
	assert_int_equal(
		write_one(scene, scene->one, scene->one_heard.events[0].entry, "task/1", 0, "x"),
		STORE_GONE);
}

static void a_cut_owner_whose_shard_was_taken_hears_of_it(void **state)
{
	struct scene *scene = *state;

	own_a(scene);
	bed_event(scene->bed, scene->one, A, "mine");
	bed_until_events(scene->bed, &scene->one_heard, 1);
	bed_cut(scene->bed);
	bed_until(scene->bed, is_down, &scene->one_heard, "down");
	bed_mend(scene->bed);
	bed_until(scene->bed, is_back, &scene->two_heard, "up again");
	take_a(scene, scene->two);
	bed_until(scene->bed, has_lost, &scene->one_heard, "lost");
	bed_until_events(scene->bed, &scene->two_heard, 1);
	assert_string_equal(scene->two_heard.events[0].body, "mine");
}

struct freed {
	int times;
	enum store_result result;
};

static void on_freed(void *arg, enum store_result result)
{
	struct freed *freed = arg;

	freed->times++;
	freed->result = result;
}

static void freeing_ends_calls_as_away(void **state)
{
	struct scene *scene = *state;
	struct heard heard = {0};
	struct freed freed = {0};
	struct store_listener listener = heard_listener(&heard);
	struct store *store = bed_open(scene->bed, &listener);

	bed_until(scene->bed, is_up, &heard, "up");
	store->methods->own(store, A, on_freed, &freed);
	store->methods->free(store);
	assert_int_equal(freed.times, 1);
	assert_int_equal(freed.result, STORE_AWAY);
	heard_free(&heard);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accepted_events_reach_the_owner_in_order),
		TEST(repeats_are_dropped_while_remembered),
		TEST(bodies_may_hold_any_bytes),
		TEST(one_instance_owns_a_shard),
		TEST(a_taken_shard_is_lost_and_redelivered),
		TEST(a_loss_is_noticed_without_a_call),
		TEST(a_lease_that_nobody_wanted_goes_on),
		TEST(released_events_come_again_to_the_next_owner),
		TEST(a_commit_does_everything_once),
		TEST(a_refused_commit_changes_nothing),
		TEST(an_empty_commit_answers_an_event),
		TEST(versions_never_come_back),
		TEST(documents_expire),
		TEST(indexes_are_sorted),
		TEST(many_documents_load_at_once),
		TEST(the_outbox_keeps_order_and_flight),
		TEST(a_send_is_settled_once),
		TEST(due_events_move_to_the_inbox),
		TEST(due_events_come_a_thousand_at_a_time),
		TEST(a_cut_loses_and_doubles_nothing),
		TEST(a_cut_owner_whose_shard_was_taken_hears_of_it),
		TEST(freeing_ends_calls_as_away),
	};

	return cmocka_run_group_tests_name(bed_name(), tests, NULL, NULL);
}
