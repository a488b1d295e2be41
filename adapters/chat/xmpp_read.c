/* adapters/chat/xmpp_read.c - picks out of a stanza what the bot needs to know. */
#include "adapters/chat/xmpp_read.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/chat/stanza.h"
#include "adapters/chat/xmpp_names.h"
#include "base/arena.h"
#include "base/civil.h"
#include "base/text.h"

static bool read_digits(const char **at, int count, int *number_r)
{
	*number_r = 0;
	for (int i = 0; i < count; i++, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		*number_r = *number_r * 10 + (**at - '0');
	}
	return true;
}

static bool read_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* "Z" or "+08:00", in seconds. */
static bool read_zone(const char **at, int *offset_r)
{
	int sign, hours, minutes;

	*offset_r = 0;
	if (read_char(at, 'Z'))
		return true;
	sign = **at == '-' ? -1 : 1;
	if (!read_char(at, '+') && !read_char(at, '-'))
		return false;
	if (!read_digits(at, 2, &hours) || !read_char(at, ':') || !read_digits(at, 2, &minutes))
		return false;
	*offset_r = sign * (hours * 3600 + minutes * 60);
	return true;
}

int64_t xmpp_read_time(const char *text)
{
	struct civil c = {0};
	int offset;

	if (!text || !read_digits(&text, 4, &c.year) || !read_char(&text, '-') ||
	    !read_digits(&text, 2, &c.month) || !read_char(&text, '-') ||
	    !read_digits(&text, 2, &c.day) || !read_char(&text, 'T') ||
	    !read_digits(&text, 2, &c.hour) || !read_char(&text, ':') ||
	    !read_digits(&text, 2, &c.minute) || !read_char(&text, ':') ||
	    !read_digits(&text, 2, &c.second))
		return 0;
	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 || c.hour > 23 ||
	    c.minute > 59 || c.second > 60)
		return 0;
	if (read_char(&text, '.'))
		text += strspn(text, "0123456789");
	if (!read_zone(&text, &offset) || *text)
		return 0;
	return civil_to_ms(&c, offset);
}

static const char *skip_points(const char *s, size_t points)
{
	int32_t point;
	size_t bytes;

	for (; points && (bytes = text_next(s, &point)); points--)
		s += bytes;
	return points ? NULL : s;
}

const char *xmpp_cut_points(struct arena *arena, const char *body, size_t start, size_t end)
{
	const char *from = skip_points(body, start);
	const char *to = start <= end ? skip_points(body, end) : NULL;

	if (!from || !to)
		return body;
	return arena_printf(arena, "%.*s%s", (int)(from - body), body, to);
}

static bool read_count(const char *text, size_t *count_r)
{
	char *end;
	unsigned long n;

	if (!text || *text < '0' || *text > '9')
		return false;
	n = strtoul(text, &end, 10);
	*count_r = n;
	return !*end && n <= 1 << 20;
}

/* XEP-0461 section 3: what older clients show of the quoted message is no word of the sender. */
static const char *own_words(struct arena *arena, const struct xml_element *message,
			     const char *body)
{
	const struct xml_element *fallback = xml_child(message, NS_FALLBACK, "fallback");

	for (; fallback; fallback = xml_following(fallback, NS_FALLBACK, "fallback")) {
		const char *purpose = xml_attribute(fallback, "for");
		const struct xml_element *range = xml_child(fallback, NS_FALLBACK, "body");
		size_t start, end;

		if (!purpose || strcmp(purpose, NS_REPLY) != 0)
			continue;
		if (read_count(xml_attribute(range, "start"), &start) &&
		    read_count(xml_attribute(range, "end"), &end))
			return xmpp_cut_points(arena, body, start, end);
	}
	return body;
}

static void read_reactions(const struct xml_element *message, struct xmpp_message *r)
{
	const struct xml_element *reactions = xml_child(message, NS_REACTIONS, "reactions");
	const struct xml_element *one = xml_child(reactions, NS_REACTIONS, "reaction");

	r->reacted = xml_attribute(reactions, "id");
	for (; one && r->reaction_count < XMPP_REACTIONS_MAX;
	     one = xml_following(one, NS_REACTIONS, "reaction"))
		if (*one->text)
			r->reactions[r->reaction_count++] = one->text;
}

/* RFC 5870: "geo:31.2304,121.4737;u=12". */
static bool read_geo(const char *body, double *latitude_r, double *longitude_r)
{
	char *end;

	if (strncmp(body, "geo:", 4) != 0)
		return false;
	*latitude_r = strtod(body + 4, &end);
	if (end == body + 4 || *end != ',')
		return false;
	body = end + 1;
	*longitude_r = strtod(body, &end);
	return end != body && (!*end || *end == ';' || *end == ',') && *latitude_r >= -90 &&
	       *latitude_r <= 90 && *longitude_r >= -180 && *longitude_r <= 180;
}

static void read_body(struct arena *arena, const struct xml_element *message,
		      struct xmpp_message *r)
{
	const char *body = xml_child_text(message, NS_CLIENT, "body");

	r->subject = !body && xml_child(message, NS_CLIENT, "subject");
	r->link = xml_child_text(xml_child(message, NS_OOB, "x"), NS_OOB, "url");
	if (!body)
		return;
	if (r->reply_to_id)
		body = own_words(arena, message, body);
	/* A shared file repeats its address as the text. */
	if (r->link && !strcmp(body, r->link))
		return;
	if (read_geo(body, &r->latitude, &r->longitude))
		return;
	r->latitude = r->longitude = 0;
	r->body = body;
}

void xmpp_read_message(struct arena *arena, const struct xml_element *message,
		       struct xmpp_message *r)
{
	const struct xml_element *delay = xml_child(message, NS_DELAY, "delay");
	const char *type = xml_attribute(message, "type");

	*r = (struct xmpp_message){
		.type = type ? type : "normal",
		.from = xml_attribute(message, "from"),
		.id = xml_attribute(message, "id"),
		.origin_id = xml_attribute(xml_child(message, NS_SID, "origin-id"), "id"),
		.encrypted = xml_child(message, NS_EME, "encryption") ||
			     xml_child(message, NS_OMEMO, "encrypted") ||
			     xml_child(message, NS_OMEMO_2, "encrypted") ||
			     xml_child(message, NS_PGP, "x"),
		.delayed = delay != NULL,
		.delay_from = xml_attribute(delay, "from"),
		.stamp_ms = xmpp_read_time(xml_attribute(delay, "stamp")),
		.reply_to_id = xml_attribute(xml_child(message, NS_REPLY, "reply"), "id"),
		.replaces = xml_attribute(xml_child(message, NS_CORRECT, "replace"), "id"),
		.occupant_id = xml_attribute(xml_child(message, NS_OCCUPANT, "occupant-id"), "id"),
		.wants_receipt = xml_child(message, NS_RECEIPTS, "request") != NULL,
		.received = xml_attribute(xml_child(message, NS_RECEIPTS, "received"), "id"),
	};
	read_body(arena, message, r);
	read_reactions(message, r);
}

const char *xmpp_stanza_id(const struct xml_element *message, const char *by)
{
	const struct xml_element *sid = xml_child(message, NS_SID, "stanza-id");

	for (; sid; sid = xml_following(sid, NS_SID, "stanza-id")) {
		const char *who = xml_attribute(sid, "by"), *id = xml_attribute(sid, "id");

		if (who && id && *id && !strcmp(who, by))
			return id;
	}
	return NULL;
}

void xmpp_read_presence(struct arena *arena, const struct xml_element *presence,
			struct xmpp_presence *r)
{
	const struct xml_element *x = xml_child(presence, NS_MUC_USER, "x");
	const struct xml_element *status = xml_child(x, NS_MUC_USER, "status");
	const char *real = xml_attribute(xml_child(x, NS_MUC_USER, "item"), "jid");

	*r = (struct xmpp_presence){
		.from = xml_attribute(presence, "from"),
		.type = xml_attribute(presence, "type"),
		.real = real ? jid_bare(arena, real) : NULL,
		.occupant_id = xml_attribute(xml_child(presence, NS_OCCUPANT, "occupant-id"), "id"),
		.destroyed = xml_child(x, NS_MUC_USER, "destroy") != NULL,
	};
	for (; status; status = xml_following(status, NS_MUC_USER, "status")) {
		const char *code = xml_attribute(status, "code");

		if (!code)
			continue;
		r->self |= !strcmp(code, "110");
		r->created |= !strcmp(code, "201");
		r->banned |= !strcmp(code, "301");
		r->nick_changed |= !strcmp(code, "303");
		r->kicked |= !strcmp(code, "307");
	}
}

struct xmpp_error xmpp_read_error(const struct xml_element *stanza)
{
	const struct xml_element *error = xml_child(stanza, NULL, "error");
	const char *type = xml_attribute(error, "type");
	struct xmpp_error r = {.type = type ? type : "", .condition = "undefined-condition"};

	for (const struct xml_element *e = error ? error->first : NULL; e; e = e->next) {
		if (!strcmp(e->space, NS_STANZAS) && strcmp(e->name, "text") != 0)
			r.condition = e->name;
		r.blocked |= xml_is(e, NS_BLOCKED, "blocked");
	}
	return r;
}
