/* tests/adapters/simulator.c - the simulator's JSON, its doors, and what a page is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <json-c/json.h>

#include "adapters/console/simulator.h"
#include "tests/adapters/house.h"

static const char *residents[] = {"+8613800000001 王奶奶 zh-CN", "+8613800000002 Mr Brown en"};
static const char *volunteers[] = {"+8613900000001 李明 zh-CN", "+8613900000002 Sarah"};
static const char *organisers[] = {"+8613700000001 赵主任 zh-CN"};
static const char *groups[] = {"volunteers 志愿者互助群 zh-CN"};

#define TEXTS(array)                                                                               \
	{                                                                                          \
		.items = array, .count = sizeof array / sizeof array[0]                            \
	}

static struct simulator settings(void)
{
	return (struct simulator){
		.residents = TEXTS(residents),
		.volunteers = TEXTS(volunteers),
		.organisers = TEXTS(organisers),
		.groups = TEXTS(groups),
	};
}

static int open_house(void **state)
{
	struct house *house = house_new();
	struct simulator own = settings();
	if (house_open(house, adapter_find("simulator"), &own) != 0)
		return -1;
	*state = house;
	return 0;
}

static int close_house(void **state)
{
	struct house *house = *state;
	house_free(&house);
	return 0;
}

static struct house_answer post(struct house *house, const char *body)
{
	const char *headers[] = {
		"Content-Type: application/json",
		arena_printf(house_arena(house), "Origin: %s", house_url(house)),
		NULL,
	};
	return house_post(house, "/hook/test/send", headers, body, strlen(body));
}

static struct json_object *state_of(struct house *house)
{
	struct house_answer answer = house_get(house, "/hook/test/state");
	assert_int_equal(answer.status, 200);
	struct json_object *object = json_tokener_parse(answer.body);
	assert_non_null(object);
	return object;
}

static struct json_object *note_at(struct json_object *state, size_t i)
{
	struct json_object *note =
		json_object_array_get_idx(json_object_object_get(state, "notes"), i);
	assert_non_null(note);
	return note;
}

static size_t note_count(struct json_object *state)
{
	return json_object_array_length(json_object_object_get(state, "notes"));
}

static const char *text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void test_text_from_a_phone(void **state)
{
	struct house *house = *state;
	struct house_answer answer = post(
		house, "{\"id\":\"page-0001\",\"as\":\"+8613800000001\",\"text\":\"买\\n菜\"}");
	assert_int_equal(answer.status, 202);
	assert_int_equal(house_accepted_count(house), 1);
	const struct message_in *message = house_accepted(house, 0);
	assert_int_equal(message->kind, MESSAGE_TEXT);
	assert_string_equal(message->id, "page-0001");
	assert_string_equal(message->sender, "+8613800000001");
	assert_string_equal(message->text, "买\n菜");
	assert_null(message->group);
	assert_null(message->name);
	assert_null(message->language); /* a telephone does not tell */
	struct json_object *seen = state_of(house);
	assert_int_equal(note_count(seen), 1);
	assert_string_equal(text_of(note_at(seen, 0), "phone"), "+8613800000001");
	json_object_put(seen);
}

static void test_words_in_the_group(void **state)
{
	struct house *house = *state;
	post(house, "{\"id\":\"page-0001\",\"as\":\"+8613900000001\",\"group\":\"volunteers\","
		    "\"text\":\"我来 4713\",\"about\":\"send-1\"}");
	post(house, "{\"id\":\"page-0002\",\"as\":\"+8613900000002\",\"group\":\"volunteers\","
		    "\"button\":\"claim:4713\",\"about\":\"send-1\"}");
	post(house, "{\"id\":\"page-0003\",\"as\":\"+8613700000001\",\"group\":\"volunteers\","
		    "\"reaction\":\"👍\",\"about\":\"send-1\"}");
	assert_int_equal(house_accepted_count(house), 3);
	const struct message_in *text = house_accepted(house, 0);
	assert_string_equal(text->group, "volunteers");
	assert_string_equal(text->name, "李明");
	assert_string_equal(text->language, "zh-CN");
	assert_string_equal(text->about, "send-1");
	const struct message_in *button = house_accepted(house, 1);
	assert_int_equal(button->kind, MESSAGE_BUTTON);
	assert_string_equal(button->button, "claim:4713");
	assert_null(button->text);
	assert_null(button->language);
	const struct message_in *reaction = house_accepted(house, 2);
	assert_int_equal(reaction->kind, MESSAGE_REACTION);
	assert_string_equal(reaction->text, "👍");
	assert_string_equal(reaction->about, "send-1");
}

#define LONG_ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define AS      "\"as\":\"+8613900000001\""
#define GROUP   "\"group\":\"volunteers\""

static const struct {
	const char *body;
	int status;
	const char *why; /* in the sentence */
} refusals[] = {
	{"", 400, "JSON"},
	{"{", 400, "JSON"},
	{"null", 400, "JSON"},
	{"\"text\"", 400, "JSON"},
	{"[{}]", 400, "JSON"},
	{"{} {}", 400, "JSON"},
	{"{'id':'page-0001'}", 400, "JSON"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"a\",}", 400, "JSON"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"a\"} x", 400, "JSON"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"\xff\xfe\"}", 400, "JSON"},
	{"{\"id\":{\"a\":{\"b\":{\"c\":1}}}," AS ",\"text\":\"a\"}", 400, "JSON"},
	{"{}", 400, "id and as"},
	{"{\"id\":\"page-0001\",\"text\":\"a\"}", 400, "id and as"},
	{"{" AS ",\"text\":\"a\"}", 400, "id and as"},
	{"{\"id\":\"short\"," AS ",\"text\":\"a\"}", 400, "8 to 64"},
	{"{\"id\":\"page 0001\"," AS ",\"text\":\"a\"}", 400, "8 to 64"},
	{"{\"id\":\"" LONG_ID "\"," AS ",\"text\":\"a\"}", 400, "at most 64"},
	{"{\"id\":12345678," AS ",\"text\":\"a\"}", 400, "id must be a string"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":null}", 400, "text must be a string"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"\"}", 400, "empty"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\" \\n\\t\"}", 400, "empty"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"a\\u0000b\"}", 400, "control"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"a\\u001bb\"}", 400, "control"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"a\",\"admin\":\"yes\"}", 400, "not known"},
	{"{\"id\":\"page-0001\"," AS "}", 400, "Exactly one"},
	{"{\"id\":\"page-0001\"," AS ",\"text\":\"a\",\"button\":\"b\"}", 400, "Exactly one"},
	{"{\"id\":\"page-0001\"," AS "," GROUP ",\"button\":\"b\"}", 400, "about"},
	{"{\"id\":\"page-0001\"," AS ",\"about\":\"x\",\"button\":\"b\"}", 400, "Phones"},
	{"{\"id\":\"page-0001\"," AS ",\"about\":\"x\",\"reaction\":\"b\"}", 400, "Phones"},
	{"{\"id\":\"page-0001\"," AS "," GROUP ",\"about\":\"x\",\"reaction\":\"123456789\"}", 400,
	 "at most 8"},
	{"{\"id\":\"page-0001\"," AS "," GROUP ",\"about\":\"x\",\"button\":"
	 "\"邻里邻里邻里邻里邻里邻里邻里邻里邻里邻里邻里\"}",
	 400, "64 bytes"},
	{"{\"id\":\"page-0001\",\"as\":\"+8613800009999\",\"text\":\"a\"}", 404, "person"},
	{"{\"id\":\"page-0001\"," AS ",\"group\":\"others\",\"text\":\"a\"}", 404, "group"},
	{"{\"id\":\"page-0001\",\"as\":\"+8613800000001\"," GROUP ",\"text\":\"a\"}", 403,
	 "Residents"},
};

static void test_bad_input_is_refused(void **state)
{
	struct house *house = *state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		struct house_answer answer = post(house, refusals[i].body);
		if (answer.status != refusals[i].status ||
		    strstr(answer.body, refusals[i].why) == NULL)
			fail_msg("row %zu: %d %s", i, answer.status, answer.body);
	}
	assert_int_equal(house_accepted_count(house), 0);
}

static const char *as_text(struct arena *arena, const char *text)
{
	return arena_printf(arena, "{\"id\":\"page-0001\"," AS ",\"text\":\"%s\"}", text);
}

static void test_length_limits(void **state)
{
	struct house *house = *state;
	struct arena *arena = house_arena(house);
	char *text = arena_alloc(arena, SIMULATOR_POINTS_MAX * 3 + 4);
	for (size_t i = 0; i < SIMULATOR_POINTS_MAX; i++)
		memcpy(text + i * 3, "邻", 3);
	assert_int_equal(post(house, as_text(arena, text)).status, 202);
	memcpy(text + SIMULATOR_POINTS_MAX * 3, "x", 2);
	assert_int_equal(post(house, as_text(arena, text)).status, 400);
}

static void test_repeat_shows_once(void **state)
{
	struct house *house = *state;
	const char *body = "{\"id\":\"page-0001\",\"as\":\"+8613800000001\",\"text\":\"买菜\"}";
	assert_int_equal(post(house, body).status, 202);
	assert_int_equal(post(house, body).status, 202);
	struct json_object *seen = state_of(house);
	assert_int_equal(note_count(seen), 1);
	json_object_put(seen);
}

static void test_store_away(void **state)
{
	struct house *house = *state;
	const char *body = "{\"id\":\"page-0001\",\"as\":\"+8613800000001\",\"text\":\"买菜\"}";
	house_accept_as(house, ACCEPT_LATER);
	assert_int_equal(post(house, body).status, 503);
	struct json_object *seen = state_of(house);
	assert_int_equal(note_count(seen), 0);
	json_object_put(seen);
	house_accept_as(house, ACCEPTED);
	house_channel(house)->adapter->hold(house_channel(house), true);
	assert_int_equal(post(house, body).status, 503);
	assert_int_equal(house_accepted_count(house), 1);
	house_channel(house)->adapter->hold(house_channel(house), false);
	assert_int_equal(post(house, body).status, 202);
	seen = state_of(house);
	assert_int_equal(note_count(seen), 1);
	json_object_put(seen);
}

/* ---- who may come in ---- */

struct visit {
	bool done;
	int status;
	const char *body;
	struct arena *arena;
};

static void visited(void *arg, const struct http_answer *answer)
{
	struct visit *visit = arg;
	visit->done = true;
	visit->status = answer->status;
	visit->body = arena_str(visit->arena, answer->body);
}

static bool visit_done(void *arg)
{
	const struct visit *visit = arg;
	return visit->done;
}

static int visit(struct house *house, const char *method, const char *path, const char *header)
{
	struct visit asked = {.arena = house_arena(house)};
	const char *headers[] = {header, "Content-Type: application/json", NULL};
	struct http_call call = {
		.method = method,
		.url = arena_printf(house_arena(house), "%s/hook/test/%s", house_url(house), path),
		.headers = headers,
		.body = strcmp(method, "POST") == 0 ? "{}" : NULL,
		.len = strcmp(method, "POST") == 0 ? 2 : 0,
	};
	http_start(house_http(house), &call, visited, &asked);
	assert_true(house_until(house, visit_done, &asked));
	return asked.status;
}

static const struct {
	const char *header;
	int get, post; /* 400: let in, the empty object is refused later */
} doors[] = {
	{"Host: example.org", 403, 403},
	{"Host: 127.example.org", 403, 403},
	{"Host: 127.0.0.1.example.org", 403, 403},
	{"Host: localhost.example.org", 403, 403},
	{"Host: 192.168.1.5:8080", 403, 403},
	{"Host: [::2]", 403, 403},
	{"Host: localhost:8080", 200, 403},
	{"Host: [::1]:8080", 200, 403},
	{"X-Forwarded-For: 203.0.113.5", 403, 403},
	{"Forwarded: for=203.0.113.5", 403, 403},
	{"Via: 1.1 proxy", 403, 403},
	{"Origin: http://example.org", 200, 403},
	{"Origin: null", 200, 403},
	{"Origin: http://127.0.0.1", 200, 403},
};

static void test_doors(void **state)
{
	struct house *house = *state;
	for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++) {
		int got = visit(house, "GET", "state", doors[i].header);
		int sent = visit(house, "POST", "send", doors[i].header);
		if (got != doors[i].get || sent != doors[i].post)
			fail_msg("row %zu: GET %d, POST %d", i, got, sent);
	}
	assert_int_equal(visit(house, "GET", "events", "Host: example.org"), 403);
	assert_int_equal(visit(house, "GET", "", "Host: example.org"), 403);
	const char *origin = arena_printf(house_arena(house), "Origin: %s", house_url(house));
	assert_int_equal(visit(house, "POST", "send", origin), 400);
	const char *plain[] = {origin, "Content-Type: text/plain", NULL};
	assert_int_equal(house_post(house, "/hook/test/send", plain, "{}", 2).status, 415);
}

static void test_files(void **state)
{
	struct house *house = *state;
	static const char *const files[][2] = {
		{"", "text/html; charset=utf-8"},
		{"simulator.css", "text/css; charset=utf-8"},
		{"simulator.js", "text/javascript; charset=utf-8"},
		{"panes.js", "text/javascript; charset=utf-8"},
		{"notes.js", "text/javascript; charset=utf-8"},
		{"wire.js", "text/javascript; charset=utf-8"},
		{"texts.js", "text/javascript; charset=utf-8"},
		{"parts.js", "text/javascript; charset=utf-8"},
		{"icon.svg", "image/svg+xml"},
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct house_answer answer = house_get(
			house, arena_printf(house_arena(house), "/hook/test/%s", files[i][0]));
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.type, files[i][1]);
		assert_true(answer.len > 100);
	}
	assert_int_equal(house_get(house, "/hook/test/simulator.c").status, 404);
}

/* ---- what the house sends ---- */

static void test_sends_are_shown(void **state)
{
	struct house *house = *state;
	house_send(house, &(struct message_out){
				  .id = "send-1",
				  .to = "volunteers",
				  .group = true,
				  .text = "4713 买菜",
				  .buttons = {{.label = "我来", .data = "claim:4713"}},
				  .button_count = 1,
			  });
	house_send(house, &(struct message_out){
				  .id = "send-2",
				  .to = "+8613800000001",
				  .text = "收到",
				  .buttons = {{.label = "好", .data = "yes"}},
				  .button_count = 1,
			  });
	assert_int_equal(house_settled_count(house), 0); /* never from inside send() */
	assert_true(house_until_settled(house, 2));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(house_settled(house, i)->outcome.kind, OUTCOME_SENT);
		assert_string_equal(house_settled(house, i)->outcome.message_id,
				    house_settled(house, i)->send_id);
	}
	struct json_object *seen = state_of(house);
	assert_int_equal(note_count(seen), 2);
	/* Conversations in the order of the settings: phones first. */
	struct json_object *phone = note_at(seen, 0), *card = note_at(seen, 1);
	assert_int_equal(json_object_array_length(json_object_object_get(phone, "buttons")), 0);
	assert_int_equal(json_object_array_length(json_object_object_get(card, "buttons")), 1);
	assert_null(json_object_object_get(card, "from"));
	json_object_put(seen);
}

static void test_edit_replaces(void **state)
{
	struct house *house = *state;
	struct message_out card = {
		.id = "send-1", .to = "volunteers", .group = true, .text = "open"};
	struct message_out edit = {.id = "send-2",
				   .to = "volunteers",
				   .group = true,
				   .text = "taken",
				   .edit = "send-1"};
	house_send(house, &card);
	house_send(house, &edit);
	house_send(house, &card); /* a late repeat of the first must not undo the edit */
	assert_true(house_until_settled(house, 3));
	assert_string_equal(house_settled(house, 1)->outcome.message_id, "send-1");
	struct json_object *seen = state_of(house);
	assert_int_equal(note_count(seen), 1);
	assert_string_equal(text_of(note_at(seen, 0), "text"), "taken");
	json_object_put(seen);
	/* An edit of what an earlier daemon had posted is shown, not lost. */
	edit.edit = "send-0";
	house_send(house, &edit);
	assert_true(house_until_settled(house, 4));
	assert_string_equal(house_settled(house, 3)->outcome.message_id, "send-0");
	seen = state_of(house);
	assert_int_equal(note_count(seen), 2);
	json_object_put(seen);
}

static void test_unknown_address_is_refused(void **state)
{
	struct house *house = *state;
	house_send(house, &(struct message_out){.id = "a", .to = "+8613800009999", .text = "x"});
	house_send(house, &(struct message_out){.id = "b", .to = "volunteers", .text = "x"});
	assert_true(house_until_settled(house, 2));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(house_settled(house, i)->outcome.kind, OUTCOME_REFUSED);
		assert_int_equal(house_settled(house, i)->outcome.refusal, REFUSAL_UNREACHABLE);
	}
}

static void test_reactions_and_presses(void **state)
{
	struct house *house = *state;
	house_send(house, &(struct message_out){
				  .id = "send-1",
				  .to = "volunteers",
				  .group = true,
				  .text = "4713",
				  .buttons = {{.label = "我来", .data = "claim:4713"}},
				  .button_count = 1,
			  });
	assert_true(house_until_settled(house, 1));
	for (int i = 1; i <= 2; i++)
		post(house, arena_printf(house_arena(house),
					 "{\"id\":\"page-000%d\"," AS "," GROUP
					 ",\"about\":\"send-1\",\"reaction\":\"👍\"}",
					 i));
	post(house, "{\"id\":\"page-0003\"," AS "," GROUP
		    ",\"about\":\"send-1\",\"button\":\"claim:4713\"}");
	struct json_object *seen = state_of(house);
	assert_int_equal(note_count(seen), 2);
	struct json_object *card = note_at(seen, 0), *press = note_at(seen, 1);
	assert_int_equal(json_object_array_length(json_object_object_get(card, "reactions")), 1);
	assert_string_equal(text_of(press, "text"), "我来");
	assert_true(json_object_get_boolean(json_object_object_get(press, "press")));
	json_object_put(seen);
	/* An id of the bot's cannot be taken for one's own. */
	struct house_answer answer =
		post(house, "{\"id\":\"send-1-no\"," AS "," GROUP ",\"text\":\"a\"}");
	assert_int_equal(answer.status, 202);
	house_send(house,
		   &(struct message_out){
			   .id = "send-0002", .to = "volunteers", .group = true, .text = "x"});
	answer = post(house, "{\"id\":\"send-0002\"," AS "," GROUP ",\"text\":\"a\"}");
	assert_int_equal(answer.status, 409);
}

static void test_history_is_bounded(void **state)
{
	struct house *house = *state;
	for (int i = 0; i < SIMULATOR_NOTES_MAX + 5; i++) {
		const char *id = arena_printf(house_arena(house), "send-%d", i);
		house_send(house,
			   &(struct message_out){.id = id, .to = "+8613800000001", .text = "x"});
	}
	assert_true(house_until_settled(house, SIMULATOR_NOTES_MAX + 5));
	struct json_object *seen = state_of(house);
	assert_int_equal(note_count(seen), SIMULATOR_NOTES_MAX);
	assert_string_equal(text_of(note_at(seen, 0), "id"), "send-5");
	json_object_put(seen);
}

struct crowd {
	struct visit pages[SIMULATOR_PAGES_MAX + 1];
	size_t least;
};

static bool crowd_served(void *arg)
{
	const struct crowd *crowd = arg;
	size_t done = 0;
	for (size_t i = 0; i <= SIMULATOR_PAGES_MAX; i++)
		done += crowd->pages[i].done;
	return done >= crowd->least;
}

/* As many pages as there may be, and one more: that one is sent away, the others hear all. */
static void test_events(void **state)
{
	struct house *house = *state;
	struct crowd crowd = {.least = 1};
	struct http_call call = {
		.method = "GET",
		.url = arena_printf(house_arena(house), "%s/hook/test/events", house_url(house)),
	};
	for (size_t i = 0; i <= SIMULATOR_PAGES_MAX; i++) {
		crowd.pages[i].arena = house_arena(house);
		http_start(house_http(house), &call, visited, &crowd.pages[i]);
	}
	assert_true(house_until(house, crowd_served, &crowd));
	house_send(house,
		   &(struct message_out){.id = "send-1", .to = "+8613800000001", .text = "a\nb"});
	assert_true(house_until_settled(house, 1));
	assert_true(house_close(house));
	crowd.least = SIMULATOR_PAGES_MAX + 1;
	assert_true(house_until(house, crowd_served, &crowd));
	size_t refused = 0;
	for (size_t i = 0; i <= SIMULATOR_PAGES_MAX; i++) {
		refused += crowd.pages[i].status == 503;
		if (crowd.pages[i].status == 503)
			continue;
		assert_int_equal(crowd.pages[i].status, 200);
		assert_non_null(strstr(crowd.pages[i].body, "event: hello\ndata: {\"session\":"));
		assert_non_null(strstr(crowd.pages[i].body, "event: note\ndata: {\"phone\":"));
		assert_non_null(strstr(crowd.pages[i].body, "a\\nb"));
	}
	assert_int_equal(refused, 1);
}

/* ---- opening and closing ---- */

static void test_close_with_work_under_way(void **state)
{
	struct house *house = *state;
	house_accept_withhold(house, true);
	struct visit asked = {.arena = house_arena(house)};
	const char *headers[] = {
		"Content-Type: application/json",
		arena_printf(house_arena(house), "Origin: %s", house_url(house)),
		NULL,
	};
	const char *body = "{\"id\":\"page-0001\"," AS ",\"text\":\"a\"}";
	struct http_call call = {
		.method = "POST",
		.url = arena_printf(house_arena(house), "%s/hook/test/send", house_url(house)),
		.headers = headers,
		.body = body,
		.len = strlen(body),
	};
	http_start(house_http(house), &call, visited, &asked);
	assert_true(house_until_accepted(house, 1));
	house_send(house,
		   &(struct message_out){.id = "send-1", .to = "+8613800000001", .text = "x"});
	assert_true(house_close(house));
	assert_int_equal(house_settled_count(house), 1);
	assert_int_equal(house_settled(house, 0)->outcome.kind, OUTCOME_SENT);
	assert_true(house_until(house, visit_done, &asked));
	assert_int_equal(asked.status, 202);
	assert_int_equal(visit(house, "POST", "send", headers[1]), 503);
}

static const struct {
	const char *resident, *group, *why;
} rows[] = {
	{"+8613800000009", "g G", "residents"},
	{"王奶奶 王奶奶", "g G", "residents"},
	{"", "g G", "residents"},
	{"+8613900000001 again", "g G", "volunteers: entry 1"},
	{"+8613800000009 ok", "g", "groups"},
	{"+8613800000009 ok", "a b/c G", NULL},
	{"+8613800000009 Anna Li zh", "g Our Group", NULL},
};

static void test_settings_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct house *house = house_new();
		struct simulator own = settings();
		const char *resident[] = {rows[i].resident}, *group[] = {rows[i].group};
		own.residents = (struct texts)TEXTS(resident);
		own.groups = (struct texts)TEXTS(group);
		int result = house_open(house, adapter_find("simulator"), &own);
		if ((result == 0) != (rows[i].why == NULL) ||
		    (rows[i].why != NULL && strstr(house_error(house), rows[i].why) == NULL))
			fail_msg("row %zu: %s", i, house_error(house));
		house_free(&house);
	}
}

static void test_names_and_languages(void **state)
{
	struct json_object *seen = state_of(*state);
	struct json_object *people = json_object_object_get(seen, "people");
	struct json_object *brown = json_object_array_get_idx(people, 1);
	assert_string_equal(text_of(brown, "name"), "Mr Brown");
	assert_string_equal(text_of(brown, "language"), "en");
	struct json_object *sarah = json_object_array_get_idx(people, 3);
	assert_string_equal(text_of(sarah, "name"), "Sarah");
	assert_null(json_object_object_get(sarah, "language"));
	assert_string_equal(text_of(sarah, "role"), "volunteer");
	json_object_put(seen);
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_HOUSE(test_text_from_a_phone),
		IN_HOUSE(test_words_in_the_group),
		IN_HOUSE(test_bad_input_is_refused),
		IN_HOUSE(test_length_limits),
		IN_HOUSE(test_repeat_shows_once),
		IN_HOUSE(test_store_away),
		IN_HOUSE(test_doors),
		IN_HOUSE(test_files),
		IN_HOUSE(test_sends_are_shown),
		IN_HOUSE(test_edit_replaces),
		IN_HOUSE(test_unknown_address_is_refused),
		IN_HOUSE(test_reactions_and_presses),
		IN_HOUSE(test_history_is_bounded),
		IN_HOUSE(test_events),
		IN_HOUSE(test_close_with_work_under_way),
		IN_HOUSE(test_names_and_languages),
		cmocka_unit_test(test_settings_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
