/* adapters/chat/telegram_in.c - reads Telegram's updates: who said what, where, about what. */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "adapters/chat/tag.h"
#include "adapters/chat/telegram.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

enum { JSON_DEPTH_MAX = 32, ENTITIES_MAX = 100 };

struct json_object *telegram_parse(const char *json, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *root;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = len < INT32_MAX ? json_tokener_parse_ex(tokener, json, (int)len) : NULL;
	if (root && json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	return root;
}

struct json_object *telegram_member(struct json_object *object, const char *name)
{
	struct json_object *member;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &member))
		return NULL;
	return member;
}

int64_t telegram_int(struct json_object *object, const char *name)
{
	struct json_object *member = telegram_member(object, name);

	return json_object_is_type(member, json_type_int) ? json_object_get_int64(member) : 0;
}

const char *telegram_string(struct json_object *object, const char *name)
{
	struct json_object *member = telegram_member(object, name);

	return json_object_is_type(member, json_type_string) ? json_object_get_string(member)
							     : NULL;
}

static bool flag(struct json_object *object, const char *name)
{
	struct json_object *member = telegram_member(object, name);

	return json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member);
}

static double number(struct json_object *object, const char *name)
{
	struct json_object *member = telegram_member(object, name);

	return json_object_is_type(member, json_type_double) ||
			       json_object_is_type(member, json_type_int)
		       ? json_object_get_double(member)
		       : 0;
}

static struct json_object *item(struct json_object *array, size_t i)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_get_idx(array, i)
							   : NULL;
}

static size_t length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static char *decimal(struct arena *arena, int64_t n)
{
	return arena_printf(arena, "%" PRId64, n);
}

char *telegram_message_id(struct arena *arena, int64_t message_id, int64_t chat)
{
	return arena_printf(arena, "%" PRId64 ".%08x", message_id,
			    (unsigned)chat_tag(decimal(arena, chat)));
}

/* ---- text and entities ---- */

/* The byte at which UTF-16 unit `unit` begins; the text's length if it has fewer. */
static size_t byte_of_unit(const char *text, int64_t unit)
{
	const char *at = text;
	int32_t point;
	size_t bytes;

	while (unit > 0 && (bytes = text_next(at, &point))) {
		at += bytes;
		unit -= point > 0xFFFF ? 2 : 1;
	}
	return (size_t)(at - text);
}

static bool names_us(const char *name, size_t len, const struct telegram_self *self)
{
	return self->username && strlen(self->username) == len &&
	       !strncasecmp(name, self->username, len);
}

/* What of an entity is an address to the bot and no word: [*start, *end) to cut. False: nothing.
 * *other_r: a command to another bot in the same group. */
static bool address_range(const char *text, struct json_object *entity,
			  const struct telegram_self *self, size_t *start, size_t *end,
			  bool *other_r)
{
	const char *type = telegram_string(entity, "type"), *at;
	int64_t offset = telegram_int(entity, "offset"), units = telegram_int(entity, "length");

	if (!type || offset < 0 || units <= 0 || offset > INT32_MAX || units > INT32_MAX)
		return false;
	*start = byte_of_unit(text, offset);
	*end = *start + byte_of_unit(text + *start, units);
	if (!strcmp(type, "mention"))
		return *end > *start && names_us(text + *start + 1, *end - *start - 1, self);
	if (!strcmp(type, "text_mention"))
		return telegram_int(telegram_member(entity, "user"), "id") == self->id;
	if (strcmp(type, "bot_command") != 0)
		return false;
	/* "/help@this_bot": the command stays, the address goes. */
	at = memchr(text + *start, '@', *end - *start);
	if (!at)
		return false;
	*start = (size_t)(at - text);
	*other_r |= !names_us(at + 1, *end - *start - 1, self);
	return true;
}

/* The text without "@this_bot"; NULL if it is a command to another bot. */
static const char *own_words(struct arena *arena, const char *text, struct json_object *entities,
			     const struct telegram_self *self)
{
	struct buf out;
	size_t done = 0;
	bool other = false, cut = false;
	char *words;

	buf_init(&out, strlen(text) + 1);
	for (size_t i = 0; i < length(entities) && i < ENTITIES_MAX; i++) {
		size_t start, end;

		if (!address_range(text, item(entities, i), self, &start, &end, &other) ||
		    start < done)
			continue;
		buf_add(&out, text + done, start - done);
		done = end;
		cut = true;
	}
	if (other || !cut) {
		buf_free(&out);
		return other ? NULL : text;
	}
	buf_str(&out, text + done);
	words = out.len ? arena_bytes(arena, out.data, out.len) : arena_str(arena, "");
	buf_free(&out);
	return words + strspn(words, " \n");
}

/* ---- updates ---- */

static bool is_private(struct json_object *chat)
{
	const char *type = telegram_string(chat, "type");

	/* Only groups have negative numbers. */
	return type ? !strcmp(type, "private") : telegram_int(chat, "id") > 0;
}

/* A person of flesh and blood. Anonymous administrators and channels speak as a chat: they cannot
 * be answered in private, so they cannot take part. */
static bool is_person(struct json_object *user)
{
	return telegram_int(user, "id") > 0 && !flag(user, "is_bot");
}

static struct message_in base_of(struct arena *arena, struct json_object *chat,
				 struct json_object *user)
{
	return (struct message_in){
		.sender = decimal(arena, telegram_int(user, "id")),
		.group = is_private(chat) ? NULL : decimal(arena, telegram_int(chat, "id")),
		.name = telegram_string(user, "first_name"),
		.language = telegram_string(user, "language_code"),
	};
}

static const char *photo_of(struct json_object *message)
{
	struct json_object *sizes = telegram_member(message, "photo");
	struct json_object *document = telegram_member(message, "document");
	const char *type = telegram_string(document, "mime_type");

	if (length(sizes)) /* the last is the largest */
		return telegram_string(item(sizes, length(sizes) - 1), "file_id");
	return type && !strncmp(type, "image/", 6) ? telegram_string(document, "file_id") : NULL;
}

static size_t read_message(struct arena *arena, struct json_object *message,
			   const struct telegram_self *self, struct message_in *out,
			   struct telegram_notice *notice)
{
	struct json_object *chat = telegram_member(message, "chat");
	struct json_object *user = telegram_member(message, "from");
	struct json_object *quoted = telegram_member(message, "reply_to_message");
	struct json_object *place = telegram_member(message, "location");
	const char *text = telegram_string(message, "text");
	struct json_object *entities =
		telegram_member(message, text ? "entities" : "caption_entities");
	int64_t chat_id = telegram_int(chat, "id"), id = telegram_int(message, "message_id");

	notice->moved_to = telegram_int(message, "migrate_to_chat_id");
	notice->moved_from = notice->moved_to ? chat_id : 0;
	if (!chat_id || !id || !is_person(user) || telegram_member(message, "sender_chat"))
		return 0;
	if (!text)
		text = telegram_string(message, "caption");
	*out = base_of(arena, chat, user);
	out->kind = MESSAGE_TEXT;
	out->id = telegram_message_id(arena, id, chat_id);
	out->sent_at = telegram_int(message, "date") * 1000;
	out->media = photo_of(message);
	out->latitude = number(place, "latitude");
	out->longitude = number(place, "longitude");
	if (!text && !out->media && !place)
		return 0;
	out->text = own_words(arena, text ? text : "", entities, self);
	/* In a forum every message "answers" the one that opened the topic. */
	if (quoted && !telegram_member(quoted, "forum_topic_created") &&
	    telegram_int(quoted, "message_id"))
		out->about =
			telegram_message_id(arena, telegram_int(quoted, "message_id"), chat_id);
	return out->text ? 1 : 0;
}

static size_t read_callback(struct arena *arena, struct json_object *callback,
			    struct message_in *out, struct telegram_notice *notice)
{
	struct json_object *message = telegram_member(callback, "message");
	struct json_object *chat = telegram_member(message, "chat");
	struct json_object *user = telegram_member(callback, "from");
	int64_t chat_id = telegram_int(chat, "id"), id = telegram_int(message, "message_id");

	notice->callback_id = telegram_string(callback, "id");
	if (!notice->callback_id || !chat_id || !id || !is_person(user) ||
	    !telegram_string(callback, "data"))
		return 0;
	*out = base_of(arena, chat, user);
	out->kind = MESSAGE_BUTTON;
	out->id = arena_printf(arena, "tap-%s", notice->callback_id);
	out->about = telegram_message_id(arena, id, chat_id);
	out->button = telegram_string(callback, "data");
	return 1;
}

static bool has_emoji(struct json_object *reactions, const char *emoji)
{
	for (size_t i = 0; i < length(reactions); i++) {
		const char *other = telegram_string(item(reactions, i), "emoji");

		if (other && !strcmp(other, emoji))
			return true;
	}
	return false;
}

static size_t read_reaction(struct arena *arena, struct json_object *reaction, int64_t update_id,
			    struct message_in *out)
{
	struct json_object *chat = telegram_member(reaction, "chat");
	struct json_object *user = telegram_member(reaction, "user");
	struct json_object *now = telegram_member(reaction, "new_reaction");
	struct json_object *before = telegram_member(reaction, "old_reaction");
	int64_t chat_id = telegram_int(chat, "id"), id = telegram_int(reaction, "message_id");
	size_t count = 0;

	if (!chat_id || !id || !is_person(user))
		return 0;
	for (size_t i = 0; i < length(now) && count < TELEGRAM_UPDATE_MESSAGES_MAX; i++) {
		const char *emoji = telegram_string(item(now, i), "emoji");

		if (!emoji || has_emoji(before, emoji))
			continue;
		out[count] = base_of(arena, chat, user);
		out[count].kind = MESSAGE_REACTION;
		out[count].id = arena_printf(arena, "reaction-%" PRId64 "-%zu", update_id, i);
		out[count].about = telegram_message_id(arena, id, chat_id);
		out[count].text = emoji;
		out[count].sent_at = telegram_int(reaction, "date") * 1000;
		count++;
	}
	return count;
}

/* my_chat_member: our own standing changed. */
static void read_standing(struct json_object *member, struct telegram_notice *notice)
{
	const char *status = telegram_string(telegram_member(member, "new_chat_member"), "status");

	notice->removed = status && !is_private(telegram_member(member, "chat")) &&
			  (!strcmp(status, "kicked") || !strcmp(status, "left"));
}

size_t telegram_read_update(struct arena *arena, struct json_object *update,
			    const struct telegram_self *self, struct message_in *messages,
			    struct telegram_notice *notice_r)
{
	struct json_object *part;

	*notice_r = (struct telegram_notice){0};
	if ((part = telegram_member(update, "message")))
		return read_message(arena, part, self, messages, notice_r);
	if ((part = telegram_member(update, "callback_query")))
		return read_callback(arena, part, messages, notice_r);
	if ((part = telegram_member(update, "message_reaction")))
		return read_reaction(arena, part, telegram_int(update, "update_id"), messages);
	if ((part = telegram_member(update, "my_chat_member")))
		read_standing(part, notice_r);
	return 0;
}
