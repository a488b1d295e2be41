/* adapters/sms/kannel.c - a Kannel gateway sends our SMS by sendsms and calls us with what comes
 * in.
 *
 * Facts from Kannel 1.4.5's user guide and from runs against it (tests/peers/kannel.test.mjs):
 * sendsms takes a POST with the text as body and everything else in X-Kannel-… headers; Chinese
 * arrives whole only with coding 2 and a charset; what is longer than the user's max-messages is
 * cut without a word, so a longer text is several requests here. Kannel tells no message id; our
 * own id is in the DLR URL. Whatever our answer to a message holds would be texted back to the
 * person, so it is empty.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/sms/charset.h"
#include "adapters/sms/sending.h"
#include "adapters/sms/sms.h"
#include "base/arena.h"
#include "base/buf.h"

enum { FIXED_MAX = 8, MINUTE_MS = 60000 };

struct kannel {
	const char *sendsms_url, *username, *password, *from, *smsc, *secret, *country_code;
	int64_t max_messages, validity, timeout;
	bool receipts;

	struct sms_sender sender;
	struct arena *arena;
	const char *fixed[FIXED_MAX + 1]; /* the headers that are the same in every request */
	const char *receipt_prefix; /* of the header with the DLR URL, up to the id; or NULL */
	struct buf to, receipt;     /* kept between requests */
};

#define AT(member) offsetof(struct kannel, member)
static const struct setting kannel_settings[] = {
	{.name = "sendsms_url",
	 .type = SETTING_URL,
	 .offset = AT(sendsms_url),
	 .flags = SETTING_REQUIRED,
	 .help = "Where Kannel's smsbox takes messages: http://HOST:13013/cgi-bin/sendsms."},
	{.name = "username",
	 .type = SETTING_TEXT,
	 .offset = AT(username),
	 .flags = SETTING_REQUIRED,
	 .help = "The username of the sendsms-user group."},
	{.name = "password",
	 .type = SETTING_SECRET,
	 .offset = AT(password),
	 .flags = SETTING_REQUIRED,
	 .help = "The password of the sendsms-user group."},
	{.name = "secret",
	 .type = SETTING_SECRET,
	 .offset = AT(secret),
	 .flags = SETTING_REQUIRED,
	 .help = "What Kannel proves itself with: the `secret` in the URLs that it calls; letters, "
		 "digits and . _ ~ - only."},
	{.name = "from",
	 .type = SETTING_TEXT,
	 .offset = AT(from),
	 .help = "The sender's number or name; without it Kannel's own default."},
	{.name = "smsc",
	 .type = SETTING_TEXT,
	 .offset = AT(smsc),
	 .help = "The smsc-id to route through; without it Kannel decides."},
	{.name = "max_messages",
	 .type = SETTING_INT,
	 .offset = AT(max_messages),
	 .standard = "1",
	 .least = 1,
	 .most = 255,
	 .help = "max-messages of the sendsms-user group (1 if it says nothing): Kannel cuts what "
		 "is "
		 "longer without a word, so longer texts are sent as several messages."},
	{.name = "country_code",
	 .type = SETTING_TEXT,
	 .offset = AT(country_code),
	 .help = "The country code for numbers that come without one, like 86."},
	{.name = "validity",
	 .type = SETTING_DURATION,
	 .offset = AT(validity),
	 .standard = "0m",
	 .least = 0,
	 .most = (int64_t)7 * 24 * 60 * MINUTE_MS,
	 .help = "How long a message may wait for the phone, in whole minutes; 0m is the centre's "
		 "own rule."},
	{.name = "receipts",
	 .type = SETTING_BOOL,
	 .offset = AT(receipts),
	 .standard = "true",
	 .help = "Ask for delivery reports."},
	{.name = "timeout",
	 .type = SETTING_DURATION,
	 .offset = AT(timeout),
	 .standard = "30s",
	 .least = 1000,
	 .most = 5 * MINUTE_MS,
	 .help = "How long to wait for Kannel's answer to one message."},
	{.name = NULL},
};

/* What Kannel says with its refusals (smsbox 1.4.5), first match. */
static const struct {
	int status;
	const char *says;
	enum refusal refusal;
	const char *reason;
} refusals[] = {
	{403, "Authorization failed", REFUSAL_CHANNEL, "Kannel refused username and password"},
	{403, "Not routable", REFUSAL_UNREACHABLE, "Kannel has no route to this number"},
	{400, "Sender missing", REFUSAL_CHANNEL, "Kannel knows no sender: set `from`"},
	{400, "white- and/or black-lists", REFUSAL_UNREACHABLE, "Kannel's lists deny this number"},
	{400, "receiver", REFUSAL_UNREACHABLE, "Kannel found no receiver in the request"},
	{400, "Charset or body", REFUSAL_TEXT, "Kannel could not read the text"},
	{400, "misformed", REFUSAL_CHANNEL, "Kannel did not understand a field of the request"},
	{404, "", REFUSAL_CHANNEL, "there is no sendsms at this URL"},
};

static void kannel_ask(struct sms_send *send)
{
	struct kannel *kannel = send->sender->channel->own;
	const char *headers[FIXED_MAX + 4];
	size_t count = 0;
	char end = send->text[send->len];

	while (kannel->fixed[count]) {
		headers[count] = kannel->fixed[count];
		count++;
	}
	buf_clear(&kannel->to);
	buf_printf(&kannel->to, "X-Kannel-To: %s", send->to);
	headers[count++] = kannel->to.data;
	if (kannel->receipt_prefix) {
		buf_clear(&kannel->receipt);
		buf_printf(&kannel->receipt, "%s%s&piece=%u%s&type=%%d", kannel->receipt_prefix,
			   send->id, send->piece, sms_send_last(send) ? "" : "&more=1");
		headers[count++] = kannel->receipt.data;
	}
	send->text[send->len] = '\0';
	headers[count++] = sms_measure(send->text).coding == SMS_UCS2 ? "X-Kannel-Coding: 2"
								      : "X-Kannel-Coding: 0";
	send->text[send->len] = end;
	headers[count] = NULL;
	sms_send_start(send, &(struct http_call){
				     .method = "POST",
				     .url = kannel->sendsms_url,
				     .headers = headers,
				     .body = send->text,
				     .len = send->len,
				     .timeout_ms = kannel->timeout,
				     .body_max = 4096,
			     });
}

static struct outcome kannel_judge(struct sms_send *send, const struct http_answer *answer,
				   struct arena *arena)
{
	(void)arena;
	if (answer->fate != HTTP_ANSWERED)
		return http_outcome(answer);
	/* "0: Accepted for delivery", "3: Queued for later delivery" */
	if (answer->status == 202 || (answer->status == 200 && (!strncmp(answer->body, "0:", 2) ||
								!strncmp(answer->body, "3:", 2))))
		return (struct outcome){.kind = OUTCOME_SENT, .message_id = send->id};
	if (answer->status < 300)
		return (struct outcome){.kind = OUTCOME_REFUSED,
					.refusal = REFUSAL_CHANNEL,
					.reason = "the answer is not Kannel's"};
	if (answer->status == 503)
		return (struct outcome){.kind = OUTCOME_RETRY,
					.retry_ms = answer->retry_after_ms,
					.reason = "Kannel has a temporal failure"};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].status == answer->status && strstr(answer->body, refusals[i].says))
			return (struct outcome){.kind = OUTCOME_REFUSED,
						.refusal = refusals[i].refusal,
						.reason = refusals[i].reason};
	return http_outcome(answer);
}

static const struct sms_way kannel_way = {.ask = kannel_ask, .judge = kannel_judge};

static void received(struct web_request *request)
{
	web_reply(request, 200, "text/plain; charset=utf-8", "", 0);
}

/* Whether it is our Kannel that calls; answers if not. */
static bool admitted(struct kannel *kannel, struct web_request *request)
{
	if (!sms_hook_open(&kannel->sender, request))
		return false;
	if (sms_same_secret(web_query(request, "secret"), kannel->secret))
		return true;
	web_refuse(request, 403, "The secret is wrong.");
	return false;
}

static int64_t number_of(const char *digits)
{
	char *end;
	long long n = digits && *digits ? strtoll(digits, &end, 10) : -1;
	return n >= 0 && !*end ? n : -1;
}

/* The text of a message in UTF-8; NULL when it is no text. */
static const char *text_of(struct web_request *request)
{
	struct arena *arena = web_arena(request);
	const char *charset = web_query(request, "charset");
	const char *text;
	size_t len;

	if (!strcmp(web_method(request), "POST")) {
		if (!charset)
			charset = charset_of_type(arena, web_header(request, "Content-Type"));
		text = web_body(request, &len);
		return charset_text(arena, charset, text, len);
	}
	text = charset_is_utf8(charset) ? web_query(request, "text") : NULL;
	if (text)
		return text;
	text = charset_raw_query(arena, web_target(request), "text", &len);
	return text ? charset_text(arena, charset, text, len) : NULL;
}

/* An SMS from a phone: `sms-service` with the get-url or post-url of docs/channels/kannel.md. */
static void kannel_message(void *arg, struct web_request *request)
{
	struct channel *channel = arg;
	struct kannel *kannel = channel->own;

	if (!admitted(kannel, request))
		return;
	const char *id = web_query(request, "id"), *from = web_query(request, "from");
	if (!id || !*id || !from) {
		web_refuse(request, 400, "The URL must carry id=%I and from=%p.");
		return;
	}
	const char *coding = web_query(request, "coding");
	if (coding && !strcmp(coding, "1")) {
		log_info(&channel->log, "an SMS of binary data was left aside");
		received(request);
		return;
	}
	const char *text = text_of(request);
	if (!text) {
		web_refuse(request, 400, "The URL must carry text=%b (and charset=%C).");
		return;
	}
	const char *sender = sms_number(web_arena(request), from, kannel->country_code);
	if (!sender) {
		log_warning(&channel->log,
			    "an SMS from a sender that is no address was left aside");
		received(request);
		return;
	}
	int64_t sent = number_of(web_query(request, "ts"));
	sms_hook_accept(&kannel->sender, request,
			&(struct message_in){
				.kind = MESSAGE_TEXT,
				.id = id,
				.sender = sender,
				.text = text,
				.sent_at = sent > 0 ? sent * 1000 : 0,
			},
			received);
}

/* A delivery report. Types: 1 delivered, 2 failed, 4 buffered, 8 and 16 taken and refused by the
 * centre; only what is final is told. */
static void kannel_receipt(void *arg, struct web_request *request)
{
	struct channel *channel = arg;
	struct kannel *kannel = channel->own;

	if (!admitted(kannel, request))
		return;
	const char *id = web_query(request, "id"), *type = web_query(request, "type");
	const char *piece = web_query(request, "piece");
	int64_t bits = number_of(type);
	if (!id || !*id || bits < 0) {
		web_refuse(request, 400, "The URL must carry id and type=%d.");
		return;
	}
	bool delivered = bits & 1, failed = bits & (2 | 16);
	if (!failed && (!delivered || web_query(request, "more"))) {
		received(request);
		return;
	}
	sms_hook_accept(
		&kannel->sender, request,
		&(struct message_in){
			.kind = MESSAGE_RECEIPT,
			.id = arena_printf(web_arena(request), "%s/%s/%lld", id,
					   piece ? piece : "1", (long long)bits),
			.about = id,
			.receipt = delivered && !failed ? RECEIPT_DELIVERED : RECEIPT_FAILED,
		},
		received);
}

static const struct web_route kannel_routes[] = {
	{.method = "GET", .path = "mo", .handle = kannel_message, .raw_query = true},
	{.method = "POST", .path = "mo", .handle = kannel_message},
	{.method = "GET", .path = "dlr", .handle = kannel_receipt},
	{.path = NULL},
};

/* Whether a setting can stand in a header as it is. */
static int check_header(const char *name, const char *value, struct error *error_r)
{
	size_t len = value ? strlen(value) : 0;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 127)
			return error_set(error_r, "%s holds a control character", name);
	if (len && (value[0] == ' ' || value[len - 1] == ' '))
		return error_set(error_r, "%s begins or ends with a space, which Kannel would cut",
				 name);
	return 0;
}

static int kannel_check(const struct kannel *kannel, struct error *error_r)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	if (check_header("username", kannel->username, error_r) ||
	    check_header("password", kannel->password, error_r) ||
	    check_header("from", kannel->from, error_r) ||
	    check_header("smsc", kannel->smsc, error_r))
		return -1;
	if (!*kannel->secret || kannel->secret[strspn(kannel->secret, unreserved)])
		return error_set(error_r,
				 "secret must be letters, digits and . _ ~ - only, because "
				 "it stands in a URL where Kannel reads %% itself");
	return 0;
}

static void fix_header(struct kannel *kannel, const char *name, const char *value)
{
	size_t count = 0;

	if (!value || !*value)
		return;
	while (kannel->fixed[count])
		count++;
	kannel->fixed[count] = arena_printf(kannel->arena, "%s: %s", name, value);
}

static int kannel_open(struct channel *channel, struct error *error_r)
{
	struct kannel *kannel = channel->own;
	const char *url = channel->host->public_url;
	char minutes[24];

	if (kannel_check(kannel, error_r))
		return -1;
	kannel->arena = arena_new();
	fix_header(kannel, "Content-Type", "text/plain; charset=UTF-8");
	fix_header(kannel, "X-Kannel-Username", kannel->username);
	fix_header(kannel, "X-Kannel-Password", kannel->password);
	fix_header(kannel, "X-Kannel-From", kannel->from);
	fix_header(kannel, "X-Kannel-SMSC", kannel->smsc);
	if (kannel->validity) {
		int64_t whole = (kannel->validity + MINUTE_MS - 1) / MINUTE_MS;
		snprintf(minutes, sizeof minutes, "%lld", (long long)whole);
		fix_header(kannel, "X-Kannel-Validity", minutes);
	}
	if (kannel->receipts && url) {
		size_t len = strlen(url);
		while (len && url[len - 1] == '/')
			len--;
		fix_header(kannel, "X-Kannel-DLR-Mask", "19"); /* 1, 2 and 16: what is final */
		kannel->receipt_prefix = arena_printf(
			kannel->arena, "X-Kannel-DLR-Url: %.*s/hook/%s/dlr?secret=%s&id=", (int)len,
			url, channel->name, kannel->secret);
	}
	buf_init(&kannel->to, 0);
	buf_init(&kannel->receipt, 0);
	sms_sender_open(&kannel->sender, channel, &kannel_way, (size_t)kannel->max_messages, 0);
	return 0;
}

static void kannel_close(struct channel *channel)
{
	struct kannel *kannel = channel->own;

	/* Nothing is asked any more once it is closing, so what asking needs may go first:
	 * closed() lets the house free all of this. */
	arena_free(&kannel->arena);
	buf_free(&kannel->to);
	buf_free(&kannel->receipt);
	sms_sender_close(&kannel->sender);
}

static void kannel_send(struct channel *channel, const struct message_out *message)
{
	struct kannel *kannel = channel->own;
	sms_sender_send(&kannel->sender, message);
}

const struct adapter kannel_adapter = {
	.name = "kannel",
	.can = CAN_DIRECT | CAN_RECEIPT | IS_SMS,
	.in_flight_max = 256,
	.own_size = sizeof(struct kannel),
	.settings = kannel_settings,
	.routes = kannel_routes,
	.open = kannel_open,
	.close = kannel_close,
	.send = kannel_send,
};
