/* tests/fuzz/fuzz_telegram.c - any answer to getUpdates, read as the adapter reads it. */
#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>

#include "adapters/chat/telegram.h"
#include "base/arena.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(struct arena *arena, struct json_object *update)
{
	static const struct telegram_self self = {123456789, "linli_test_bot"};
	struct message_in messages[TELEGRAM_UPDATE_MESSAGES_MAX];
	struct telegram_notice notice;
	size_t count = telegram_read_update(arena, update, &self, messages, &notice);

	if (count > TELEGRAM_UPDATE_MESSAGES_MAX)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (!messages[i].id || !messages[i].sender)
			abort();
		if (messages[i].text)
			text_points(messages[i].text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct json_object *root = telegram_parse((const char *)data, size);
	struct json_object *result = telegram_member(root, "result");

	read_one(arena, root);
	if (json_object_is_type(result, json_type_array))
		for (size_t i = 0; i < json_object_array_length(result); i++)
			read_one(arena, json_object_array_get_idx(result, i));
	json_object_put(root);
	arena_free(&arena);
	return 0;
}
