/* bot/run/envelope.c - events turn into JSON for the inbox and back by one table of fields. */
#include "bot/run/envelope.h"

#include <json-c/json.h>
#include <string.h>

#include "base/arena.h"

enum field_type { FIELD_STRING, FIELD_INT, FIELD_INT64, FIELD_DOUBLE };

struct field {
	const char *key;
	enum field_type type;
	size_t offset;
};

#define EVENT_FIELD(key, type, member) {key, type, offsetof(struct event, member)}

static const struct field common_fields[] = {
	EVENT_FIELD("community", FIELD_STRING, community),
	EVENT_FIELD("channel", FIELD_STRING, channel),
	EVENT_FIELD("key", FIELD_STRING, sender_key),
	{NULL, FIELD_STRING, 0},
};

static const struct field message_fields[] = {
	EVENT_FIELD("kind", FIELD_INT, message.kind),
	EVENT_FIELD("id", FIELD_STRING, message.id),
	EVENT_FIELD("sender", FIELD_STRING, message.sender),
	EVENT_FIELD("direct", FIELD_STRING, message.direct),
	EVENT_FIELD("group", FIELD_STRING, message.group),
	EVENT_FIELD("name", FIELD_STRING, message.name),
	EVENT_FIELD("text", FIELD_STRING, message.text),
	EVENT_FIELD("about", FIELD_STRING, message.about),
	EVENT_FIELD("button", FIELD_STRING, message.button),
	EVENT_FIELD("language", FIELD_STRING, message.language),
	EVENT_FIELD("receipt", FIELD_INT, message.receipt),
	EVENT_FIELD("sent_at", FIELD_INT64, message.sent_at),
	EVENT_FIELD("media", FIELD_STRING, message.media),
	EVENT_FIELD("lat", FIELD_DOUBLE, message.latitude),
	EVENT_FIELD("lon", FIELD_DOUBLE, message.longitude),
	{NULL, FIELD_STRING, 0},
};

static const struct field outcome_fields[] = {
	EVENT_FIELD("send", FIELD_STRING, send_id),
	EVENT_FIELD("ref", FIELD_STRING, ref),
	EVENT_FIELD("outcome", FIELD_INT, outcome.kind),
	EVENT_FIELD("refusal", FIELD_INT, outcome.refusal),
	EVENT_FIELD("message", FIELD_STRING, outcome.message_id),
	{NULL, FIELD_STRING, 0},
};

_Static_assert(sizeof(enum message_kind) == sizeof(int) && sizeof(enum refusal) == sizeof(int),
	       "enums are written and read as int");

/* Absent means zero: nothing is written for it. */
static struct json_object *field_value(const struct event *event, const struct field *field)
{
	const char *at = (const char *)event + field->offset;
	const char *string;
	int64_t number = 0;
	double real;

	switch (field->type) {
	case FIELD_STRING:
		memcpy(&string, at, sizeof(string));
		return string ? json_object_new_string(string) : NULL;
	case FIELD_INT:
		number = *(const int *)(const void *)at;
		return number ? json_object_new_int64(number) : NULL;
	case FIELD_INT64:
		memcpy(&number, at, sizeof(number));
		return number ? json_object_new_int64(number) : NULL;
	case FIELD_DOUBLE:
		memcpy(&real, at, sizeof(real));
		return real < 0 || real > 0 ? json_object_new_double(real) : NULL;
	}
	return NULL;
}

static void write_fields(struct json_object *object, const struct event *event,
			 const struct field *fields)
{
	for (; fields->key; fields++) {
		struct json_object *value = field_value(event, fields);

		if (value)
			json_object_object_add_ex(object, fields->key, value,
						  JSON_C_OBJECT_ADD_CONSTANT_KEY);
	}
}

static char *write_event(struct arena *arena, const struct event *event,
			 const struct field *fields, size_t *len_r)
{
	struct json_object *object = json_object_new_object();
	const char *text;
	char *copy;

	write_fields(object, event, common_fields);
	write_fields(object, event, fields);
	text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len_r);
	copy = arena_bytes(arena, text, *len_r);
	json_object_put(object);
	return copy;
}

char *envelope_message(struct arena *arena, const char *community, const char *channel,
		       const char *sender_key, const struct message_in *message, size_t *len_r)
{
	struct event event = {.community = community, .channel = channel,
			      .sender_key = sender_key, .message = *message};

	return write_event(arena, &event, message_fields, len_r);
}

char *envelope_outcome(struct arena *arena, const char *community, const char *channel,
		       const char *sender_key, const char *send_id, const char *ref,
		       const struct outcome *outcome, size_t *len_r)
{
	struct event event = {.community = community, .channel = channel,
			      .sender_key = sender_key, .send_id = send_id, .ref = ref,
			      .outcome = *outcome};

	return write_event(arena, &event, outcome_fields, len_r);
}

static void read_fields(struct arena *arena, struct json_object *object, struct event *event,
			const struct field *fields)
{
	for (; fields->key; fields++) {
		char *at = (char *)event + fields->offset;
		struct json_object *value;
		const char *string;
		int64_t number;
		double real;

		if (!json_object_object_get_ex(object, fields->key, &value))
			continue;
		switch (fields->type) {
		case FIELD_STRING:
			string = arena_bytes(arena, json_object_get_string(value),
					     (size_t)json_object_get_string_len(value));
			memcpy(at, &string, sizeof(string));
			break;
		case FIELD_INT:
			*(int *)(void *)at = json_object_get_int(value);
			break;
		case FIELD_INT64:
			number = json_object_get_int64(value);
			memcpy(at, &number, sizeof(number));
			break;
		case FIELD_DOUBLE:
			real = json_object_get_double(value);
			memcpy(at, &real, sizeof(real));
			break;
		}
	}
}

int envelope_read(struct arena *arena, const char *body, size_t len, struct event *event_r)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, body, (int)len);
	int result = -1;

	if (json_object_is_type(object, json_type_object)) {
		bool outcome = json_object_object_get_ex(object, "send", NULL);

		event_r->type = outcome ? EVENT_OUTCOME : EVENT_MESSAGE;
		read_fields(arena, object, event_r, common_fields);
		read_fields(arena, object, event_r, outcome ? outcome_fields : message_fields);
		if (event_r->community && event_r->channel &&
		    (outcome || (event_r->message.sender && event_r->sender_key) ||
		     event_r->message.kind == MESSAGE_RECEIPT))
			result = 0;
	}
	json_object_put(object);
	json_tokener_free(tokener);
	return result;
}
