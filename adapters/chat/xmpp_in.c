/* adapters/chat/xmpp_in.c - turns what people and servers say into messages for the house. */
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/stanza.h"
#include "adapters/chat/tag.h"
#include "adapters/chat/xmpp.h"
#include "adapters/chat/xmpp_names.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

/* Unique on the channel. A client chooses ids as it likes, so the sender's tag is put to them; a
 * stanza without one gets its place in the session, which is the same when it is sent again. */
static const char *message_id(struct inbound *inbound, const struct xmpp_message *m,
			      const char *sender)
{
	if (m->id && *m->id)
		return arena_printf(inbound->arena, "%s|%08x", m->id, (unsigned)chat_tag(sender));
	return arena_printf(inbound->arena, "%s:%u", inbound->xmpp->session_mark,
			    (unsigned)inbound->xmpp->sm.received);
}

static struct message_in *add(struct inbound *inbound)
{
	return &inbound->messages[inbound->count++];
}

/* A text, or one message for each reaction. `base` has all but kind, id, text and about. */
static void add_words(struct inbound *inbound, const struct xmpp_message *m,
		      const struct message_in *base, const char *id, const char *about,
		      const char *reacted)
{
	const char *fresh[XMPP_REACTIONS_MAX];
	struct message_in *in;
	size_t count = 0;

	memcpy(fresh, m->reactions, sizeof fresh);
	if (reacted)
		count = ids_new_reactions(&inbound->xmpp->ids, base->sender, reacted, fresh,
					  m->reaction_count);
	for (size_t i = 0; i < count; i++) {
		in = add(inbound);
		*in = *base;
		in->kind = MESSAGE_REACTION;
		in->id = arena_printf(inbound->arena, "%s#%zu", id, i);
		in->text = fresh[i];
		in->about = reacted;
	}
	if (reacted || (!m->body && !m->link && m->latitude == 0 && m->longitude == 0))
		return;
	in = add(inbound);
	*in = *base;
	in->kind = MESSAGE_TEXT;
	in->id = id;
	in->text = m->body ? m->body : "";
	in->about = about;
	in->media = m->link;
	in->latitude = m->latitude;
	in->longitude = m->longitude;
}

/* True if the words are not to be acted upon: unreadable, or a correction of what was acted upon.
 */
static bool unusable(struct xmpp *xmpp, const struct xmpp_message *m)
{
	if (m->encrypted && !xmpp->encrypted_warned) {
		xmpp->encrypted_warned = true;
		log_warning(&xmpp->channel->log,
			    "an encrypted message came; this channel reads none");
	}
	return m->encrypted || m->replaces;
}

static void in_groupchat(struct xmpp *xmpp, struct inbound *inbound,
			 const struct xml_element *stanza, const struct xmpp_message *m)
{
	struct room *room = room_find(xmpp, m->from);
	const char *nick = jid_resource(m->from), *sender, *sid, *told;
	struct message_in base;

	if (!room || room->state == ROOM_OUT || room->state == ROOM_ASKED)
		return;
	if (m->subject) {
		room_history_over(room);
		return;
	}
	if (!nick)
		return;
	sid = room->can_stanza_id ? xmpp_stanza_id(stanza, room->jid) : NULL;
	if (!strcmp(nick, room->nick)) {
		const char *wire = m->origin_id ? m->origin_id : m->id;

		if (!wire || strncmp(wire, XMPP_OWN_ID, strlen(XMPP_OWN_ID)) != 0)
			return;
		told = ids_note(&xmpp->ids, room->jid, sid, wire, m->replaces, nick);
		out_echo(xmpp, wire, told);
		return;
	}
	if (sid)
		ids_note(&xmpp->ids, room->jid, sid, NULL, NULL, nick);
	/* What a room sends before its subject was said before we came. */
	if (room->state != ROOM_IN && m->delayed)
		return;
	if (unusable(xmpp, m))
		return;
	sender = room_address(room, inbound->arena, nick, m->occupant_id);
	if (!sender)
		return;
	base = (struct message_in){
		.sender = sender,
		.group = room->jid,
		.name = nick,
		.sent_at = m->stamp_ms,
	};
	add_words(inbound, m, &base, sid ? sid : message_id(inbound, m, sender),
		  m->reply_to_id ? ids_told(&xmpp->ids, room->jid, m->reply_to_id) : NULL,
		  m->reacted ? ids_told(&xmpp->ids, room->jid, m->reacted) : NULL);
}

/* The sender of a message to us alone; NULL if it is nobody we could answer. */
static const char *direct_sender(struct xmpp *xmpp, struct inbound *inbound,
				 const struct xml_element *stanza, const struct xmpp_message *m)
{
	struct room *room = room_find(xmpp, m->from);
	const char *nick = jid_resource(m->from);

	if (room)
		return nick && strcmp(nick, room->nick) != 0
			       ? room_address(room, inbound->arena, nick, m->occupant_id)
			       : NULL;
	/* Through a room that is not ours, or from a server. */
	if (xml_child(stanza, NS_MUC_USER, "x") || !strchr(m->from, '@') ||
	    jid_is_bare(m->from, xmpp->jid))
		return NULL;
	return jid_bare(inbound->arena, m->from);
}

static void in_receipt(struct inbound *inbound, const struct xmpp_message *m, const char *sender,
		       enum receipt receipt)
{
	const char *wire = receipt == RECEIPT_DELIVERED ? m->received : m->id;
	struct message_in *in = add(inbound);

	*in = (struct message_in){
		.kind = MESSAGE_RECEIPT,
		.id = arena_printf(inbound->arena, "%s!%d", wire, (int)receipt),
		.sender = sender,
		.about = wire + strlen(XMPP_OWN_ID),
		.receipt = receipt,
		.sent_at = m->stamp_ms,
	};
}

static bool ours(const char *id)
{
	return id && !strncmp(id, XMPP_OWN_ID, strlen(XMPP_OWN_ID)) && id[strlen(XMPP_OWN_ID)];
}

static void in_direct(struct xmpp *xmpp, struct inbound *inbound, const struct xml_element *stanza,
		      const struct xmpp_message *m)
{
	const char *sender = direct_sender(xmpp, inbound, stanza, m);
	struct message_in base = {.sender = sender, .sent_at = m->stamp_ms};

	if (!sender)
		return;
	if (room_find(xmpp, m->from))
		base.name = jid_resource(m->from);
	if (ours(m->received)) {
		in_receipt(inbound, m, sender, RECEIPT_DELIVERED);
		return;
	}
	if (unusable(xmpp, m))
		return;
	add_words(inbound, m, &base, message_id(inbound, m, sender), m->reply_to_id, m->reacted);
	if (inbound->count && m->wants_receipt && m->id && !room_find(xmpp, m->from)) {
		inbound->receipt_to = m->from;
		inbound->receipt_id = m->id;
	}
}

static void in_error(struct xmpp *xmpp, struct inbound *inbound, const struct xml_element *stanza,
		     const struct xmpp_message *m)
{
	struct xmpp_error error = xmpp_read_error(stanza);
	struct room *room = room_find(xmpp, m->from);

	if (!ours(m->id) || out_bounced(xmpp, m->id, &error))
		return;
	/* It had been taken for sent: only now the other server said no. */
	if (!room || jid_resource(m->from))
		in_receipt(inbound, m, jid_bare(inbound->arena, m->from),
			   error.blocked ? RECEIPT_BLOCKED : RECEIPT_FAILED);
}

static void in_message(struct xmpp *xmpp, struct inbound *inbound, const struct xml_element *stanza)
{
	const struct xml_element *archived = xml_child(stanza, NS_MAM, "result");
	struct xmpp_message m;

	xmpp_read_message(inbound->arena, stanza, &m);
	if (!m.from)
		return;
	if (archived)
		out_archived(xmpp, archived, m.from);
	else if (!strcmp(m.type, "groupchat"))
		in_groupchat(xmpp, inbound, stanza, &m);
	else if (!strcmp(m.type, "error"))
		in_error(xmpp, inbound, stanza, &m);
	else if (!strcmp(m.type, "chat") || !strcmp(m.type, "normal"))
		in_direct(xmpp, inbound, stanza, &m);
}

static void in_presence(struct xmpp *xmpp, const struct xml_element *stanza)
{
	const char *from = xml_attribute(stanza, "from"), *type = xml_attribute(stanza, "type");
	struct room *room = from ? room_find(xmpp, from) : NULL;
	struct arena *arena;
	struct buf xml;

	if (room)
		room_presence(room, stanza);
	/* Who wants to see whether the bot is there may. */
	if (room || !from || !type || strcmp(type, "subscribe") != 0)
		return;
	arena = arena_new();
	buf_init(&xml, 0);
	buf_str(&xml, "<presence xmlns='" NS_CLIENT "' type='subscribed'");
	xml_write_attribute(&xml, "to", jid_bare(arena, from));
	buf_str(&xml, "/>");
	sm_write(xmpp, &xml, NULL);
	arena_free(&arena);
}

static void answer_question(struct xmpp *xmpp, const struct xml_element *iq)
{
	bool get = !strcmp(xml_attribute(iq, "type"), "get");
	bool known = get && (xml_child(iq, NS_PING, "ping") || xml_child(iq, NS_DISCO, "query"));
	struct buf xml;

	buf_init(&xml, 0);
	buf_printf(&xml, "<iq xmlns='" NS_CLIENT "' type='%s'", known ? "result" : "error");
	xml_write_attribute(&xml, "to", xml_attribute(iq, "from"));
	xml_write_attribute(&xml, "id", xml_attribute(iq, "id"));
	if (!known)
		buf_str(&xml, "><error type='cancel'><service-unavailable xmlns='" NS_STANZAS
			      "'/></error></iq>");
	else if (xml_child(iq, NS_PING, "ping"))
		buf_str(&xml, "/>");
	else
		buf_str(&xml,
			"><query xmlns='" NS_DISCO "'><identity category='client' type='bot'/>"
			"<feature var='" NS_DISCO "'/><feature var='" NS_PING "'/>"
			"<feature var='" NS_RECEIPTS "'/><feature var='" NS_REPLY "'/>"
			"<feature var='" NS_REACTIONS "'/></query></iq>");
	sm_write(xmpp, &xml, NULL);
}

static void in_iq(struct xmpp *xmpp, const struct xml_element *stanza)
{
	const char *type = xml_attribute(stanza, "type");

	if (!type)
		return;
	if (!strcmp(type, "get") || !strcmp(type, "set"))
		answer_question(xmpp, stanza);
	else if (!room_answer(xmpp, stanza))
		out_answer(xmpp, stanza);
}

void in_stanza(struct xmpp *xmpp, struct inbound *inbound, const struct xml_element *stanza)
{
	if (!strcmp(stanza->name, "message"))
		in_message(xmpp, inbound, stanza);
	else if (!strcmp(stanza->name, "presence"))
		in_presence(xmpp, stanza);
	else
		in_iq(xmpp, stanza);
	sm_offer(inbound);
}
