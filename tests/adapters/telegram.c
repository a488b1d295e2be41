/* tests/adapters/telegram.c - Telegram's documented updates (fixtures/telegram), each read once. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "adapters/chat/telegram.h"
#include "base/arena.h"
#include "base/buf.h"

static const struct telegram_self self = {123456789, "linli_test_bot"};

/* What is expected of each: fields in order, "-" for none; NULL rows bring no message. */
static const struct row {
	const char *file;
	const char *expected;
} rows[] = {
	{"guide-text", "text 1365 1111111 - /start - -"},
	{"guide-reply", "text 1365 1111111 - /start 1334 -"},
	{"guide-entities", "text 1365 1111111 - Bold and italics - -"},
	{"guide-edited", NULL},
	{"guide-audio", NULL},
	{"guide-callback-inline", NULL},
	{"api-callback", "button tap-4382bfdwdsb323b2d9 4000000011 -1001234567890 - 57 take:17"},
	{"api-reaction", "reaction reaction-700000003-1 4000000011 -1001234567890 👍 57 -"},
	{"api-mention", "text 58 4000000011 -1001234567890 😀  接单 17 - -"},
	{"api-command", "text 59 4000000011 -1001234567890 /help 17 - -"},
	{"api-command-other", NULL},
	{"api-anonymous", NULL},
	{"api-forum", "text 62 4000000011 -1001234567890 接单 17 - -"},
	{"api-photo", "text 63 4000000011 - 门口 - -"},
	{"api-location", "text 64 4000000011 -  - -"},
	{"api-moved", NULL},
	{"api-removed", NULL},
};

static struct json_object *fixture(struct arena *arena, const char *name)
{
	const char *source = getenv("LINLI_SOURCE");
	char *path = arena_printf(arena, "%s/tests/adapters/fixtures/telegram/%s.json",
				  source ? source : ".", name);
	char text[8192];
	FILE *file = fopen(path, "rb");
	struct json_object *root;
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof text, file);
	fclose(file);
	root = telegram_parse(text, len);
	assert_non_null(root);
	return root;
}

/* "58.0badcafe" as "58"; the tag is checked to be there. */
static const char *number(struct arena *arena, const char *id)
{
	const char *dot = id ? strchr(id, '.') : NULL;

	if (!dot)
		return id ? id : "-";
	assert_int_equal(strlen(dot), 9);
	return arena_bytes(arena, id, (size_t)(dot - id));
}

static const char *or_none(const char *s)
{
	return s ? s : "-";
}

static void test_documented_updates(void **state)
{
	static const char *const kinds[] = {"text", "button", "reaction", "receipt"};
	struct message_in messages[TELEGRAM_UPDATE_MESSAGES_MAX];
	struct telegram_notice notice;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena *arena = arena_new();
		struct json_object *update = fixture(arena, rows[i].file);
		const struct message_in *m = messages;
		size_t count = telegram_read_update(arena, update, &self, messages, &notice);

		assert_int_equal(count, rows[i].expected ? 1 : 0);
		if (count)
			assert_string_equal(arena_printf(arena, "%s %s %s %s %s %s %s",
							 kinds[m->kind], number(arena, m->id),
							 m->sender, or_none(m->group),
							 or_none(m->text), number(arena, m->about),
							 or_none(m->button)),
					    rows[i].expected);
		json_object_put(update);
		arena_free(&arena);
	}
}

static void test_notices(void **state)
{
	struct arena *arena = arena_new();
	struct message_in messages[TELEGRAM_UPDATE_MESSAGES_MAX];
	struct telegram_notice notice;
	struct json_object *update = fixture(arena, "api-moved");

	(void)state;
	telegram_read_update(arena, update, &self, messages, &notice);
	assert_true(notice.moved_from == -42 && notice.moved_to == -1009876543210);
	json_object_put(update);
	update = fixture(arena, "api-removed");
	telegram_read_update(arena, update, &self, messages, &notice);
	assert_true(notice.removed && !notice.moved_to);
	json_object_put(update);
	update = fixture(arena, "guide-callback-inline");
	telegram_read_update(arena, update, &self, messages, &notice);
	assert_string_equal(notice.callback_id, "4382bfdwdsb323b2d9");
	json_object_put(update);
	update = fixture(arena, "api-photo");
	telegram_read_update(arena, update, &self, messages, &notice);
	assert_string_equal(messages[0].media, "AgADlarge");
	assert_int_equal(messages[0].sent_at, 1795463612000);
	json_object_put(update);
	update = fixture(arena, "api-location");
	telegram_read_update(arena, update, &self, messages, &notice);
	assert_true(messages[0].latitude > 31.23 && messages[0].longitude > 121.47);
	json_object_put(update);
	arena_free(&arena);
}

/* The same number in two chats is two messages. */
static void test_ids_tell_chats_apart(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_not_equal(telegram_message_id(arena, 5, -100),
				telegram_message_id(arena, 5, 11));
	assert_string_equal(telegram_message_id(arena, 5, 11), telegram_message_id(arena, 5, 11));
	arena_free(&arena);
}

static void test_nonsense_is_skipped(void **state)
{
	static const char *const nonsense[] = {
		"{}",
		"[]",
		"null",
		"7",
		"{\"message\":7}",
		"{\"message\":{\"chat\":{\"id\":\"x\"},\"from\":{\"id\":1},\"message_id\":1,"
		"\"text\":\"a\"}}",
		"{\"message\":{\"chat\":{\"id\":1},\"from\":{\"id\":1},\"message_id\":1,\"text\":7}"
		"}",
		"{\"message\":{\"chat\":{\"id\":1},\"message_id\":1,\"text\":\"nobody\"}}",
		"{\"message_reaction\":{\"chat\":{\"id\":1},\"message_id\":1,\"user\":{\"id\":1},"
		"\"new_reaction\":{}}}",
	};
	struct message_in messages[TELEGRAM_UPDATE_MESSAGES_MAX];
	struct telegram_notice notice;

	(void)state;
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		struct arena *arena = arena_new();
		struct json_object *update = telegram_parse(nonsense[i], strlen(nonsense[i]));

		assert_int_equal(telegram_read_update(arena, update, &self, messages, &notice), 0);
		json_object_put(update);
		arena_free(&arena);
	}
	assert_null(telegram_parse("{", 1));
	assert_null(telegram_parse("{} x", 4));
	assert_null(telegram_parse("\"\xff\"", 3));
}

/* Entities that lie about their place cut nothing outside the text. */
static void test_entities_out_of_place(void **state)
{
	static const struct {
		const char *offset, *length;
	} places[] = {{"-1", "5"},  {"0", "0"},           {"0", "-5"},
		      {"99", "15"}, {"3", "99999999999"}, {"2147483647", "2147483647"},
		      {"0", "999"}};
	struct message_in messages[TELEGRAM_UPDATE_MESSAGES_MAX];
	struct telegram_notice notice;

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct arena *arena = arena_new();
		char *json = arena_printf(
			arena,
			"{\"message\":{\"chat\":{\"id\":1},\"from\":{\"id\":1},"
			"\"message_id\":1,\"text\":\"😀 @linli_test_bot hi\","
			"\"entities\":[{\"type\":\"mention\",\"offset\":%s,\"length\":%s}]}}",
			places[i].offset, places[i].length);
		struct json_object *update = telegram_parse(json, strlen(json));

		assert_int_equal(telegram_read_update(arena, update, &self, messages, &notice), 1);
		assert_string_equal(messages[0].text, "😀 @linli_test_bot hi");
		json_object_put(update);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documented_updates),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_ids_tell_chats_apart),
		cmocka_unit_test(test_nonsense_is_skipped),
		cmocka_unit_test(test_entities_out_of_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
