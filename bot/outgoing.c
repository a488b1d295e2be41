/* bot/outgoing.c - a send between struct outgoing and the JSON that waits in the outbox. */
#include <json-c/json.h>
#include <string.h>

#include "base/arena.h"
#include "bot/step.h"

/* Texts of the payload by name; `message` ones are offsets into struct outgoing all the same. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
	{"id", offsetof(struct outgoing, message.id)},
	{"to", offsetof(struct outgoing, message.to)},
	{"text", offsetof(struct outgoing, message.text)},
	{"about", offsetof(struct outgoing, message.about)},
	{"edit", offsetof(struct outgoing, message.edit)},
	{"community", offsetof(struct outgoing, community)},
	{"ref", offsetof(struct outgoing, ref)},
	{"replaces", offsetof(struct outgoing, replaces)},
};

enum { TEXTS = sizeof(texts) / sizeof(*texts) };

static void put_text(struct json_object *object, const char *name, const char *value)
{
	if (value)
		json_object_object_add(object, name, json_object_new_string(value));
}

char *outgoing_encode(const struct outgoing *outgoing, struct arena *arena, size_t *len_r)
{
	struct json_object *object = json_object_new_object();
	for (size_t i = 0; i < TEXTS; i++)
		put_text(object, texts[i].name,
			 *(const char *const *)(const void *)((const char *)outgoing +
							      texts[i].offset));
	const struct message_out *message = &outgoing->message;
	if (message->group)
		json_object_object_add(object, "group", json_object_new_boolean(true));
	if (message->button_count) {
		struct json_object *buttons = json_object_new_array();
		for (size_t i = 0; i < message->button_count; i++) {
			struct json_object *button = json_object_new_object();
			put_text(button, "label", message->buttons[i].label);
			put_text(button, "data", message->buttons[i].data);
			json_object_array_add(buttons, button);
		}
		json_object_object_add(object, "buttons", buttons);
	}
	json_object_object_add(object, "not_after", json_object_new_int64(outgoing->not_after));
	json_object_object_add(object, "made_at", json_object_new_int64(outgoing->made_at));
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len_r);
	char *copy = arena_bytes(arena, text, *len_r);
	json_object_put(object);
	return copy;
}

static const char *get_text(struct json_object *object, const char *name, struct arena *arena)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return arena_str(arena, json_object_get_string(value));
}

static int64_t get_int(struct json_object *object, const char *name)
{
	struct json_object *value;
	return json_object_object_get_ex(object, name, &value) ? json_object_get_int64(value) : 0;
}

static void get_buttons(struct json_object *object, struct message_out *message,
			struct arena *arena)
{
	struct json_object *list;
	if (!json_object_object_get_ex(object, "buttons", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	size_t count = json_object_array_length(list);
	for (size_t i = 0; i < count && i < MESSAGE_BUTTONS_MAX; i++) {
		struct json_object *button = json_object_array_get_idx(list, i);
		message->buttons[message->button_count++] = (struct message_button){
			.label = get_text(button, "label", arena),
			.data = get_text(button, "data", arena),
		};
	}
}

int outgoing_decode(const char *payload, size_t len, struct arena *arena,
		    struct outgoing *outgoing_r)
{
	struct json_object *object = json_tokener_parse(arena_bytes(arena, payload, len));
	*outgoing_r = (struct outgoing){.made_at = 0};
	if (!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return -1;
	}
	for (size_t i = 0; i < TEXTS; i++)
		*(const char **)(void *)((char *)outgoing_r + texts[i].offset) =
			get_text(object, texts[i].name, arena);
	struct json_object *group;
	outgoing_r->message.group = json_object_object_get_ex(object, "group", &group) &&
				    json_object_get_boolean(group);
	get_buttons(object, &outgoing_r->message, arena);
	outgoing_r->not_after = get_int(object, "not_after");
	outgoing_r->made_at = get_int(object, "made_at");
	json_object_put(object);
	return outgoing_r->message.id && outgoing_r->message.to && outgoing_r->message.text ? 0
											    : -1;
}
