/* adapters/chat/xmpp_read.h - what one message or presence stanza says, without its session.
 *
 * Pure. Understands RFC 6121, XEP-0045 (rooms), 0066 (links), 0184 (receipts), 0203 (delay),
 * 0308 (correction), 0359 (stable ids), 0380 (encryption), 0421 (occupant id), 0444 (reactions),
 * 0461 with 0428 (replies and their fallback). Strings live in the arena of the stanza.
 */
#ifndef ADAPTERS_CHAT_XMPP_READ_H
#define ADAPTERS_CHAT_XMPP_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct xml_element;

enum { XMPP_REACTIONS_MAX = 16 };

struct xmpp_message {
	const char *type; /* "chat", "groupchat", "error", "normal" … */
	const char *from, *id;
	const char *origin_id;
	const char *body;      /* without the quoted fallback; NULL: none */
	bool subject;          /* a <subject/> and no <body/>: ends the history of a room */
	bool encrypted;        /* the body is only a stand-in */
	bool delayed;
	const char *delay_from;
	int64_t stamp_ms;      /* of the delay; 0: none or unreadable */
	const char *reply_to_id;
	const char *replaces;  /* correction of that message */
	const char *occupant_id;
	const char *link;      /* a file that was shared */
	double latitude, longitude;
	bool wants_receipt;
	const char *received;  /* a receipt for that message */
	const char *reacted;   /* reactions on that message, replacing the sender's earlier ones */
	const char *reactions[XMPP_REACTIONS_MAX];
	size_t reaction_count;
};

void xmpp_read_message(struct arena *arena, const struct xml_element *message,
		       struct xmpp_message *read_r);
/* The id that `by` (a bare address) gave it; any other <stanza-id/> may be forged (XEP-0359). */
const char *xmpp_stanza_id(const struct xml_element *message, const char *by);

struct xmpp_presence {
	const char *from, *type; /* type NULL: available */
	const char *real;        /* bare address behind the nick, if the room shows it */
	const char *occupant_id;
	bool self, created, nick_changed, kicked, banned, destroyed;
};

void xmpp_read_presence(struct arena *arena, const struct xml_element *presence,
			struct xmpp_presence *read_r);

/* RFC 6120 section 8.3: what an error stanza says. */
struct xmpp_error {
	const char *type;      /* "cancel", "wait", "auth", "modify" or "" */
	const char *condition; /* "item-not-found" … or "undefined-condition" */
	bool blocked;          /* XEP-0191: the person blocked us */
};

struct xmpp_error xmpp_read_error(const struct xml_element *stanza);

/* XEP-0082 date and time in ms, 0 if it is none. */
int64_t xmpp_read_time(const char *text);
/* `body` without the code points start…end (XEP-0428 counts code points); as it is if they do not fit. */
const char *xmpp_cut_points(struct arena *arena, const char *body, size_t start, size_t end);

#endif
