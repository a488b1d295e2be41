/* adapters/chat/telegram_out.c - sends and edits, and reads in Telegram's answer what became of it.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/telegram.h"
#include "adapters/http.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"

/* What the Bot API server says (tdlib/telegram-bot-api, Client.cpp; core.telegram.org/api/errors).
 * The first row whose code fits and whose words are in the description. */
static const struct refusal_row {
	int code;
	const char *words;
	enum outcome_kind kind;
	enum refusal refusal;
	const char *reason;
} rows[] = {
	{400, "message is not modified", OUTCOME_SENT, REFUSAL_OTHER, NULL},
	{400, "message is too long", OUTCOME_REFUSED, REFUSAL_TEXT, "the text is too long"},
	{400, "text is empty", OUTCOME_REFUSED, REFUSAL_TEXT, "the text is empty"},
	{400, "chat not found", OUTCOME_REFUSED, REFUSAL_UNREACHABLE,
	 "chat not found: never wrote to the bot, or the bot is not in the group"},
	{400, "PEER_ID_INVALID", OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "no such chat"},
	{400, "rights to send", OUTCOME_REFUSED, REFUSAL_CHANNEL,
	 "the bot has no right to write in the group"},
	{400, "message to edit not found", OUTCOME_REFUSED, REFUSAL_OTHER,
	 "the message to edit is gone"},
	{400, "message can't be edited", OUTCOME_REFUSED, REFUSAL_OTHER,
	 "the message can not be edited any more"},
	{400, "", OUTCOME_REFUSED, REFUSAL_OTHER, "Telegram refused the request (400)"},
	{401, "", OUTCOME_REFUSED, REFUSAL_CHANNEL, "Telegram refused the token"},
	{403, "blocked by the user", OUTCOME_REFUSED, REFUSAL_BLOCKED,
	 "the person blocked the bot"},
	{403, "user is deactivated", OUTCOME_REFUSED, REFUSAL_UNREACHABLE,
	 "the account exists no more"},
	{403, "initiate conversation", OUTCOME_REFUSED, REFUSAL_UNREACHABLE,
	 "the person has not written to the bot yet"},
	{403, "", OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "the bot may not write there (403)"},
	{404, "", OUTCOME_REFUSED, REFUSAL_CHANNEL, "Telegram does not know the token"},
};

static struct outcome refused(enum refusal refusal, const char *reason)
{
	return (struct outcome){.kind = OUTCOME_REFUSED, .refusal = refusal, .reason = reason};
}

static struct outcome outcome_of(const struct http_answer *answer, struct json_object *root)
{
	const char *description = telegram_string(root, "description");
	int64_t wait = telegram_int(telegram_member(root, "parameters"), "retry_after");

	if (answer->status == 429)
		return (struct outcome){.kind = OUTCOME_RETRY,
					.retry_ms = wait > 0 ? wait * 1000 : answer->retry_after_ms,
					.reason = "Telegram asks to slow down"};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (answer->status == rows[i].code &&
		    strstr(description ? description : "", rows[i].words))
			return (struct outcome){.kind = rows[i].kind,
						.refusal = rows[i].refusal,
						.reason = rows[i].reason};
	return http_outcome(answer);
}

/* ---- settling ---- */

static void finish(struct telegram_send *send, struct outcome outcome)
{
	struct telegram *telegram = send->telegram;
	const struct host *host = telegram->channel->host;
	struct telegram_send **place = &telegram->sends;

	while (*place != send)
		place = &(*place)->next;
	*place = send->next;
	/* Editing twice to the same text changes nothing, so what is unsure may be repeated. */
	if (outcome.kind == OUTCOME_UNCERTAIN && send->message.edit)
		outcome.kind = OUTCOME_RETRY;
	if (outcome.kind == OUTCOME_SENT && send->message.edit)
		outcome.message_id = send->message.edit;
	host->settled(host->self, telegram->channel, send->message.id, &outcome);
	arena_free(&send->arena);
	free(send);
	telegram_maybe_closed(telegram);
}

static void settle_later(struct telegram *telegram, const char *id, struct outcome outcome)
{
	struct telegram_late *late = xalloc(sizeof *late);

	*late = (struct telegram_late){telegram->late, xstrdup(id), outcome};
	telegram->late = late;
	loop_timer_start(telegram->soon, 0, 0);
}

void telegram_settle_late(struct telegram *telegram)
{
	const struct host *host = telegram->channel->host;

	while (telegram->late) {
		struct telegram_late *late = telegram->late;

		telegram->late = late->next;
		host->settled(host->self, telegram->channel, late->id, &late->outcome);
		free(late->id);
		free(late);
	}
}

/* ---- requests ---- */

static int64_t chat_of(const char *to)
{
	char *end;
	long long chat = strtoll(to, &end, 10);

	return *end ? 0 : chat;
}

/* "17.0badcafe" is message 17; 0: not an id of ours. */
static int64_t message_number(const char *id)
{
	char *end;
	long long number = strtoll(id, &end, 10);

	return *end == '.' && number > 0 ? number : 0;
}

static struct json_object *markup_of(const struct message_out *message)
{
	struct json_object *markup, *row = NULL, *keyboard = json_object_new_array();

	for (size_t i = 0; i < message->button_count && i < MESSAGE_BUTTONS_MAX; i++) {
		struct json_object *button = json_object_new_object();

		if (i % 2 == 0) {
			row = json_object_new_array();
			json_object_array_add(keyboard, row);
		}
		json_object_object_add(button, "text",
				       json_object_new_string(message->buttons[i].label));
		json_object_object_add(button, "callback_data",
				       json_object_new_string(message->buttons[i].data));
		json_object_array_add(row, button);
	}
	markup = json_object_new_object();
	json_object_object_add(markup, "inline_keyboard", keyboard);
	return markup;
}

static struct json_object *body_of(struct telegram_send *send)
{
	const struct message_out *message = &send->message;
	struct json_object *body = json_object_new_object(), *part;
	int64_t chat = telegram_moved(send->telegram, chat_of(message->to));

	json_object_object_add(body, "chat_id", json_object_new_int64(chat));
	json_object_object_add(body, "text", json_object_new_string(message->text));
	/* A preview would have Telegram fetch the page behind every address in a text. */
	part = json_object_new_object();
	json_object_object_add(part, "is_disabled", json_object_new_boolean(true));
	json_object_object_add(body, "link_preview_options", part);
	if (message->edit) {
		json_object_object_add(body, "message_id",
				       json_object_new_int64(message_number(message->edit)));
	} else if (message->about && message_number(message->about)) {
		part = json_object_new_object();
		json_object_object_add(part, "message_id",
				       json_object_new_int64(message_number(message->about)));
		json_object_object_add(part, "allow_sending_without_reply",
				       json_object_new_boolean(true));
		json_object_object_add(body, "reply_parameters", part);
	}
	if (message->button_count)
		json_object_object_add(body, "reply_markup", markup_of(message));
	return body;
}

static void on_sent(void *arg, const struct http_answer *answer);

static void start(struct telegram_send *send)
{
	send->request = telegram_call(send->telegram,
				      send->message.edit ? "editMessageText" : "sendMessage",
				      body_of(send), 0, on_sent, send);
}

static void on_sent(void *arg, const struct http_answer *answer)
{
	struct telegram_send *send = arg;
	struct json_object *root =
		answer->fate == HTTP_ANSWERED ? telegram_parse(answer->body, answer->len) : NULL;
	int64_t moved = telegram_int(telegram_member(root, "parameters"), "migrate_to_chat_id");
	int64_t id = telegram_int(telegram_member(root, "result"), "message_id");
	int64_t chat = chat_of(send->message.to);
	struct outcome outcome = {.kind = OUTCOME_SENT};

	send->request = NULL;
	if (answer->fate != HTTP_ANSWERED) {
		outcome = http_outcome(answer);
	} else if (answer->status == 400 && moved && !send->moved && !send->message.edit &&
		   !send->telegram->closing) {
		/* Not sent: the group has another id now. */
		telegram_note_move(send->telegram, chat, moved);
		send->moved = true;
		json_object_put(root);
		start(send);
		return;
	} else if (answer->status != 200) {
		outcome = outcome_of(answer, root);
	} else if (!send->message.edit && !id) {
		outcome = (struct outcome){.kind = OUTCOME_UNCERTAIN,
					   .reason = "Telegram's answer makes no sense"};
	} else if (!send->message.edit) {
		outcome.message_id =
			telegram_message_id(send->arena, id, telegram_moved(send->telegram, chat));
	}
	json_object_put(root);
	finish(send, outcome);
}

/* The text in at most the units that Telegram takes. */
static const char *fitting(struct arena *arena, const char *text)
{
	size_t points = TELEGRAM_TEXT_UNITS_MAX, units;
	const char *cut = text;

	/* A code point is at most two units. */
	while ((units = text_utf16_units(cut)) > TELEGRAM_TEXT_UNITS_MAX) {
		points -= (units - TELEGRAM_TEXT_UNITS_MAX + 1) / 2;
		cut = text_cut(arena, text, points);
	}
	return cut;
}

static struct message_out copy_message(struct arena *arena, const struct message_out *from)
{
	struct message_out m = *from;

	m.id = arena_str(arena, from->id);
	m.to = arena_str(arena, from->to);
	m.text = fitting(arena, arena_str(arena, from->text ? from->text : ""));
	m.about = arena_str(arena, from->about);
	m.edit = arena_str(arena, from->edit);
	for (size_t i = 0; i < from->button_count && i < MESSAGE_BUTTONS_MAX; i++) {
		m.buttons[i].label = arena_str(arena, from->buttons[i].label);
		m.buttons[i].data = arena_str(arena, from->buttons[i].data);
	}
	return m;
}

/* A reason not to ask Telegram at all, or NULL. */
static const char *unsendable(const struct message_out *message)
{
	if (message->edit && !message_number(message->edit))
		return "the message to edit is none of this channel's";
	for (size_t i = 0; i < message->button_count; i++)
		if (strlen(message->buttons[i].data) > TELEGRAM_BUTTON_BYTES_MAX)
			return "a button's data is longer than 64 bytes";
	return NULL;
}

void telegram_send(struct channel *channel, const struct message_out *message)
{
	struct telegram *telegram = channel->own;
	struct telegram_send *send;

	if (telegram->closing) {
		settle_later(telegram, message->id,
			     (struct outcome){.kind = OUTCOME_RETRY,
					      .reason = "the channel is closing"});
		return;
	}
	if (!chat_of(message->to)) {
		settle_later(telegram, message->id,
			     refused(REFUSAL_UNREACHABLE, "not the number of a chat"));
		return;
	}
	if (unsendable(message)) {
		settle_later(telegram, message->id, refused(REFUSAL_OTHER, unsendable(message)));
		return;
	}
	send = xalloc(sizeof *send);
	send->telegram = telegram;
	send->arena = arena_new();
	send->message = copy_message(send->arena, message);
	send->next = telegram->sends;
	telegram->sends = send;
	start(send);
}

void telegram_cancel_sends(struct telegram *telegram)
{
	for (struct telegram_send *send = telegram->sends; send; send = send->next)
		if (send->request)
			http_cancel(send->request);
}
