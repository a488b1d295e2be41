/* adapters/chat/xmpp_room.c - gets into the rooms, stays in them, and knows who is there
 * (XEP-0045). */
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/stanza.h"
#include "adapters/chat/tag.h"
#include "adapters/chat/xmpp.h"
#include "adapters/chat/xmpp_names.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

struct room *room_find(struct xmpp *xmpp, const char *jid)
{
	for (size_t i = 0; i < xmpp->room_count; i++)
		if (jid_is_bare(jid, xmpp->room[i].jid))
			return &xmpp->room[i];
	return NULL;
}

static struct occupant **nick_place(struct room *room, const char *nick)
{
	struct occupant **place = &room->by_nick[chat_tag(nick) % ROOM_BUCKETS];

	while (*place && strcmp((*place)->nick, nick) != 0)
		place = &(*place)->next_nick;
	return place;
}

static struct occupant **address_place(struct room *room, const struct occupant *occupant)
{
	struct occupant **place = &room->by_address[chat_tag(occupant->address) % ROOM_BUCKETS];

	while (*place && *place != occupant)
		place = &(*place)->next_address;
	return place;
}

static void remove_occupant(struct room *room, const char *nick)
{
	struct occupant **place = nick_place(room, nick), *occupant = *place;

	if (!occupant)
		return;
	*place = occupant->next_nick;
	*address_place(room, occupant) = occupant->next_address;
	free(occupant->nick);
	free(occupant->address);
	free(occupant);
}

static void empty_room(struct room *room)
{
	for (size_t i = 0; i < ROOM_BUCKETS; i++)
		while (room->by_nick[i])
			remove_occupant(room, room->by_nick[i]->nick);
}

static char *address_of(struct room *room, const struct xmpp_presence *p,
			const struct occupant *before)
{
	struct buf out;
	char *token;

	if (p->real)
		return xstrdup(p->real);
	buf_init(&out, 0);
	if (room->can_occupant_id && p->occupant_id) {
		buf_printf(&out, "%s/#%s", room->jid, p->occupant_id);
		return out.data;
	}
	if (before && !before->real) {
		buf_free(&out);
		return xstrdup(before->address);
	}
	if (!room->warned)
		log_warning(
			&room->xmpp->channel->log,
			"room %s shows neither addresses nor occupant ids (XEP-0421): people are "
			"told apart only while they stay",
			room->jid);
	room->warned = true;
	token = xmpp_random_text();
	buf_printf(&out, "%s/~%s", room->jid, token);
	free(token);
	return out.data;
}

static void put_occupant(struct room *room, const char *nick, const struct xmpp_presence *p)
{
	struct occupant *before = *nick_place(room, nick);
	char *address = address_of(room, p, before);
	struct occupant *occupant = xalloc(sizeof *occupant);
	size_t bucket;

	remove_occupant(room, nick);
	*occupant = (struct occupant){.nick = xstrdup(nick), .address = address, .real = p->real};
	bucket = chat_tag(nick) % ROOM_BUCKETS;
	occupant->next_nick = room->by_nick[bucket];
	room->by_nick[bucket] = occupant;
	bucket = chat_tag(address) % ROOM_BUCKETS;
	occupant->next_address = room->by_address[bucket];
	room->by_address[bucket] = occupant;
}

const char *room_address(struct room *room, struct arena *arena, const char *nick,
			 const char *occupant_id)
{
	const struct occupant *occupant = *nick_place(room, nick);

	if (occupant)
		return occupant->address;
	if (room->can_occupant_id && occupant_id)
		return arena_printf(arena, "%s/#%s", room->jid, occupant_id);
	return NULL;
}

const char *room_nick(struct room *room, const char *address)
{
	const struct occupant *occupant = room->by_address[chat_tag(address) % ROOM_BUCKETS];

	while (occupant && strcmp(occupant->address, address) != 0)
		occupant = occupant->next_address;
	return occupant ? occupant->nick : NULL;
}

/* ---- in and out ---- */

static void ask_features(struct room *room)
{
	struct buf xml;

	buf_init(&xml, 0);
	buf_str(&xml, "<iq xmlns='" NS_CLIENT "' type='get'");
	xml_write_attribute(&xml, "to", room->jid);
	xml_write_attribute(&xml, "id", "features");
	buf_str(&xml, "><query xmlns='" NS_DISCO "'/></iq>");
	sm_write(room->xmpp, &xml, NULL);
}

static void set_nick(struct room *room, const char *nick)
{
	char *copy = xstrdup(nick);

	free(room->nick);
	room->nick = copy;
}

/* First what the room can do, because elements that it does not claim to set may be forged. */
static void begin_join(struct room *room)
{
	room->state = ROOM_ASKED;
	room->at = xmpp_now() + room->xmpp->answer_ms;
	room->can_stanza_id = room->can_occupant_id = room->can_archive = false;
	room->just_created = false;
	ask_features(room);
}

static void write_join(struct room *room)
{
	struct xmpp *xmpp = room->xmpp;
	struct buf xml, to;

	empty_room(room);
	room->state = ROOM_JOINING;
	room->at = xmpp_now() + xmpp->answer_ms;
	buf_init(&to, 0);
	buf_printf(&to, "%s/%s", room->jid, room->nick);
	buf_init(&xml, 0);
	buf_str(&xml, "<presence xmlns='" NS_CLIENT "'");
	xml_write_attribute(&xml, "to", to.data);
	buf_printf(&xml, "><x xmlns='" NS_MUC "'><history maxstanzas='%d'/>", (int)XMPP_HISTORY);
	if (xmpp->room_password) {
		buf_str(&xml, "<password>");
		xml_text(&xml, xmpp->room_password);
		buf_str(&xml, "</password>");
	}
	buf_str(&xml, "</x></presence>");
	sm_write(xmpp, &xml, NULL);
	buf_free(&to);
}

void rooms_open(struct xmpp *xmpp)
{
	xmpp->room_count = xmpp->rooms.count;
	xmpp->room = xalloc((xmpp->room_count + 1) * sizeof *xmpp->room);
	for (size_t i = 0; i < xmpp->room_count; i++) {
		xmpp->room[i] = (struct room){.xmpp = xmpp, .jid = xmpp->rooms.items[i]};
		set_nick(&xmpp->room[i], xmpp->nick);
	}
}

static void drop(struct room *room)
{
	empty_room(room);
	free(room->ping_id);
	room->ping_id = NULL;
	room->state = ROOM_OUT;
}

void rooms_free(struct xmpp *xmpp)
{
	for (size_t i = 0; i < xmpp->room_count; i++) {
		drop(&xmpp->room[i]);
		free(xmpp->room[i].nick);
	}
	free(xmpp->room);
	xmpp->room = NULL;
	xmpp->room_count = 0;
}

void rooms_join(struct xmpp *xmpp)
{
	for (size_t i = 0; i < xmpp->room_count; i++) {
		drop(&xmpp->room[i]);
		xmpp->room[i].backoff = XMPP_REJOIN_MS;
		xmpp->room[i].nick_try = 0;
		set_nick(&xmpp->room[i], xmpp->nick);
		begin_join(&xmpp->room[i]);
	}
}

void rooms_lost(struct xmpp *xmpp)
{
	for (size_t i = 0; i < xmpp->room_count; i++)
		drop(&xmpp->room[i]);
}

/* Out, and in again after a pause that doubles. */
void room_out(struct room *room, const char *why)
{
	if (room->state == ROOM_OUT)
		return;
	drop(room);
	room->tried = true;
	room->at = xmpp_now() + room->backoff;
	log_warning(&room->xmpp->channel->log, "out of room %s: %s; trying again in %d s",
		    room->jid, why, (int)(room->backoff / 1000));
	room->backoff =
		room->backoff * 2 > XMPP_REJOIN_MAX_MS ? XMPP_REJOIN_MAX_MS : room->backoff * 2;
}

/* XEP-0410: asks ourselves, through the room. */
void room_check(struct room *room)
{
	struct xmpp *xmpp = room->xmpp;
	struct buf xml, to;

	if (room->state != ROOM_IN || room->ping_id || xmpp->stage != XMPP_READY)
		return;
	room->ping_id = xmpp_question_id(xmpp, "room");
	room->at = xmpp_now() + xmpp->answer_ms;
	buf_init(&to, 0);
	buf_printf(&to, "%s/%s", room->jid, room->nick);
	buf_init(&xml, 0);
	buf_str(&xml, "<iq xmlns='" NS_CLIENT "' type='get'");
	xml_write_attribute(&xml, "to", to.data);
	xml_write_attribute(&xml, "id", room->ping_id);
	buf_str(&xml, "><ping xmlns='" NS_PING "'/></iq>");
	sm_write(xmpp, &xml, NULL);
	buf_free(&to);
}

void rooms_check(struct xmpp *xmpp)
{
	for (size_t i = 0; i < xmpp->room_count; i++) {
		free(xmpp->room[i].ping_id);
		xmpp->room[i].ping_id = NULL;
		if (xmpp->room[i].state == ROOM_IN)
			room_check(&xmpp->room[i]);
		else
			begin_join(&xmpp->room[i]);
	}
}

void rooms_tick(struct xmpp *xmpp, int64_t now)
{
	if (xmpp->stage != XMPP_READY)
		return;
	for (size_t i = 0; i < xmpp->room_count; i++) {
		struct room *room = &xmpp->room[i];

		if (now < room->at)
			continue;
		switch (room->state) {
		case ROOM_OUT:
			begin_join(room);
			break;
		case ROOM_ASKED:
			write_join(room);
			break;
		case ROOM_JOINING:
			room_out(room, "no answer to the join");
			break;
		case ROOM_HISTORY: /* some rooms send no subject */
			room_history_over(room);
			break;
		case ROOM_IN:
			if (room->ping_id)
				room_out(room, "no answer to a ping through the room");
			else
				room_check(room);
			break;
		}
	}
}

void room_history_over(struct room *room)
{
	if (room->state != ROOM_HISTORY)
		return;
	room->state = ROOM_IN;
	room->tried = true;
	room->backoff = XMPP_REJOIN_MS;
	room->at = xmpp_now() + XMPP_PING_MS;
	log_info(&room->xmpp->channel->log, "in room %s", room->jid);
	out_room_history_over(room->xmpp, room);
}

/* ---- what the server says ---- */

static void join_refused(struct room *room, const struct xml_element *stanza)
{
	struct xmpp_error error = xmpp_read_error(stanza);
	struct buf nick;

	if (!strcmp(error.condition, "conflict") && room->nick_try < 5) {
		buf_init(&nick, 0);
		buf_printf(&nick, "%s %u", room->xmpp->nick, ++room->nick_try + 1);
		set_nick(room, nick.data);
		buf_free(&nick);
		write_join(room);
		return;
	}
	room_out(room, error.condition);
}

static void own_presence(struct room *room, const struct xmpp_presence *p)
{
	struct buf xml;

	if (p->created) {
		log_warning(
			&room->xmpp->channel->log,
			"room %s did not exist; it was made with the server's standard settings",
			room->jid);
		room->just_created = true;
		buf_init(&xml, 0);
		buf_str(&xml, "<iq xmlns='" NS_CLIENT "' type='set'");
		xml_write_attribute(&xml, "to", room->jid);
		xml_write_attribute(&xml, "id", "unlock");
		buf_str(&xml, "><query xmlns='" NS_MUC_OWNER "'><x xmlns='" NS_DATA
			      "' type='submit'/></query></iq>");
		sm_write(room->xmpp, &xml, NULL);
		ask_features(room);
	}
	if (room->state == ROOM_JOINING) {
		room->state = ROOM_HISTORY;
		room->at = xmpp_now() + room->xmpp->answer_ms;
	}
}

void room_presence(struct room *room, const struct xml_element *stanza)
{
	struct arena *arena = arena_new();
	struct xmpp_presence p;
	const char *nick;
	bool own;

	xmpp_read_presence(arena, stanza, &p);
	nick = jid_resource(p.from);
	own = p.self || (nick && !strcmp(nick, room->nick));
	if (p.type && !strcmp(p.type, "error")) {
		if (room->state == ROOM_JOINING)
			join_refused(room, stanza);
	} else if (!nick || room->state == ROOM_OUT || room->state == ROOM_ASKED) {
		/* ejabberd sends a presence of the room itself; and late ones of a room we left. */
	} else if (p.type && !strcmp(p.type, "unavailable")) {
		remove_occupant(room, nick);
		if (own && !p.nick_changed)
			room_out(room, p.banned      ? "banned"
				       : p.kicked    ? "kicked"
				       : p.destroyed ? "the room was destroyed"
						     : "removed");
	} else if (!p.type) {
		/* The service may have given us another nick (status 210). */
		if (p.self)
			set_nick(room, nick);
		put_occupant(room, nick, &p);
		if (own)
			own_presence(room, &p);
	}
	arena_free(&arena);
}

static void read_features(struct room *room, const struct xml_element *iq)
{
	const struct xml_element *query = xml_child(iq, NS_DISCO, "query");
	const struct xml_element *feature = xml_child(query, NS_DISCO, "feature");

	for (; feature; feature = xml_following(feature, NS_DISCO, "feature")) {
		const char *name = xml_attribute(feature, "var");

		if (!name)
			continue;
		room->can_stanza_id |= !strcmp(name, NS_SID);
		room->can_occupant_id |= !strcmp(name, NS_OCCUPANT);
		room->can_archive |= !strcmp(name, NS_MAM);
	}
}

/* XEP-0410 section 3: which answers mean that we are still in. */
static void ping_answered(struct room *room, const struct xml_element *iq)
{
	struct xmpp_error error = xmpp_read_error(iq);
	bool result = !strcmp(xml_attribute(iq, "type"), "result");

	free(room->ping_id);
	room->ping_id = NULL;
	room->at = xmpp_now() + XMPP_PING_MS;
	if (result || !strcmp(error.condition, "service-unavailable") ||
	    !strcmp(error.condition, "feature-not-implemented") ||
	    !strcmp(error.condition, "item-not-found") || /* another of our clients changed nick */
	    !strncmp(error.condition, "remote-server-", 14))
		return;
	room_out(room, "the room does not know us any more");
}

bool room_answer(struct xmpp *xmpp, const struct xml_element *iq)
{
	const char *from = xml_attribute(iq, "from"), *id = xml_attribute(iq, "id");
	struct room *room = from ? room_find(xmpp, from) : NULL;

	if (!room || !id)
		return false;
	if (room->ping_id && !strcmp(id, room->ping_id)) {
		ping_answered(room, iq);
		return true;
	}
	if (strcmp(from, room->jid) != 0)
		return false;
	if (!strcmp(id, "features")) {
		read_features(room, iq);
		if (room->state == ROOM_ASKED)
			write_join(room);
		return true;
	}
	return !strcmp(id, "unlock");
}
