/* adapters/chat/telegram.c - asks Telegram for news by long polling, and tells it what is safely
 * kept. */
#include "adapters/chat/telegram.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/http.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

enum {
	BACKOFF_MS = 1000,
	BACKOFF_MAX_MS = 60000,
	OFFER_AGAIN_MS = 1000,
	POLL_SLACK_MS = 15000, /* beyond the time that Telegram was asked to hold the poll */
	POLL_BODY_MAX = 8 * 1024 * 1024, /* a hundred updates of long texts */
};

static int64_t now_ms(void)
{
	return clock_mono_us() / 1000;
}

static void tell_health(struct telegram *telegram, enum channel_health health, const char *why)
{
	const struct host *host = telegram->channel->host;

	if (!telegram->closing)
		host->health(host->self, telegram->channel, health, why);
}

struct http_request *telegram_call(struct telegram *telegram, const char *method,
				   struct json_object *body, int64_t timeout_ms,
				   void (*done)(void *arg, const struct http_answer *answer),
				   void *arg)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	struct http_request *request;
	struct buf url;
	size_t len;
	const char *json = json_object_to_json_string_length(
		body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	buf_init(&url, 0);
	buf_printf(&url, "%s/bot%s/%s", telegram->url, telegram->token, method);
	request = http_start(telegram->channel->host->http,
			     &(struct http_call){
				     .method = "POST",
				     .url = url.data,
				     .headers = headers,
				     .body = json,
				     .len = len,
				     .timeout_ms = timeout_ms,
				     .body_max = POLL_BODY_MAX,
			     },
			     done, arg);
	buf_free(&url);
	json_object_put(body);
	return request;
}

/* ---- groups that moved ---- */

int64_t telegram_moved(const struct telegram *telegram, int64_t chat)
{
	for (const struct telegram_move *move = telegram->moves; move; move = move->next)
		if (move->from == chat)
			return move->to;
	return chat;
}

void telegram_note_move(struct telegram *telegram, int64_t from, int64_t to)
{
	struct telegram_move *move;

	if (telegram_moved(telegram, from) == to || !from || !to)
		return;
	move = xalloc(sizeof *move);
	*move = (struct telegram_move){telegram->moves, from, to};
	telegram->moves = move;
	log_warning(&telegram->channel->log,
		    "a group became a supergroup: write %lld instead of %lld in the settings",
		    (long long)to, (long long)from);
}

/* The house goes on calling the group what its settings call it. */
static const char *told_group(struct telegram *telegram, const char *group)
{
	long long id = group ? strtoll(group, NULL, 10) : 0;

	for (const struct telegram_move *move = telegram->moves; move; move = move->next)
		if (move->to == id)
			return arena_printf(telegram->batch, "%lld", (long long)move->from);
	return group;
}

/* ---- what came ---- */

static void again_in(struct telegram *telegram, int64_t ms)
{
	if (!telegram->closing)
		loop_timer_start(telegram->timer, (uint64_t)ms, 0);
}

static void drop_batch(struct telegram *telegram)
{
	arena_free(&telegram->batch);
	json_object_put(telegram->batch_json);
	telegram->batch_json = NULL;
	telegram->messages = NULL;
	telegram->message_count = 0;
}

static void on_accepted(void *arg, enum accept_result result)
{
	struct telegram *telegram = arg;

	telegram->offered = false;
	if (result == ACCEPTED) {
		telegram->offset = telegram->batch_offset;
		drop_batch(telegram);
		again_in(telegram, 0);
	} else {
		again_in(telegram, OFFER_AGAIN_MS);
	}
	telegram_maybe_closed(telegram);
}

static void offer(struct telegram *telegram)
{
	const struct host *host = telegram->channel->host;

	telegram->offered = true;
	host->accept(host->self, telegram->channel, telegram->messages, telegram->message_count,
		     on_accepted, telegram);
}

static void on_tap_answered(void *arg, const struct http_answer *answer)
{
	struct telegram *telegram = arg;

	/* Too late, or not at all: the button's clock turns a little longer, nothing else. */
	(void)answer;
	telegram->answering--;
	telegram_maybe_closed(telegram);
}

static void answer_tap(struct telegram *telegram, const char *callback_id)
{
	struct json_object *body = json_object_new_object();

	json_object_object_add(body, "callback_query_id", json_object_new_string(callback_id));
	telegram->answering++;
	telegram_call(telegram, "answerCallbackQuery", body, 0, on_tap_answered, telegram);
}

static void read_one(struct telegram *telegram, struct json_object *update)
{
	struct telegram_self self = {telegram->id, telegram->username};
	struct message_in read[TELEGRAM_UPDATE_MESSAGES_MAX];
	struct telegram_notice notice;
	size_t count;

	if (telegram_int(update, "update_id") >= telegram->batch_offset)
		telegram->batch_offset = telegram_int(update, "update_id") + 1;
	count = telegram_read_update(telegram->batch, update, &self, read, &notice);
	if (notice.callback_id)
		answer_tap(telegram, notice.callback_id);
	if (notice.moved_to)
		telegram_note_move(telegram, notice.moved_from, notice.moved_to);
	if (notice.removed)
		log_warning(&telegram->channel->log, "the bot was put out of a group");
	for (size_t i = 0; i < count; i++) {
		telegram->messages =
			arena_grow(telegram->batch, telegram->messages, telegram->message_count,
				   sizeof *telegram->messages);
		read[i].group = told_group(telegram, read[i].group);
		telegram->messages[telegram->message_count++] = read[i];
	}
}

/* Takes over `root`. */
static void take_updates(struct telegram *telegram, struct json_object *root)
{
	struct json_object *result = telegram_member(root, "result");
	size_t count =
		json_object_is_type(result, json_type_array) ? json_object_array_length(result) : 0;
	int64_t spent = now_ms() - telegram->asked_at;

	telegram->batch = arena_new();
	telegram->batch_json = root;
	telegram->batch_offset = telegram->offset;
	for (size_t i = 0; i < count; i++)
		read_one(telegram, json_object_array_get_idx(result, i));
	if (telegram->message_count) {
		offer(telegram);
		return;
	}
	telegram->offset = telegram->batch_offset;
	drop_batch(telegram);
	again_in(telegram, count || spent >= TELEGRAM_FLOOR_MS ? 0 : TELEGRAM_FLOOR_MS - spent);
}

/* ---- asking ---- */

static void rest(struct telegram *telegram, const char *sentence)
{
	log_error(&telegram->channel->log, "telegram: %s", sentence);
	tell_health(telegram, CHANNEL_DEAD, sentence);
	again_in(telegram, telegram->rest_ms);
}

static void back_off(struct telegram *telegram, int64_t ms, const char *why)
{
	tell_health(telegram, CHANNEL_RETRYING, why);
	if (ms <= 0) {
		ms = telegram->backoff_ms;
		telegram->backoff_ms = ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : ms * 2;
	}
	again_in(telegram, ms);
}

/* A poll or getMe that brought no result. */
static void refused(struct telegram *telegram, const struct http_answer *answer,
		    struct json_object *root)
{
	const char *description = telegram_string(root, "description");
	int64_t wait = telegram_int(telegram_member(root, "parameters"), "retry_after") * 1000;

	if (answer->fate != HTTP_ANSWERED)
		back_off(telegram, 0, "Telegram can not be reached");
	else if (answer->status == 401 || answer->status == 404)
		rest(telegram, "Telegram refused the token: check `token`");
	else if (answer->status == 409 && description && strstr(description, "webhook"))
		rest(telegram, "a webhook is set for this bot, so it can not be polled: "
			       "call deleteWebhook");
	else if (answer->status == 409)
		rest(telegram,
		     "another program polls with this token: stop it, or make a new token");
	else if (answer->status == 429)
		back_off(telegram, wait > 0 ? wait : answer->retry_after_ms,
			 "Telegram asks to slow down");
	else
		back_off(telegram, 0, "Telegram answers with an error");
}

static void on_updates(void *arg, const struct http_answer *answer)
{
	struct telegram *telegram = arg;
	struct json_object *root =
		answer->fate == HTTP_ANSWERED ? telegram_parse(answer->body, answer->len) : NULL;

	telegram->polling = NULL;
	if (telegram->closing) {
		json_object_put(root);
		telegram_maybe_closed(telegram);
	} else if (answer->fate == HTTP_ANSWERED && answer->status == 200 && root &&
		   telegram_member(root, "result")) {
		telegram->backoff_ms = BACKOFF_MS;
		tell_health(telegram, CHANNEL_UP, NULL);
		take_updates(telegram, root);
	} else {
		refused(telegram, answer, root);
		json_object_put(root);
	}
}

static void poll_updates(struct telegram *telegram)
{
	static const char *const kinds[] = {"message", "callback_query", "message_reaction",
					    "my_chat_member"};
	struct json_object *body = json_object_new_object(), *allowed = json_object_new_array();

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		json_object_array_add(allowed, json_object_new_string(kinds[i]));
	if (telegram->offset)
		json_object_object_add(body, "offset", json_object_new_int64(telegram->offset));
	json_object_object_add(body, "limit", json_object_new_int(TELEGRAM_UPDATES_MAX));
	json_object_object_add(body, "timeout", json_object_new_int64(telegram->poll_ms / 1000));
	json_object_object_add(body, "allowed_updates", allowed);
	telegram->asked_at = now_ms();
	telegram->polling = telegram_call(telegram, "getUpdates", body,
					  telegram->poll_ms + POLL_SLACK_MS, on_updates, telegram);
}

static void on_me(void *arg, const struct http_answer *answer)
{
	struct telegram *telegram = arg;
	struct json_object *root =
		answer->fate == HTTP_ANSWERED ? telegram_parse(answer->body, answer->len) : NULL;
	struct json_object *me = telegram_member(root, "result");
	const char *username = telegram_string(me, "username");

	telegram->polling = NULL;
	if (telegram->closing) {
		telegram_maybe_closed(telegram);
	} else if (answer->fate == HTTP_ANSWERED && answer->status == 200 && username) {
		telegram->username = xstrdup(username);
		telegram->id = telegram_int(me, "id");
		again_in(telegram, 0);
	} else {
		refused(telegram, answer, root);
	}
	json_object_put(root);
}

static void on_timer(void *arg)
{
	struct telegram *telegram = arg;

	if (telegram->closing || telegram->held || telegram->polling || telegram->offered)
		return;
	if (telegram->batch)
		offer(telegram);
	else if (!telegram->username)
		telegram->polling = telegram_call(telegram, "getMe", json_object_new_object(), 0,
						  on_me, telegram);
	else
		poll_updates(telegram);
}

/* ---- life ---- */

static void on_soon(void *arg)
{
	struct telegram *telegram = arg;
	struct channel *channel = telegram->channel;

	telegram_settle_late(telegram);
	if (!telegram->closing || telegram->polling || telegram->offered || telegram->sends ||
	    telegram->answering || telegram->late)
		return;
	while (telegram->moves) {
		struct telegram_move *next = telegram->moves->next;

		free(telegram->moves);
		telegram->moves = next;
	}
	drop_batch(telegram);
	free(telegram->username);
	loop_timer_close(&telegram->timer);
	loop_timer_close(&telegram->soon);
	channel->host->closed(channel->host->self, channel);
}

void telegram_maybe_closed(struct telegram *telegram)
{
	if (telegram->closing)
		loop_timer_start(telegram->soon, 0, 0);
}

static int open_channel(struct channel *channel, struct error *error_r)
{
	struct telegram *telegram = channel->own;

	if (telegram->token[strcspn(telegram->token, "/?#% \r\n\t")])
		return error_set(error_r, "`token` does not look like 123456:ABC-DEF…");
	if (strncmp(telegram->url, "http", 4) != 0)
		return error_set(error_r, "`url` has to begin with https:// or http://");
	telegram->channel = channel;
	telegram->backoff_ms = BACKOFF_MS;
	telegram->timer = loop_timer(channel->host->loop, on_timer, telegram);
	telegram->soon = loop_timer(channel->host->loop, on_soon, telegram);
	again_in(telegram, 0);
	return 0;
}

static void close_channel(struct channel *channel)
{
	struct telegram *telegram = channel->own;

	telegram->closing = true;
	loop_timer_stop(telegram->timer);
	if (telegram->polling)
		http_cancel(telegram->polling);
	telegram_cancel_sends(telegram);
	telegram_maybe_closed(telegram);
}

static void hold(struct channel *channel, bool held)
{
	struct telegram *telegram = channel->own;

	telegram->held = held;
	if (!held)
		again_in(telegram, 0);
}

#define AT(member) offsetof(struct telegram, member)

static const struct setting settings[] = {
	{.name = "token",
	 .type = SETTING_SECRET,
	 .offset = AT(token),
	 .flags = SETTING_REQUIRED,
	 .help = "The bot's token, as BotFather gave it."},
	{.name = "url",
	 .type = SETTING_URL,
	 .offset = AT(url),
	 .standard = "https://api.telegram.org",
	 .help = "Where the Bot API is, for a server of one's own."},
	{.name = "poll",
	 .type = SETTING_DURATION,
	 .offset = AT(poll_ms),
	 .standard = "50s",
	 .least = 1000,
	 .most = 50000,
	 .help = "How long Telegram may hold a poll open when there is nothing to tell."},
	{.name = "rest",
	 .type = SETTING_DURATION,
	 .offset = AT(rest_ms),
	 .standard = "5m",
	 .least = 1000,
	 .most = 86400000,
	 .help = "How long to wait after a refused token or a second poller before the next try."},
	{.name = NULL},
};

const struct adapter telegram_adapter = {
	.name = "telegram",
	.can = CAN_DIRECT | CAN_GROUP | CAN_EDIT | CAN_BUTTON | CAN_REACT | CAN_QUOTE,
	.text_max = TELEGRAM_TEXT_UNITS_MAX,
	.rate = 30,
	.group_gap_ms = 3000,
	.own_size = sizeof(struct telegram),
	.settings = settings,
	.open = open_channel,
	.close = close_channel,
	.send = telegram_send,
	.hold = hold,
};
