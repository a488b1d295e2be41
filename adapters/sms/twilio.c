/* adapters/sms/twilio.c - Twilio sends our SMS by its REST API.
 *
 * POST /2010-04-01/Accounts/{sid}/Messages.json with a form body; there is no idempotency key, so
 * what becomes of an unanswered request is looked up in the account's list of messages. Facts:
 * twilio.com/docs/messaging/api and /docs/api/errors, npm emulate 0.12.2 and twilio 6.2.0.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/sms/sending.h"
#include "adapters/sms/sms.h"
#include "adapters/sms/twilio.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"

enum {
	PARTS_MAX = 10, /* 1530 septets, 670 UCS-2 units: under the 1600 characters of one Body */
	CLOCKS_MS = 60000, /* how far Twilio's clock and ours may be apart */
};

#define AT(member) offsetof(struct twilio, member)
static const struct setting twilio_settings[] = {
	{.name = "account_sid",
	 .type = SETTING_TEXT,
	 .offset = AT(account_sid),
	 .flags = SETTING_REQUIRED,
	 .help = "The account's SID, AC and 32 digits."},
	{.name = "auth_token",
	 .type = SETTING_SECRET,
	 .offset = AT(auth_token),
	 .flags = SETTING_REQUIRED,
	 .help = "The account's auth token: Twilio signs its webhooks with it."},
	{.name = "api_key",
	 .type = SETTING_TEXT,
	 .offset = AT(api_key),
	 .help = "The SID of an API key to send with instead of the auth token."},
	{.name = "api_secret",
	 .type = SETTING_SECRET,
	 .offset = AT(api_secret),
	 .help = "The API key's secret."},
	{.name = "from",
	 .type = SETTING_TEXT,
	 .offset = AT(from),
	 .help = "The number or name to send from, if no messaging service does."},
	{.name = "messaging_service_sid",
	 .type = SETTING_TEXT,
	 .offset = AT(service),
	 .help = "The messaging service to send through."},
	{.name = "base_url",
	 .type = SETTING_URL,
	 .offset = AT(base_url),
	 .standard = "https://api.twilio.com",
	 .help = "Where the API is."},
	{.name = "webhook_url",
	 .type = SETTING_URL,
	 .offset = AT(webhook_url),
	 .help = "What stands before /sms and /status in the URLs that Twilio calls, when that is "
		 "not public_url/hook/CHANNEL: signatures are made over it."},
	{.name = "country_code",
	 .type = SETTING_TEXT,
	 .offset = AT(country_code),
	 .help = "The country code for numbers that come without one, like 86."},
	{.name = "look_after",
	 .type = SETTING_DURATION,
	 .offset = AT(look_after),
	 .standard = "2s",
	 .least = 10,
	 .most = 60000,
	 .help = "How long after a request without an answer the account's list of messages is "
		 "asked whether it went out; again after four and sixteen times as long."},
	{.name = NULL},
};

/* twilio.com/docs/api/errors: what a refused request means. The rest goes by the HTTP status. */
static const struct {
	int code;
	enum outcome_kind kind;
	enum refusal refusal;
	const char *reason;
} errors[] = {
	{20003, OUTCOME_REFUSED, REFUSAL_CHANNEL, "Twilio refused the credentials (20003)"},
	{20005, OUTCOME_REFUSED, REFUSAL_CHANNEL, "the Twilio account is not active (20005)"},
	{20404, OUTCOME_REFUSED, REFUSAL_CHANNEL, "no such Twilio account (20404)"},
	{20429, OUTCOME_RETRY, REFUSAL_OTHER, "Twilio asks to slow down (20429)"},
	{21201, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "Twilio found no To (21201)"},
	{21211, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "not a number that Twilio knows (21211)"},
	{21408, OUTCOME_REFUSED, REFUSAL_CHANNEL, "the account may not text this region (21408)"},
	{21602, OUTCOME_REFUSED, REFUSAL_TEXT, "Twilio found no text (21602)"},
	{21603, OUTCOME_REFUSED, REFUSAL_CHANNEL, "Twilio found no From (21603)"},
	{21604, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "Twilio found no To (21604)"},
	{21606, OUTCOME_REFUSED, REFUSAL_CHANNEL,
	 "the From number is not ours or cannot text "
	 "(21606)"},
	{21610, OUTCOME_REFUSED, REFUSAL_BLOCKED, "the person opted out at Twilio (21610)"},
	{21611, OUTCOME_RETRY, REFUSAL_OTHER, "the From number's queue is full (21611)"},
	{21612, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "no way from this From to this To (21612)"},
	{21614, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "not a mobile number (21614)"},
	{21617, OUTCOME_REFUSED, REFUSAL_TEXT, "the text is longer than 1600 characters (21617)"},
	{21658, OUTCOME_REFUSED, REFUSAL_TEXT, "the text is longer than 1600 characters (21658)"},
	{21659, OUTCOME_REFUSED, REFUSAL_CHANNEL, "the From number is not a Twilio one (21659)"},
	{21660, OUTCOME_REFUSED, REFUSAL_CHANNEL, "the From number is another account's (21660)"},
	{30003, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "the phone cannot be reached (30003)"},
	{30004, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "the message was blocked (30004)"},
	{30005, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "no such number (30005)"},
	{30006, OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "a landline or unreachable carrier (30006)"},
	{30007, OUTCOME_REFUSED, REFUSAL_TEXT, "filtered as unwanted (30007)"},
};

static const char *json_text(struct json_object *object, const char *name)
{
	struct json_object *value;
	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static void add_field(struct buf *buf, struct arena *arena, const char *name, const char *value)
{
	if (buf->len)
		buf_char(buf, '&');
	buf_str(buf, name);
	buf_char(buf, '=');
	buf_str(buf, http_escape(arena, value));
}

static void start(struct sms_send *send, struct http_call call)
{
	struct twilio *twilio = send->sender->channel->own;
	bool key = twilio->api_key && *twilio->api_key;

	call.user = key ? twilio->api_key : twilio->account_sid;
	call.password = key ? twilio->api_secret : twilio->auth_token;
	sms_send_start(send, &call);
}

static void twilio_ask(struct sms_send *send)
{
	static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
					      NULL};
	struct twilio *twilio = send->sender->channel->own;
	struct arena *arena = send->sender->arena;
	struct buf body;

	buf_init(&body, 0);
	add_field(&body, arena, "To", send->to);
	if (twilio->service && *twilio->service)
		add_field(&body, arena, "MessagingServiceSid", twilio->service);
	if (twilio->from && *twilio->from)
		add_field(&body, arena, "From", twilio->from);
	add_field(&body, arena, "Body", arena_bytes(arena, send->text, send->len));
	if (twilio->hook_url)
		add_field(&body, arena, "StatusCallback",
			  arena_printf(arena, "%s/status?id=%s&piece=%u%s", twilio->hook_url,
				       send->id, send->piece,
				       sms_send_last(send) ? "" : "&more=1"));
	start(send, (struct http_call){.method = "POST",
				       .url = twilio->messages_url,
				       .headers = headers,
				       .body = body.data,
				       .len = body.len});
	buf_free(&body);
}

static bool is_recent(const struct twilio *twilio, const char *sid)
{
	for (size_t i = 0; i < TWILIO_RECENT_MAX; i++)
		if (!strcmp(twilio->recent[i], sid))
			return true;
	return false;
}

static struct outcome sent_as(struct twilio *twilio, struct arena *arena, const char *sid)
{
	snprintf(twilio->recent[twilio->recent_at], TWILIO_SID_SIZE, "%s", sid);
	twilio->recent_at = (twilio->recent_at + 1) % TWILIO_RECENT_MAX;
	return (struct outcome){.kind = OUTCOME_SENT, .message_id = arena_str(arena, sid)};
}

static struct outcome refused_as(const struct http_answer *answer, struct json_object *json)
{
	struct json_object *value;
	int code = json_object_object_get_ex(json, "code", &value) ? json_object_get_int(value) : 0;
	struct outcome outcome = http_outcome(answer);

	/* A failing server's word about the message is no final one. */
	if (answer->status >= 500)
		return outcome;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].code == code)
			return (struct outcome){.kind = errors[i].kind,
						.refusal = errors[i].refusal,
						.retry_ms = answer->retry_after_ms,
						.reason = errors[i].reason};
	if (answer->status == 404)
		outcome.refusal = REFUSAL_CHANNEL;
	return outcome;
}

static struct outcome twilio_judge(struct sms_send *send, const struct http_answer *answer,
				   struct arena *arena)
{
	struct twilio *twilio = send->sender->channel->own;

	if (answer->fate != HTTP_ANSWERED)
		return http_outcome(answer);
	struct json_object *json = json_tokener_parse(answer->body);
	const char *sid = json ? json_text(json, "sid") : NULL;
	struct outcome outcome;
	if (answer->status >= 300)
		outcome = refused_as(answer, json);
	else if (sid)
		outcome = sent_as(twilio, arena, sid);
	else
		outcome = (struct outcome){.kind = OUTCOME_UNCERTAIN,
					   .reason = "Twilio's answer names no message"};
	json_object_put(json);
	return outcome;
}

/* No DateSent in the question: a message that still waits in Twilio's queue has none. */
static void twilio_look(struct sms_send *send)
{
	struct twilio *twilio = send->sender->channel->own;
	struct arena *arena = send->sender->arena;

	start(send, (struct http_call){.method = "GET",
				       .url = arena_printf(arena, "%s?To=%s&PageSize=50",
							   twilio->messages_url,
							   http_escape(arena, send->to))});
}

/* "Tue, 24 Nov 2026 00:10:00 +0000" (RFC 2822, always UTC here); 0 if it is none. */
static int64_t date_of(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil civil = {0};
	char month[4] = "";

	if (!s || sscanf(s, "%*3s, %2d %3s %4d %2d:%2d:%2d", &civil.day, month, &civil.year,
			 &civil.hour, &civil.minute, &civil.second) != 6)
		return 0;
	const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (!at || (at - months) % 3)
		return 0;
	civil.month = (int)(at - months) / 3 + 1;
	return civil_to_ms(&civil, 0);
}

static bool same_text(const char *a, size_t a_len, const char *b)
{
	size_t b_len = strlen(b);
	while (a_len && strchr(" \r\n", a[a_len - 1]))
		a_len--;
	while (b_len && strchr(" \r\n", b[b_len - 1]))
		b_len--;
	return a_len == b_len && !memcmp(a, b, a_len);
}

static bool is_ours(const struct twilio *twilio, const struct sms_send *send,
		    struct json_object *entry)
{
	const char *sid = json_text(entry, "sid"), *body = json_text(entry, "body");
	const char *direction = json_text(entry, "direction"), *to = json_text(entry, "to");
	int64_t created = date_of(json_text(entry, "date_created"));

	return sid && body && direction && to && !strcmp(to, send->to) &&
	       !strncmp(direction, "outbound", 8) && !is_recent(twilio, sid) &&
	       (!created || created >= send->asked_at - CLOCKS_MS) &&
	       same_text(send->text, send->len, body);
}

static struct outcome twilio_found(struct sms_send *send, const struct http_answer *answer,
				   bool last, struct arena *arena)
{
	struct twilio *twilio = send->sender->channel->own;
	struct json_object *json = NULL, *list = NULL;
	struct outcome outcome = {.kind = OUTCOME_UNCERTAIN,
				  .reason = "no answer, and the list of messages cannot be had"};

	if (answer->fate == HTTP_ANSWERED && answer->status == 200)
		json = json_tokener_parse(answer->body);
	if (json && json_object_object_get_ex(json, "messages", &list) &&
	    json_object_is_type(list, json_type_array)) {
		outcome = (struct outcome){
			.kind = last ? OUTCOME_RETRY : OUTCOME_UNCERTAIN,
			.reason = "no answer, and it is not in the account's list of messages"};
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			struct json_object *entry = json_object_array_get_idx(list, i);
			if (is_ours(twilio, send, entry)) {
				outcome = sent_as(twilio, arena, json_text(entry, "sid"));
				break;
			}
		}
	}
	json_object_put(json);
	return outcome;
}

static const struct sms_way twilio_way = {
	.ask = twilio_ask,
	.judge = twilio_judge,
	.look = twilio_look,
	.found = twilio_found,
};

static char *without_slash(struct arena *arena, const char *url)
{
	size_t len = strlen(url);
	while (len && url[len - 1] == '/')
		len--;
	return arena_bytes(arena, url, len);
}

static bool given(const char *setting)
{
	return setting && *setting;
}

static int twilio_open(struct channel *channel, struct error *error_r)
{
	struct twilio *twilio = channel->own;
	const char *public_url = channel->host->public_url;

	if (!given(twilio->from) && !given(twilio->service))
		return error_set(error_r, "from or messaging_service_sid is needed");
	if (given(twilio->api_key) != given(twilio->api_secret))
		return error_set(error_r, "api_key and api_secret are only of use together");
	twilio->arena = arena_new();
	twilio->messages_url =
		arena_printf(twilio->arena, "%s/2010-04-01/Accounts/%s/Messages.json",
			     without_slash(twilio->arena, twilio->base_url),
			     http_escape(twilio->arena, twilio->account_sid));
	if (given(twilio->webhook_url))
		twilio->hook_url = without_slash(twilio->arena, twilio->webhook_url);
	else if (given(public_url))
		twilio->hook_url =
			arena_printf(twilio->arena, "%s/hook/%s",
				     without_slash(twilio->arena, public_url), channel->name);
	sms_sender_open(&twilio->sender, channel, &twilio_way, PARTS_MAX, twilio->look_after);
	return 0;
}

static void twilio_close(struct channel *channel)
{
	struct twilio *twilio = channel->own;

	/* closed() lets the house free all of this; nothing is asked any more before that. */
	arena_free(&twilio->arena);
	sms_sender_close(&twilio->sender);
}

static void twilio_send(struct channel *channel, const struct message_out *message)
{
	struct twilio *twilio = channel->own;
	sms_sender_send(&twilio->sender, message);
}

const struct adapter twilio_adapter = {
	.name = "twilio",
	.can = CAN_DIRECT | CAN_RECEIPT | IS_SMS,
	.in_flight_max = 32,
	.own_size = sizeof(struct twilio),
	.settings = twilio_settings,
	.routes = twilio_routes,
	.open = twilio_open,
	.close = twilio_close,
	.send = twilio_send,
};
