/* tests/unit/runner.c - the runner on the memory store, with a core of a few lines in the bot's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "bot/run/runner.h"
#include "state/store_memory.h"

/* ---- a core that counts, echoes, and can be asked to wait ---- */

enum { VIEW_MAX = 8 };

struct view {
	struct document known[VIEW_MAX];
	size_t known_count;
	const char *wanted[VIEW_MAX];
	size_t wanted_count;
	struct arena *arena;
};

struct view *view_new(struct arena *arena)
{
	struct view *view = arena_alloc(arena, sizeof(*view));

	view->arena = arena;
	return view;
}

void view_put(struct view *view, const struct document *document)
{
	view->known[view->known_count++] = *document;
	view->wanted_count = 0;
}

size_t view_wanted(const struct view *view, const char *const **keys_r)
{
	*keys_r = view->wanted;
	return view->wanted_count;
}

const struct document *view_get(struct view *view, const char *key)
{
	for (size_t i = 0; i < view->known_count; i++)
		if (!strcmp(view->known[i].key, key))
			return &view->known[i];
	view->wanted[view->wanted_count++] = arena_str(view->arena, key);
	return NULL;
}

/* "to|group|ref|about|text" is all these tests need of a payload. */
char *outgoing_encode(const struct outgoing *out, struct arena *arena, size_t *len_r)
{
	char *payload = arena_printf(arena, "%s|%s|%d|%s|%s|%lld", out->message.id, out->message.to,
				     out->message.group, out->ref ? out->ref : "", out->message.text,
				     (long long)out->made_at);

	*len_r = strlen(payload);
	return payload;
}

int outgoing_decode(const char *payload, size_t len, struct arena *arena,
		    struct outgoing *outgoing_r)
{
	char *parts[6], *rest = arena_bytes(arena, payload, len);

	*outgoing_r = (struct outgoing){0};
	for (size_t i = 0; i < 6; i++)
		if (!(parts[i] = strsep(&rest, "|")))
			return -1;
	outgoing_r->message = (struct message_out){
		.id = parts[0], .to = parts[1], .group = *parts[2] == '1', .text = parts[4]};
	outgoing_r->ref = *parts[3] ? parts[3] : NULL;
	outgoing_r->made_at = atoll(parts[5]);
	return 0;
}

static void say(const struct event *event, struct arena *arena, struct commit *commit,
		const char *to, bool group, const char *ref, const char *text)
{
	struct outgoing out = {
		.message = {.id = arena_printf(arena, "%s-%zu", event->id, commit->send_count),
			    .to = to, .group = group, .text = text},
		.ref = ref,
		.made_at = event->now,
	};
	struct send *send;

	commit->sends = arena_grow(arena, commit->sends, commit->send_count, sizeof(*send));
	send = &commit->sends[commit->send_count++];
	*send = (struct send){.id = out.message.id, .channel = "chat"};
	send->payload = outgoing_encode(&out, arena, &send->len);
}

static void wait_for(struct arena *arena, struct commit *commit, const char *name, int64_t at)
{
	commit->dues = arena_grow(arena, commit->dues, commit->due_count, sizeof(struct due_write));
	commit->dues[commit->due_count++] = (struct due_write){.name = name, .at = at};
}

enum step_result bot_step(const struct bot *bot, const struct event *event, struct view *view,
			  struct arena *arena, struct commit *commit)
{
	const struct document *counter = view_get(view, "counter");
	const char *text = event->message.text;
	long count;

	(void)bot;
	if (!counter)
		return STEP_NEED;
	*commit = (struct commit){0}; /* whose event it is, is the runner's business */
	count = counter->version ? atol(arena_bytes(arena, counter->body, counter->len)) : 0;
	commit->reads = arena_alloc(arena, sizeof(*commit->reads));
	commit->reads[0] = (struct document_read){counter->key, counter->version};
	commit->read_count = 1;
	commit->writes = arena_alloc(arena, sizeof(*commit->writes));
	commit->writes[0] = (struct document_write){.key = "counter",
						    .body = arena_printf(arena, "%ld", count + 1)};
	commit->writes[0].len = strlen(commit->writes[0].body);
	commit->write_count = 1;
	if (event->type == EVENT_DUE) {
		say(event, arena, commit, "+100", false, NULL, arena_printf(arena, "due %s", event->due));
	} else if (event->type == EVENT_OUTCOME) {
		say(event, arena, commit, "boss", false, NULL,
		    arena_printf(arena, "outcome %d of %s", event->outcome.kind,
				 event->ref ? event->ref : "nobody's"));
	} else if (!strcmp(text, "later")) {
		wait_for(arena, commit, "later/1", event->now + 5000);
	} else if (!strcmp(text, "group")) {
		say(event, arena, commit, "room", true, NULL, "one");
		say(event, arena, commit, "room", true, NULL, "two");
	} else {
		say(event, arena, commit, event->message.sender, false,
		    !strcmp(text, "tell") ? "tell" : NULL, text);
	}
	return STEP_DONE;
}

/* ---- a house without a loop ---- */

enum { SENT_MAX = 20000 };

struct sent {
	char id[64], to[32], text[64];
};

struct house {
	struct memory *memory;
	struct store *store;
	struct runner *runner;
	struct runner_host host;
	struct runner_channel channel;
	struct config config;
	struct community community;
	struct channel_config channel_config;
	int64_t now, wake;
	int64_t set_back; /* how far the wall clock was set back */
	uint64_t seed;
	struct sent *sent;
	size_t sent_count, accepted, refused;
	enum outcome_kind answers[16]; /* for the next sends, in order; then SENT */
	size_t answer_count, answered;
	bool silent; /* the platform does not answer */
};

static int64_t now(void *arg)
{
	return ((struct house *)arg)->now;
}

static int64_t mono_us(void *arg)
{
	struct house *house = arg;

	return (house->now + house->set_back) * 1000;
}

static uint64_t seed(void *arg)
{
	struct house *house = arg;

	house->seed = house->seed * 6364136223846793005u + 1442695040888963407u;
	return house->seed >> 16;
}

static int utc_offset(void *arg, const char *zone, int64_t at)
{
	(void)arg;
	(void)zone;
	(void)at;
	return 0;
}

static void hash(void *arg, const char *space, const char *input, char *out)
{
	(void)arg;
	snprintf(out, 27, "%.12s%.12s", space, input);
}

static void transmit(void *arg, const char *channel, const struct message_out *message)
{
	struct house *house = arg;
	struct sent *sent = &house->sent[house->sent_count++];

	assert_string_equal(channel, "chat");
	assert_true(house->sent_count < SENT_MAX);
	snprintf(sent->id, sizeof(sent->id), "%s", message->id);
	snprintf(sent->to, sizeof(sent->to), "%s", message->to);
	snprintf(sent->text, sizeof(sent->text), "%s", message->text);
}

static void wake_at(void *arg, int64_t at)
{
	((struct house *)arg)->wake = at;
}

static void join(struct house *house, struct memory *memory)
{
	struct store_listener listener;

	house->memory = memory;
	house->host = (struct runner_host){.arg = house, .now = now, .seed = seed,
					   .utc_offset = utc_offset, .hash = hash,
					   .transmit = transmit, .wake_at = wake_at,
					   .mono_us = mono_us};
	house->runner = runner_new(&house->config, NULL, &house->channel, 1, &house->host);
	listener = runner_listener(house->runner);
	house->store = store_memory_new(memory, &listener);
	runner_start(house->runner, house->store);
}

static struct house *house_new(struct memory *memory)
{
	struct house *house = xalloc(sizeof(*house));
	static const char *names[] = {"chat"};

	house->now = 1000000;
	house->seed = 7;
	house->sent = xalloc(SENT_MAX * sizeof(*house->sent));
	house->channel = (struct runner_channel){.name = "chat", .adapter = "test",
						 .can = CAN_DIRECT | CAN_GROUP};
	house->community = (struct community){.id = "lane", .shard = 3, .zone = "UTC",
					      .channels = {names, 1}};
	house->channel_config = (struct channel_config){.name = "chat", .adapter = "test",
							.community = "lane"};
	house->config = (struct config){.communities = &house->community, .community_count = 1,
					.channels = &house->channel_config, .channel_count = 1,
					.seen_keep = 3600000};
	if (memory)
		join(house, memory);
	return house;
}

static void house_leave(struct house *house)
{
	runner_drain(house->runner);
	house->store->methods->free(house->store);
	runner_free(&house->runner);
}

static void house_free(struct house *house, bool with_memory)
{
	if (house->runner)
		house_leave(house);
	if (with_memory)
		memory_free(&house->memory);
	free(house->sent);
	free(house);
}

/* Answers everything handed over so far, in order. */
static bool answer(struct house *house)
{
	bool any = house->answered < house->sent_count && !house->silent;

	while (house->answered < house->sent_count && !house->silent) {
		const struct sent *sent = &house->sent[house->answered];
		struct outcome outcome = {.kind = OUTCOME_SENT, .message_id = "p1"};

		if (house->answered < house->answer_count)
			outcome.kind = house->answers[house->answered];
		house->answered++;
		runner_settled(house->runner, "chat", sent->id, &outcome);
	}
	return any;
}

/* Runs until nothing is left to do at this time. */
static void settle(struct house *house)
{
	for (;;) {
		bool any = memory_turn(house->memory);

		any |= answer(house);
		if (house->wake && house->wake <= house->now) {
			house->wake = 0;
			runner_wake(house->runner);
			any = true;
		}
		if (!any)
			return;
	}
}

static void pass(struct house *house, int64_t ms)
{
	int64_t until = house->now + ms;

	settle(house);
	while (house->wake && house->wake <= until) {
		house->now = house->wake;
		memory_set_now(house->memory, house->now);
		settle(house);
	}
	house->now = until;
	memory_set_now(house->memory, until);
	settle(house);
}

static void accepted(void *arg, bool durable)
{
	struct house *house = arg;

	*(durable ? &house->accepted : &house->refused) += 1;
}

static void hear(struct house *house, const char *id, const char *sender, const char *text)
{
	struct message_in message = {.id = id, .sender = sender, .text = text};

	runner_accept(house->runner, "chat", &message, 1, accepted, house);
}

static struct runner_channel_figures figures(const struct house *house)
{
	struct runner_channel_figures f;

	runner_channel_figures(house->runner, 0, &f);
	return f;
}

/* ---- the cases ---- */

static void a_message_is_answered_once(void **state)
{
	struct house *house = house_new(memory_new());

	(void)state;
	settle(house);
	assert_true(runner_ready(house->runner));
	for (int i = 0; i < 3; i++) {
		hear(house, "m1", "+1", "hello");
		settle(house);
	}
	assert_int_equal(house->accepted, 3);
	assert_int_equal(house->sent_count, 1);
	assert_string_equal(house->sent[0].to, "+1");
	assert_string_equal(house->sent[0].text, "hello");
	assert_int_equal(figures(house).in, 1);
	assert_int_equal(figures(house).in_repeated, 2);
	assert_int_equal(figures(house).waiting + figures(house).in_flight, 0);
	assert_true(runner_idle(house->runner));
	house_free(house, true);
}

static void one_person_is_heard_in_order(void **state)
{
	struct house *house = house_new(memory_new());
	char id[16];

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		hear(house, id, "+1", id);
	}
	pass(house, 60000);
	assert_int_equal(house->sent_count, 50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(atoi(house->sent[i].text), i);
	house_free(house, true);
}

static void read_counter(void *arg, int shard, const struct document *document)
{
	char number[24] = "";

	(void)shard;
	if (strcmp(document->key, "lane/counter"))
		return;
	memcpy(number, document->body, document->len);
	*(long *)arg = atol(number);
}

/* Everybody writes the same document, in any order that the store allows. */
static void conflicts_lose_nothing(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= 30; round++) {
		struct house *house = house_new(memory_new());
		uint64_t order = round;
		long count = 0;
		char id[16];

		for (int i = 0; i < 40; i++) {
			snprintf(id, sizeof(id), "+%d", i);
			hear(house, id, id, "x");
		}
		while (memory_turn_random(house->memory, &order) || answer(house))
			;
		pass(house, 60000);
		memory_each(house->memory, read_counter, &count);
		assert_int_equal(count, 40);
		assert_int_equal(house->sent_count, 40);
		house_free(house, true);
	}
}

static void retries_keep_their_order(void **state)
{
	struct house *house = house_new(memory_new());

	(void)state;
	house->answers[0] = OUTCOME_RETRY;
	house->answers[1] = OUTCOME_RETRY;
	house->answer_count = 2;
	hear(house, "a", "+1", "first");
	settle(house);
	hear(house, "b", "+1", "second");
	settle(house);
	assert_int_equal(house->sent_count, 1);
	pass(house, 20000);
	assert_int_equal(house->sent_count, 4);
	assert_string_equal(house->sent[0].id, house->sent[2].id);
	assert_string_equal(house->sent[2].text, "first");
	assert_string_equal(house->sent[3].text, "second");
	assert_int_equal(figures(house).retried, 2);
	house_free(house, true);
}

static void uncertain_is_final_unless_repeats_are_known(void **state)
{
	(void)state;
	for (int once = 0; once < 2; once++) {
		struct house *house = house_new(NULL);

		if (once)
			house->channel.can |= CAN_ONCE;
		join(house, memory_new());
		house->answers[0] = OUTCOME_UNCERTAIN;
		house->answer_count = 1;
		hear(house, "a", "+1", "tell");
		pass(house, 20000);
		/* the message, then what the core says of its outcome */
		assert_int_equal(house->sent_count, once ? 3 : 2);
		assert_int_equal(figures(house).uncertain, !once);
		assert_string_equal(house->sent[house->sent_count - 1].text,
				    once ? "outcome 0 of tell" : "outcome 3 of tell");
		house_free(house, true);
	}
}

static void groups_get_pauses_and_order(void **state)
{
	struct house *house = house_new(NULL);

	(void)state;
	house->channel.group_gap_ms = 3000;
	join(house, memory_new());
	hear(house, "a", "+1", "group");
	settle(house);
	assert_int_equal(house->sent_count, 1);
	pass(house, 2999);
	assert_int_equal(house->sent_count, 1);
	pass(house, 1);
	assert_int_equal(house->sent_count, 2);
	assert_string_equal(house->sent[1].text, "two");
	house_free(house, true);
}

static void the_rate_is_kept(void **state)
{
	struct house *house = house_new(NULL);
	char id[16];

	(void)state;
	house->channel.rate = 10;
	join(house, memory_new());
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "+%d", i);
		hear(house, id, id, "x");
	}
	settle(house);
	assert_in_range(house->sent_count, 9, 11); /* a second's worth at once */
	pass(house, 5000);
	assert_in_range(house->sent_count, 58, 62);
	pass(house, 60000);
	assert_int_equal(house->sent_count, 100);
	house_free(house, true);
}

static void a_store_that_was_away_is_caught_up_with(void **state)
{
	struct house *house = house_new(memory_new());

	(void)state;
	settle(house);
	hear(house, "a", "+1", "one");
	memory_turn(house->memory);
	memory_set_away(house->memory, true);
	settle(house);
	hear(house, "b", "+1", "two");
	settle(house);
	assert_true(house->refused >= 1);
	memory_set_away(house->memory, false);
	pass(house, 10000);
	hear(house, "a", "+1", "one");
	hear(house, "b", "+1", "two");
	pass(house, 10000);
	assert_int_equal(house->sent_count, 2);
	assert_string_equal(house->sent[0].text, "one");
	assert_string_equal(house->sent[1].text, "two");
	house_free(house, true);
}

/* Each time the store comes back the outbox is read again, while sends end: none goes out twice. */
static void a_store_that_comes_and_goes_doubles_nothing(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= 400; round++) {
		struct house *house = house_new(memory_new());
		uint64_t order = round;
		char id[16];

		settle(house);
		for (int step = 0; step < 300; step++) {
			order = order * 6364136223846793005u + 1442695040888963407u;
			if (step < 12) {
				snprintf(id, sizeof(id), "+%d", step);
				hear(house, id, id, "x");
			}
			if (step % 40 == 20)
				memory_set_away(house->memory, true);
			if (step % 40 == 22)
				memory_set_away(house->memory, false);
			memory_turn_random(house->memory, &order);
			if (order >> 60 < 4)
				answer(house);
		}
		pass(house, 60000);
		for (int i = 0; i < 12; i++) { /* those that were refused come again */
			snprintf(id, sizeof(id), "+%d", i);
			hear(house, id, id, "x");
		}
		pass(house, 60000);
		for (size_t i = 0; i < house->sent_count; i++)
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(house->sent[i].id, house->sent[j].id);
		assert_int_equal(house->sent_count, 12);
		house_free(house, true);
	}
}

/* What is due while the store is away waits for the store, not for the processor. */
static void waiting_for_the_store_is_no_work(void **state)
{
	struct house *house = house_new(memory_new());

	(void)state;
	hear(house, "a", "+1", "later");
	settle(house);
	memory_set_away(house->memory, true);
	house->now += 6000;
	for (int i = 0; i < 5; i++) {
		memory_turn(house->memory);
		house->wake = 0;
		runner_wake(house->runner);
		assert_true(house->wake == 0 || house->wake > house->now);
	}
	memory_set_away(house->memory, false);
	pass(house, 1000);
	assert_int_equal(house->sent_count, 1);
	house_free(house, true);
}

static void a_clock_set_back_stops_no_channel(void **state)
{
	struct house *house = house_new(NULL);
	char id[16];

	(void)state;
	house->channel.rate = 10;
	join(house, memory_new());
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "+%d", i);
		hear(house, id, id, "x");
	}
	settle(house);
	assert_in_range(house->sent_count, 9, 11);
	house->now -= 3600000;
	house->set_back += 3600000;
	memory_set_now(house->memory, house->now);
	runner_wake(house->runner); /* the daemon's timer is never longer than a minute */
	pass(house, 5000);
	assert_int_equal(house->sent_count, 30);
	house_free(house, true);
}

static void what_is_due_comes_once(void **state)
{
	struct house *house = house_new(memory_new());

	(void)state;
	hear(house, "a", "+1", "later");
	settle(house);
	pass(house, 4999);
	assert_int_equal(house->sent_count, 0);
	pass(house, 1);
	assert_int_equal(house->sent_count, 1);
	assert_string_equal(house->sent[0].text, "due later/1");
	pass(house, 100000);
	assert_int_equal(house->sent_count, 1);
	house_free(house, true);
}

/* What was with the platform when its instance died is handed over again, and counted. */
static void a_successor_sends_what_may_be_lost(void **state)
{
	struct memory *memory = memory_new();
	struct house *first = house_new(memory), *second;

	(void)state;
	first->silent = true;
	hear(first, "a", "+1", "gone or not");
	settle(first);
	hear(first, "b", "+1", "never handed over");
	settle(first);
	assert_int_equal(first->sent_count, 1);
	house_free(first, false);
	memory_expire(memory, 3);
	second = house_new(memory);
	pass(second, 20000);
	assert_int_equal(second->sent_count, 2);
	assert_string_equal(second->sent[0].text, "gone or not");
	assert_string_equal(second->sent[1].text, "never handed over");
	assert_int_equal(figures(second).maybe_twice, 1);
	house_free(second, true);
}

static void draining_finishes_and_takes_nothing_new(void **state)
{
	struct house *house = house_new(memory_new());

	(void)state;
	settle(house);
	house->silent = true;
	hear(house, "a", "+1", "in flight");
	settle(house);
	runner_drain(house->runner);
	assert_false(runner_idle(house->runner));
	hear(house, "b", "+2", "for the successor");
	settle(house);
	assert_int_equal(house->accepted, 2);
	assert_int_equal(house->sent_count, 1);
	house->silent = false;
	settle(house);
	assert_true(runner_idle(house->runner));
	assert_int_equal(house->sent_count, 1);
	house_free(house, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_answered_once),
		cmocka_unit_test(one_person_is_heard_in_order),
		cmocka_unit_test(conflicts_lose_nothing),
		cmocka_unit_test(retries_keep_their_order),
		cmocka_unit_test(uncertain_is_final_unless_repeats_are_known),
		cmocka_unit_test(groups_get_pauses_and_order),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(a_store_that_was_away_is_caught_up_with),
		cmocka_unit_test(a_store_that_comes_and_goes_doubles_nothing),
		cmocka_unit_test(waiting_for_the_store_is_no_work),
		cmocka_unit_test(a_clock_set_back_stops_no_channel),
		cmocka_unit_test(what_is_due_comes_once),
		cmocka_unit_test(a_successor_sends_what_may_be_lost),
		cmocka_unit_test(draining_finishes_and_takes_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
