/* adapters/sms/twilio_hooks.c - Twilio calls us with messages and with what became of ours.
 *
 * Both are forms (twilio.com/docs/messaging/guides/webhook-request) and are believed by
 * X-Twilio-Signature alone; a replay is harmless because MessageSid is what duplicates are known
 * by.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/sms/sms.h"
#include "adapters/sms/twilio.h"
#include "adapters/sms/twilio_sign.h"
#include "base/arena.h"

/* The fields of a webhook, whichever way they came. */
struct hook_fields {
	struct web_field *list;
	size_t count;
};

static int fields_of_json(struct web_request *request, struct hook_fields *fields_r)
{
	struct arena *arena = web_arena(request);
	size_t len;
	const char *body = web_body(request, &len);
	struct json_object *json = json_tokener_parse(body);

	if (!json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		return -1;
	}
	json_object_object_foreach(json, name, value)
	{
		fields_r->list =
			arena_grow(arena, fields_r->list, fields_r->count, sizeof *fields_r->list);
		fields_r->list[fields_r->count++] = (struct web_field){
			.name = arena_str(arena, name),
			.value = arena_str(arena, value ? json_object_get_string(value) : ""),
		};
	}
	json_object_put(json);
	return 0;
}

/* The URL as Twilio signed it; NULL if the request did not come by our path. */
static const char *signed_url(struct channel *channel, struct web_request *request)
{
	const struct twilio *twilio = channel->own;
	const char *target = web_target(request);
	const char *prefix = arena_printf(web_arena(request), "/hook/%s/", channel->name);

	if (!twilio->hook_url || strncmp(target, prefix, strlen(prefix)) != 0)
		return NULL;
	return arena_printf(web_arena(request), "%s/%s", twilio->hook_url, target + strlen(prefix));
}

/* Reads the fields of a webhook that Twilio signed; answers anything else. */
static int admitted(struct channel *channel, struct web_request *request,
		    struct hook_fields *fields_r)
{
	struct twilio *twilio = channel->own;
	if (!sms_hook_open(&twilio->sender, request))
		return -1;
	const char *type = web_header(request, "Content-Type");
	const char *signature = web_header(request, "X-Twilio-Signature");
	const char *url = signed_url(channel, request);
	bool json = type && !strncasecmp(type, "application/json", 16), is_signed;
	size_t len;
	const char *body = web_body(request, &len);

	*fields_r = (struct hook_fields){.count = 0};
	if (!json && web_form(request, &fields_r->list, &fields_r->count)) {
		web_refuse(request, 400, "The form cannot be read.");
		return -1;
	}
	is_signed = url && twilio_signed(web_arena(request), twilio->auth_token, url,
					 fields_r->list, fields_r->count, signature);
	if (is_signed && json)
		is_signed = twilio_body_signed(web_query(request, "bodySHA256"), body, len);
	if (!is_signed) {
		web_refuse(request, 403, "The signature is missing or wrong.");
		return -1;
	}
	if (json && fields_of_json(request, fields_r)) {
		web_refuse(request, 400, "The JSON cannot be read.");
		return -1;
	}
	return 0;
}

static const char *field(const struct hook_fields *fields, const char *name)
{
	const char *value = web_field(fields->list, fields->count, name);
	return value && *value ? value : NULL;
}

static void received(struct web_request *request)
{
	static const char empty[] = "<Response/>";
	web_reply(request, 200, "text/xml; charset=utf-8", empty, sizeof empty - 1);
}

static double degrees_of(const char *value)
{
	return value ? strtod(value, NULL) : 0;
}

/* An SMS from a phone. */
static void twilio_message(void *arg, struct web_request *request)
{
	struct channel *channel = arg;
	struct twilio *twilio = channel->own;
	struct hook_fields fields;

	if (admitted(channel, request, &fields))
		return;
	const char *id = field(&fields, "MessageSid"), *body = field(&fields, "Body");
	if (!id)
		id = field(&fields, "SmsMessageSid");
	const char *sender =
		sms_number(web_arena(request), field(&fields, "From"), twilio->country_code);
	if (!id || !sender) {
		web_refuse(request, 400, "MessageSid and a From that is a number are needed.");
		return;
	}
	sms_hook_accept(&twilio->sender, request,
			&(struct message_in){
				.kind = MESSAGE_TEXT,
				.id = id,
				.sender = sender,
				.text = body ? body : "",
				.media = field(&fields, "MediaUrl0"),
				.latitude = degrees_of(field(&fields, "Latitude")),
				.longitude = degrees_of(field(&fields, "Longitude")),
			},
			received);
}

/* What final statuses mean. The others come in any order and say nothing that lasts; the first
 * final one counts, because all have one id. */
static const struct {
	const char *status;
	enum receipt receipt;
} statuses[] = {
	{"delivered", RECEIPT_DELIVERED}, {"read", RECEIPT_DELIVERED},  {"failed", RECEIPT_FAILED},
	{"undelivered", RECEIPT_FAILED},  {"canceled", RECEIPT_FAILED},
};

static void twilio_status(void *arg, struct web_request *request)
{
	struct channel *channel = arg;
	struct twilio *twilio = channel->own;
	struct hook_fields fields;

	if (admitted(channel, request, &fields))
		return;
	const char *about = web_query(request, "id"), *sid = field(&fields, "MessageSid");
	const char *status = field(&fields, "MessageStatus"), *error = field(&fields, "ErrorCode");
	if (!about || !sid || !status) {
		web_refuse(request, 400, "id, MessageSid and MessageStatus are needed.");
		return;
	}
	size_t i = 0, count = sizeof(statuses) / sizeof(*statuses);
	while (i < count && strcasecmp(statuses[i].status, status) != 0)
		i++;
	/* Of a text in several pieces the last one's delivery counts, and any one's failure. */
	if (i == count ||
	    (statuses[i].receipt == RECEIPT_DELIVERED && web_query(request, "more"))) {
		received(request);
		return;
	}
	bool blocked = error && !strcmp(error, "21610");
	sms_hook_accept(&twilio->sender, request,
			&(struct message_in){
				.kind = MESSAGE_RECEIPT,
				.id = arena_printf(web_arena(request), "%s/final", sid),
				.about = about,
				.receipt = blocked ? RECEIPT_BLOCKED : statuses[i].receipt,
			},
			received);
}

const struct web_route twilio_routes[] = {
	{.method = "POST", .path = "sms", .handle = twilio_message},
	{.method = "POST", .path = "status", .handle = twilio_status},
	{.path = NULL},
};
