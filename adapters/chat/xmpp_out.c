/* adapters/chat/xmpp_out.c - says what the house wants said, and finds out what became of it. */
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/stanza.h"
#include "adapters/chat/xmpp.h"
#include "adapters/chat/xmpp_names.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"

enum { RETRY_SOON_MS = 5000, RETRY_ABSENT_MS = 60000 };

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static void free_send(struct xmpp_send *send)
{
	free(send->id);
	free(send->wire);
	free(send->to);
	free(send->text);
	free(send->about);
	free(send->edit);
	free(send->lookup);
	free(send->proof);
	free(send->replaces);
	free(send);
}

void out_settle(struct xmpp *xmpp, struct xmpp_send *send, const struct outcome *outcome)
{
	const struct host *host = xmpp->channel->host;
	struct xmpp_send **place = &xmpp->sends;

	while (*place && *place != send)
		place = &(*place)->next;
	if (*place)
		*place = send->next;
	if (send->unacked) {
		send->unacked->send = NULL;
		send->unacked->needless = true;
		send->unacked = NULL;
	}
	host->settled(host->self, xmpp->channel, send->id, outcome);
	free_send(send);
}

/* For outcomes known while the house is still inside send(). */
static void settle_late(struct xmpp *xmpp, const char *id, struct outcome outcome)
{
	struct late_outcome *late = xalloc(sizeof *late);

	late->id = xstrdup(id);
	late->message_id = copy(outcome.message_id);
	late->outcome = outcome;
	late->outcome.message_id = late->message_id;
	late->next = xmpp->late;
	xmpp->late = late;
	loop_timer_start(xmpp->soon, 0, 0);
}

void out_late(struct xmpp *xmpp)
{
	const struct host *host = xmpp->channel->host;

	while (xmpp->late) {
		struct late_outcome *late = xmpp->late;

		xmpp->late = late->next;
		host->settled(host->self, xmpp->channel, late->id, &late->outcome);
		free(late->id);
		free(late->message_id);
		free(late);
	}
}

static void settle_sent(struct xmpp *xmpp, struct xmpp_send *send, const char *message_id)
{
	char *id = xstrdup(send->edit ? send->edit : message_id);

	out_settle(xmpp, send, &(struct outcome){.kind = OUTCOME_SENT, .message_id = id});
	free(id);
}

void out_uncertain(struct xmpp *xmpp, struct xmpp_send *send, const char *reason)
{
	/* A correction shows the same thing however often it is sent; a question never left. */
	bool harmless = send->edit || send->lookup;

	out_settle(xmpp, send,
		   &(struct outcome){.kind = harmless ? OUTCOME_RETRY : OUTCOME_UNCERTAIN,
				     .reason = reason});
}

/* ---- writing ---- */

/* The id that a reply has to name; NULL when what the house holds is none (see message_id() in
 * xmpp_in.c): in rooms only the room's own ids count (XEP-0461 section 4). */
static char *quotable(const struct xmpp_send *send)
{
	const char *mark = send->about ? strrchr(send->about, '|') : NULL;
	bool tagged = mark && strlen(mark) == 9;

	if (!send->about || (send->room && tagged))
		return NULL;

	size_t len = tagged ? (size_t)(mark - send->about) : strlen(send->about);
	char *id = xalloc(len + 1);

	memcpy(id, send->about, len);
	return id;
}

static void write_reply(struct xmpp *xmpp, struct xmpp_send *send, struct buf *xml)
{
	char *id = quotable(send);
	const char *author;
	struct buf to;

	if (!id)
		return;
	buf_init(&to, 0);
	buf_str(&to, send->to);
	if (send->room) {
		author = ids_author(&xmpp->ids, send->room->jid, id);
		buf_clear(&to);
		if (author)
			buf_printf(&to, "%s/%s", send->room->jid, author);
	}
	buf_str(xml, "<reply xmlns='" NS_REPLY "'");
	xml_write_attribute(xml, "to", to.len ? to.data : NULL);
	xml_write_attribute(xml, "id", id);
	buf_str(xml, "/>");
	buf_free(&to);
	free(id);
}

static void write_proof(struct xmpp *xmpp, struct xmpp_send *send)
{
	struct buf xml;

	/* A server handles a stream in order (RFC 6120 section 10.1): its answer to a ping proves
	 * that it has the message before it. */
	send->proof = xmpp_question_id(xmpp, "proof");
	buf_init(&xml, 0);
	buf_str(&xml, "<iq xmlns='" NS_CLIENT "' type='get'");
	xml_write_attribute(&xml, "to", xmpp->domain);
	xml_write_attribute(&xml, "id", send->proof);
	buf_str(&xml, "><ping xmlns='" NS_PING "'/></iq>");
	sm_write(xmpp, &xml, NULL);
}

static void write_message(struct xmpp *xmpp, struct xmpp_send *send)
{
	struct buf xml;

	buf_init(&xml, 0);
	buf_printf(&xml, "<message xmlns='" NS_CLIENT "' type='%s'",
		   send->room ? "groupchat" : "chat");
	xml_write_attribute(&xml, "to", send->to);
	xml_write_attribute(&xml, "id", send->wire);
	buf_str(&xml, "><body>");
	xml_text(&xml, send->text);
	buf_str(&xml, "</body><origin-id xmlns='" NS_SID "'");
	xml_write_attribute(&xml, "id", send->wire);
	buf_str(&xml, "/>");
	if (send->replaces) {
		buf_str(&xml, "<replace xmlns='" NS_CORRECT "'");
		xml_write_attribute(&xml, "id", send->replaces);
		buf_str(&xml, "/>");
	}
	write_reply(xmpp, send, &xml);
	if (send->in_room)
		buf_str(&xml, "<x xmlns='" NS_MUC_USER "'/>");
	else if (!send->room)
		buf_str(&xml, "<request xmlns='" NS_RECEIPTS "'/>");
	buf_str(&xml, "</message>");
	sm_write(xmpp, &xml, send);
	if (!send->room && !xmpp->sm.on)
		write_proof(xmpp, send);
}

static void write_lookup(struct xmpp *xmpp, struct xmpp_send *send)
{
	struct buf xml;

	send->lookup = xmpp_question_id(xmpp, "archive");
	buf_init(&xml, 0);
	buf_str(&xml, "<iq xmlns='" NS_CLIENT "' type='set'");
	xml_write_attribute(&xml, "to", send->room->jid);
	xml_write_attribute(&xml, "id", send->lookup);
	buf_str(&xml, "><query xmlns='" NS_MAM "'");
	xml_write_attribute(&xml, "queryid", send->lookup);
	buf_str(&xml, "><x xmlns='" NS_DATA "' type='submit'><field var='FORM_TYPE' type='hidden'>"
		      "<value>" NS_MAM "</value></field><field var='ids'><value>");
	xml_text(&xml, send->edit);
	buf_str(&xml, "</value></field></x></query></iq>");
	sm_write(xmpp, &xml, NULL);
}

/* ---- from the house ---- */

static struct outcome later(const char *reason, int64_t ms)
{
	return (struct outcome){.kind = OUTCOME_RETRY, .retry_ms = ms, .reason = reason};
}

static struct outcome refused(enum refusal refusal, const char *reason)
{
	return (struct outcome){.kind = OUTCOME_REFUSED, .refusal = refusal, .reason = reason};
}

/* Where it goes: fills room, in_room and to. True if it may go; else *outcome_r says why not. */
static bool address(struct xmpp *xmpp, struct xmpp_send *send, const struct message_out *message,
		    struct outcome *outcome_r)
{
	struct room *room = room_find(xmpp, message->to);
	const char *resource = jid_resource(message->to), *nick;
	struct buf to;

	if (!room) {
		*outcome_r = refused(REFUSAL_UNREACHABLE,
				     message->group ? "the channel is not set up for that room"
						    : "not the address of a person");
		if (message->group || !strchr(message->to, '@'))
			return false;
		send->to = xstrdup(message->to);
		return true;
	}
	*outcome_r = later("not in the room now", RETRY_SOON_MS);
	if (room->state != ROOM_IN)
		return false;
	if (message->group) {
		send->room = room;
		send->to = xstrdup(room->jid);
		return true;
	}
	nick = resource ? room_nick(room, message->to) : NULL;
	if (!nick) {
		*outcome_r = resource && *resource == '#'
				     ? later("the person is not in the room now", RETRY_ABSENT_MS)
				     : refused(REFUSAL_UNREACHABLE, "the person left the room");
		return false;
	}
	send->in_room = room;
	buf_init(&to, 0);
	buf_printf(&to, "%s/%s", room->jid, nick);
	send->to = to.data;
	return true;
}

/* Finds the id to correct; true if the message can be written now. */
static bool find_first(struct xmpp *xmpp, struct xmpp_send *send, struct outcome *outcome_r)
{
	const char *wire = send->edit;

	if (send->room)
		wire = ids_wire(&xmpp->ids, send->room->jid, send->edit);
	if (wire) {
		send->replaces = xstrdup(wire);
		return true;
	}
	if (send->room->can_archive)
		write_lookup(xmpp, send);
	else
		*outcome_r = refused(REFUSAL_OTHER,
				     "the message to correct is not known any more, and the room "
				     "keeps no archive (XEP-0313)");
	return false;
}

void out_send(struct channel *channel, const struct message_out *message)
{
	struct xmpp *xmpp = channel->own;
	struct outcome outcome = later("not connected", RETRY_SOON_MS);
	struct xmpp_send *send;
	const char *echoed;

	if (xmpp->stage != XMPP_READY || xmpp->closing) {
		settle_late(xmpp, message->id, outcome);
		return;
	}
	send = xalloc(sizeof *send);
	send->id = xstrdup(message->id);
	send->wire = xalloc(strlen(XMPP_OWN_ID) + strlen(message->id) + 1);
	memcpy(send->wire, XMPP_OWN_ID, strlen(XMPP_OWN_ID));
	memcpy(send->wire + strlen(XMPP_OWN_ID), message->id, strlen(message->id));
	send->text = xstrdup(message->text ? message->text : "");
	send->about = copy(message->about);
	send->edit = copy(message->edit);
	send->deadline = xmpp_now() + xmpp->answer_ms;
	if (!address(xmpp, send, message, &outcome)) {
		settle_late(xmpp, message->id, outcome);
		free_send(send);
		return;
	}
	/* An earlier try did arrive: the room's history showed it. */
	echoed = send->room ? ids_echoed(&xmpp->ids, send->room->jid, send->wire) : NULL;
	if (echoed) {
		settle_late(xmpp, message->id,
			    (struct outcome){.kind = OUTCOME_SENT,
					     .message_id = send->edit ? send->edit : echoed});
		free_send(send);
		return;
	}
	send->next = xmpp->sends;
	xmpp->sends = send;
	if (!send->edit || find_first(xmpp, send, &outcome)) {
		write_message(xmpp, send);
	} else if (!send->lookup) {
		settle_late(xmpp, message->id, outcome);
		xmpp->sends = send->next;
		free_send(send);
	}
}

/* ---- what became of it ---- */

static struct xmpp_send *find(struct xmpp *xmpp, const char *wire)
{
	struct xmpp_send *send = xmpp->sends;

	while (send && strcmp(send->wire, wire) != 0)
		send = send->next;
	return send;
}

void out_echo(struct xmpp *xmpp, const char *wire, const char *message_id)
{
	struct xmpp_send *send = find(xmpp, wire);

	if (send && send->room)
		settle_sent(xmpp, send, message_id);
}

void out_acked(struct xmpp *xmpp, struct xmpp_send *send)
{
	/* In a room the echo proves more, and brings the room's id. */
	if (!send->room)
		settle_sent(xmpp, send, send->wire);
}

/* RFC 6120 section 8.3.3: what a refusal means for a send. */
static const struct condition {
	const char *name;
	enum outcome_kind kind;
	enum refusal refusal;
	const char *reason;
} conditions[] = {
	{"forbidden", OUTCOME_REFUSED, REFUSAL_CHANNEL, "forbidden: no right to speak there"},
	{"gone", OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "gone: the address exists no more"},
	{"internal-server-error", OUTCOME_RETRY, REFUSAL_OTHER, "internal-server-error"},
	{"item-not-found", OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "item-not-found: no such address"},
	{"jid-malformed", OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "jid-malformed: not an address"},
	{"not-acceptable", OUTCOME_REFUSED, REFUSAL_OTHER, "not-acceptable"},
	{"not-allowed", OUTCOME_REFUSED, REFUSAL_OTHER, "not-allowed"},
	{"not-authorized", OUTCOME_REFUSED, REFUSAL_UNREACHABLE, "not-authorized"},
	{"policy-violation", OUTCOME_REFUSED, REFUSAL_TEXT, "policy-violation"},
	{"recipient-unavailable", OUTCOME_RETRY, REFUSAL_OTHER, "recipient-unavailable"},
	{"remote-server-not-found", OUTCOME_REFUSED, REFUSAL_UNREACHABLE,
	 "remote-server-not-found"},
	{"remote-server-timeout", OUTCOME_RETRY, REFUSAL_OTHER, "remote-server-timeout"},
	{"resource-constraint", OUTCOME_RETRY, REFUSAL_OTHER, "resource-constraint"},
	{"service-unavailable", OUTCOME_REFUSED, REFUSAL_UNREACHABLE,
	 "service-unavailable: no such address, or it takes no messages from strangers"},
	{"subscription-required", OUTCOME_REFUSED, REFUSAL_UNREACHABLE,
	 "subscription-required: the person must add the bot first"},
};

static struct outcome outcome_of(const struct xmpp_error *error)
{
	if (error->blocked)
		return refused(REFUSAL_BLOCKED, "the person blocked this account");
	if (!strcmp(error->type, "wait"))
		return later("the server asks to wait", 0);
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
		if (!strcmp(error->condition, conditions[i].name))
			return (struct outcome){.kind = conditions[i].kind,
						.refusal = conditions[i].refusal,
						.reason = conditions[i].reason};
	return refused(REFUSAL_OTHER, "refused for a reason that the server does not tell");
}

bool out_bounced(struct xmpp *xmpp, const char *wire, const struct xmpp_error *error)
{
	struct xmpp_send *send = find(xmpp, wire);
	struct outcome outcome;
	struct room *room;

	if (!send)
		return false;
	room = send->room;
	outcome = outcome_of(error);
	/* XEP-0045 section 7.4: what a room says to somebody who is not in it. */
	if (room && !strcmp(error->condition, "not-acceptable"))
		outcome = later("the room does not know us any more", RETRY_SOON_MS);
	else if (send->in_room && !strcmp(error->condition, "item-not-found"))
		outcome = later("the person is not in the room now", RETRY_ABSENT_MS);
	else
		room = NULL;
	out_settle(xmpp, send, &outcome);
	if (room)
		room_out(room, "a message was not accepted");
	return true;
}

void out_archived(struct xmpp *xmpp, const struct xml_element *result, const char *from)
{
	const char *query = xml_attribute(result, "queryid"), *id = xml_attribute(result, "id");
	const struct xml_element *forwarded = xml_child(result, NS_FORWARD, "forwarded");
	const struct xml_element *message = xml_child(forwarded, NS_CLIENT, "message");
	const char *wire = xml_attribute(xml_child(message, NS_SID, "origin-id"), "id");

	if (!wire)
		wire = xml_attribute(message, "id");
	if (!query || !id || !wire || strncmp(wire, XMPP_OWN_ID, strlen(XMPP_OWN_ID)) != 0)
		return;
	for (struct xmpp_send *send = xmpp->sends; send; send = send->next)
		if (send->lookup && !strcmp(send->lookup, query) && !send->replaces &&
		    !strcmp(send->room->jid, from) && !strcmp(send->edit, id)) {
			send->replaces = xstrdup(wire);
			ids_note(&xmpp->ids, from, id, wire, NULL, send->room->nick);
		}
}

bool out_answer(struct xmpp *xmpp, const struct xml_element *iq)
{
	const char *id = xml_attribute(iq, "id"), *from = xml_attribute(iq, "from");

	for (struct xmpp_send *send = xmpp->sends; id && send; send = send->next) {
		if (send->proof && !strcmp(send->proof, id)) {
			settle_sent(xmpp, send, send->wire);
			return true;
		}
		if (!send->lookup || strcmp(send->lookup, id) != 0 || !from ||
		    strcmp(from, send->room->jid) != 0)
			continue;
		free(send->lookup);
		send->lookup = NULL;
		if (send->replaces) {
			write_message(xmpp, send);
		} else {
			struct outcome outcome = refused(
				REFUSAL_OTHER,
				"the message to correct is not in the room's archive any more");
			out_settle(xmpp, send, &outcome);
		}
		return true;
	}
	return false;
}

void out_room_history_over(struct xmpp *xmpp, const struct room *room)
{
	for (struct xmpp_send *send = xmpp->sends, *next; send; send = next) {
		next = send->next;
		if (send->lost && send->room == room)
			out_uncertain(xmpp, send,
				      "the session ended, and the room's history does not show it");
	}
}

void out_tick(struct xmpp *xmpp, int64_t now)
{
	for (struct xmpp_send *send = xmpp->sends, *next; send; send = next) {
		struct room *room = send->room;

		next = send->next;
		if (now < send->deadline)
			continue;
		out_uncertain(xmpp, send,
			      room ? "no echo from the room in time"
				   : "no answer from the server in time");
		if (room)
			room_check(room);
	}
}

void out_give_up(struct xmpp *xmpp)
{
	while (xmpp->sends)
		out_uncertain(xmpp, xmpp->sends, "the channel was closed before an answer came");
}
