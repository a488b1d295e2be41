/* adapters/chat/xmpp.h - one XMPP account in its rooms, over a websocket (RFC 7395).
 *
 * Split along what is known: xmpp.c the stream (bind, resume, close), xmpp_login.c the login,
 * xmpp_sm.c what is counted and
 * acknowledged (XEP-0198), xmpp_room.c rooms and who is in them, xmpp_in.c what people say,
 * xmpp_out.c what we say, xmpp_ids.c which ids mean the same message, xmpp_read.c stanzas as such.
 *
 * Ids. Every message of ours goes out with the id "linli-<send id>". A room that hands out stable
 * ids (XEP-0359) echoes it with its own; that one is the message_id told to the house, because
 * replies (XEP-0461) and reactions (XEP-0444) name it. A correction (XEP-0308) must name the id
 * that went out: it is found in memory, in the room's history (asked for at every join), or in its
 * archive (XEP-0313), so it survives a restart. Without stable ids "linli-…" is the message_id.
 *
 * Addresses. A person is their bare address. In a room that hides it: "room@host/#<occupant id>"
 * (XEP-0421); and where there is none of these either, "room@host/~<token>" for as long as they
 * stay. Never the nick, which the next person can take. A private answer to the last two finds the
 * nick they have at that moment.
 */
#ifndef ADAPTERS_CHAT_XMPP_H
#define ADAPTERS_CHAT_XMPP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/chat/xmpp_read.h"

struct arena;
struct buf;
struct loop_timer;
struct scram;
struct socket;
struct xml_element;
struct xmpp;

#define XMPP_OWN_ID "linli-"

enum {
	XMPP_TICK_MS = 1000,
	XMPP_HISTORY = 50,           /* messages of a room asked for at a join: only to know our own again */
	XMPP_KNOWN_IDS = 2048,
	XMPP_KNOWN_REACTIONS = 512,
	XMPP_INBOUND_MAX = 512,      /* stanzas not yet durable before reading is held */
	XMPP_UNACKED_MAX = 4096,     /* stanzas the server did not acknowledge before we dial anew */
	XMPP_PING_MS = 5 * 60 * 1000,/* between two looks whether a room still has us (XEP-0410) */
	XMPP_REJOIN_MS = 2000, XMPP_REJOIN_MAX_MS = 5 * 60 * 1000,
};

enum xmpp_stage {
	XMPP_OFFLINE,
	XMPP_LOGIN,    /* opened, not authenticated */
	XMPP_LOGGED_IN,/* authenticated, <features/> awaited again */
	XMPP_RESUMING,
	XMPP_BINDING,
	XMPP_ENABLING,
	XMPP_READY,
};

/* ---- xmpp_ids.c ---- */

struct known_id {
	uint32_t stanza_hash, wire_hash;
	char *room;   /* bare; NULL: an empty place */
	char *stanza; /* the room's id, or NULL */
	char *wire;   /* the id it went out with; NULL if it is not ours */
	char *told;   /* message_id that the house knows; a correction has that of the first */
	char *author; /* nick */
};

struct xmpp_ids {
	struct known_id ring[XMPP_KNOWN_IDS];
	size_t next;
	struct reacted {
		uint32_t key; /* who on what; 0: an empty place */
		uint32_t reactions[XMPP_REACTIONS_MAX];
	} reacted[XMPP_KNOWN_REACTIONS];
	size_t next_reacted;
};

void ids_clear(struct xmpp_ids *ids);
/* A message went by in a room. `wire` only if it is ours, `replaces` if it corrects that one.
 * Returns the message_id. */
const char *ids_note(struct xmpp_ids *ids, const char *room, const char *stanza, const char *wire,
		     const char *replaces, const char *author);
/* What the house calls the message that somebody in the room calls `id`. */
const char *ids_told(const struct xmpp_ids *ids, const char *room, const char *id);
/* The id a correction of `told` has to name; NULL: unknown. */
const char *ids_wire(const struct xmpp_ids *ids, const char *room, const char *told);
/* message_id of what went out with that id; NULL: not seen. */
const char *ids_echoed(const struct xmpp_ids *ids, const char *room, const char *wire);
/* XEP-0444 sends the whole set each time: leaves those that were not in the last one. */
size_t ids_new_reactions(struct xmpp_ids *ids, const char *sender, const char *reacted,
			 const char **reactions, size_t count);
const char *ids_author(const struct xmpp_ids *ids, const char *room, const char *told);

/* ---- xmpp_room.c ---- */

enum room_state {
	ROOM_OUT,
	ROOM_ASKED,   /* what it can do was asked for (XEP-0030) */
	ROOM_JOINING, /* presence sent */
	ROOM_HISTORY, /* we are in; old messages come until the subject */
	ROOM_IN,
};

struct occupant {
	struct occupant *next_nick, *next_address;
	char *nick, *address;
	bool real; /* the address is a bare one */
};

enum { ROOM_BUCKETS = 64 };

struct room {
	struct xmpp *xmpp;
	const char *jid;
	char *nick;
	enum room_state state;
	bool can_stanza_id, can_occupant_id, can_archive; /* else such elements may be forged */
	bool tried, warned, just_created;
	unsigned nick_try;
	int64_t at;       /* when to do the next thing: join, give up waiting, ping */
	int64_t backoff;
	char *ping_id;    /* a self-ping under way */
	struct occupant *by_nick[ROOM_BUCKETS], *by_address[ROOM_BUCKETS];
};

void rooms_open(struct xmpp *xmpp);
void rooms_free(struct xmpp *xmpp);
/* A new session: join all. A resumed one: look whether we are still in. None: we are in no room. */
void rooms_join(struct xmpp *xmpp);
void rooms_check(struct xmpp *xmpp);
void rooms_lost(struct xmpp *xmpp);
void rooms_tick(struct xmpp *xmpp, int64_t now);
struct room *room_find(struct xmpp *xmpp, const char *jid); /* bare or full */
void room_presence(struct room *room, const struct xml_element *stanza);
/* Answers to the questions of rooms; false if it is none. */
bool room_answer(struct xmpp *xmpp, const struct xml_element *iq);
void room_history_over(struct room *room);
/* The room refused us something because we are not in it. */
void room_out(struct room *room, const char *why);
void room_check(struct room *room);
/* Address of who said it; NULL: nobody that can be told apart. */
const char *room_address(struct room *room, struct arena *arena, const char *nick,
			 const char *occupant_id);
/* Nick of an address "room/#…" or "room/~…"; NULL: not there now. */
const char *room_nick(struct room *room, const char *address);

/* ---- xmpp_sm.c ---- */

struct sm_out {
	struct sm_out *next;
	uint32_t number;
	char *xml;
	size_t len;
	struct xmpp_send *send; /* NULL: none, or settled */
	bool needless;          /* settled otherwise: not to be sent again */
};

struct inbound {
	struct inbound *next;
	struct xmpp *xmpp;
	bool counted; /* of this session: the server is told once it is done */
	bool waiting, done;
	struct arena *arena;
	struct message_in messages[XMPP_REACTIONS_MAX];
	size_t count;
	const char *receipt_to, *receipt_id;
};

struct sm {
	bool offered, on;
	char *id; /* to resume by; NULL: not resumable */
	uint32_t received, handled, written;
	bool ack_owed;
	struct sm_out *out_first, *out_last;
	size_t out_count;
	struct inbound *in_first, *in_last;
	size_t in_count, offers; /* offers: accept() whose answer is due */
	bool held;
};

/* Outgoing: writes a stanza and, when counted, keeps it until the server has it. */
void sm_write(struct xmpp *xmpp, struct buf *xml, struct xmpp_send *send);
void sm_enabled(struct xmpp *xmpp, const struct xml_element *enabled);
/* `h` of <a/> or <resumed/>: those are the server's now; -1 if it counts more than were sent. */
int sm_acked(struct xmpp *xmpp, const struct xml_element *element);
void sm_resend(struct xmpp *xmpp);
/* The session is gone; `h` NULL: how far it got is not known. */
void sm_lost(struct xmpp *xmpp, const char *h);
void sm_answer_request(struct xmpp *xmpp);
/* Incoming: each stanza makes one; when its messages are durable it counts. */
struct inbound *sm_inbound(struct xmpp *xmpp, struct arena *arena); /* the arena is its now */
void sm_offer(struct inbound *inbound);
void sm_offer_again(struct xmpp *xmpp);
void sm_disconnected(struct xmpp *xmpp);
void sm_hold(struct xmpp *xmpp);
void sm_free(struct xmpp *xmpp);

/* ---- xmpp_in.c ---- */

void in_stanza(struct xmpp *xmpp, struct inbound *inbound, const struct xml_element *stanza);

/* ---- xmpp_out.c ---- */

struct xmpp_send {
	struct xmpp_send *next;
	char *id, *wire, *to, *text, *about, *edit;
	struct room *room;      /* groupchat */
	struct room *in_room;   /* a private message through that room */
	struct sm_out *unacked;
	char *lookup;           /* id of the archive query that it waits for */
	char *proof;            /* id of the ping behind it, without XEP-0198 */
	char *replaces;         /* found by the query */
	bool lost;              /* its session is gone: the history of the room will tell */
	int64_t deadline;
};

void out_send(struct channel *channel, const struct message_out *message);
/* Unlinks and frees the send, then tells the house. */
void out_settle(struct xmpp *xmpp, struct xmpp_send *send, const struct outcome *outcome);
void out_uncertain(struct xmpp *xmpp, struct xmpp_send *send, const char *reason);
/* Our own message came back from the room. */
void out_echo(struct xmpp *xmpp, const char *wire, const char *message_id);
/* True if a send was waiting for it. */
bool out_bounced(struct xmpp *xmpp, const char *wire, const struct xmpp_error *error);
void out_acked(struct xmpp *xmpp, struct xmpp_send *send);
void out_room_history_over(struct xmpp *xmpp, const struct room *room);
bool out_answer(struct xmpp *xmpp, const struct xml_element *iq);
void out_archived(struct xmpp *xmpp, const struct xml_element *result, const char *from);
void out_tick(struct xmpp *xmpp, int64_t now);
/* All that is under way becomes uncertain, or RETRY if it never left. */
void out_give_up(struct xmpp *xmpp);
void out_late(struct xmpp *xmpp);

/* ---- xmpp_login.c ---- */

void login_choose(struct xmpp *xmpp, const struct xml_element *features);
void login_element(struct xmpp *xmpp, const struct xml_element *element);
void xmpp_login_failed(struct xmpp *xmpp, const char *sentence);

/* ---- xmpp.c ---- */

struct late_outcome {
	struct late_outcome *next;
	char *id, *message_id;
	struct outcome outcome;
};

struct xmpp {
	/* settings */
	const char *url, *jid, *password, *nick, *room_password, *ca_file;
	struct texts rooms;
	int64_t answer_ms, rest_ms;

	struct channel *channel;
	struct socket *socket;
	struct loop_timer *tick, *soon;
	struct arena *arena; /* of the channel's life */
	const char *user, *domain;
	enum xmpp_stage stage;
	bool resting, closing, close_told;
	bool dropping; /* the connection is to be given up at the loop's next turn */
	int64_t drop_ms;
	char drop_why[sizeof((struct error *)NULL)->text];
	unsigned session;    /* counts connections */
	size_t jobs;         /* on the thread pool */
	int64_t login_by;
	struct scram *scram;
	bool proved;         /* the server, or there is nothing to prove */
	bool encrypted_warned;
	unsigned next_id;
	char *session_mark;  /* random: makes ids of messages that have none */
	struct sm sm;
	struct xmpp_ids ids;
	struct room *room;
	size_t room_count;
	struct xmpp_send *sends;
	struct late_outcome *late;
};

int64_t xmpp_now(void); /* ms on the clock that never jumps */
/* A fresh id for a question of ours, owned by the caller (heap). */
char *xmpp_question_id(struct xmpp *xmpp, const char *what);
void xmpp_write(struct xmpp *xmpp, const struct buf *xml); /* not counted; frees nothing */
void xmpp_literal(struct xmpp *xmpp, const char *xml);
void xmpp_write_open(struct xmpp *xmpp);
void xmpp_tell_health(struct xmpp *xmpp, enum channel_health health, const char *why);
/* Drops the connection and dials anew. */
void xmpp_redial(struct xmpp *xmpp, int64_t ms, const char *why);
void xmpp_maybe_closed(struct xmpp *xmpp);
char *xmpp_random_text(void); /* 24 characters, 144 bits; heap */

#endif
