/* adapters/chat/xmpp.c - opens the stream, logs in, binds or resumes, and keeps the channel's life.
 */
#include "adapters/chat/xmpp.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/scram.h"
#include "adapters/chat/stanza.h"
#include "adapters/chat/xmpp_names.h"
#include "adapters/socket.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

enum { CLOSE_WAIT_MS = 1000, RESUME_DIAL_MS = 200, RANDOM_BYTES = 18 };

int64_t xmpp_now(void)
{
	return clock_mono_us() / 1000;
}

char *xmpp_random_text(void)
{
	unsigned char bytes[RANDOM_BYTES];
	char *text;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		abort();
	text = base64_encode(bytes, sizeof bytes);
	/* Used in ids and addresses, where these two have a meaning. */
	for (char *c = text; *c; c++)
		*c = *c == '/' ? '_' : *c == '+' ? '-' : *c;
	return text;
}

char *xmpp_question_id(struct xmpp *xmpp, const char *what)
{
	struct buf id;

	buf_init(&id, 0);
	buf_printf(&id, "%s-%u-%s", what, ++xmpp->next_id, xmpp->session_mark);
	return id.data;
}

void xmpp_write(struct xmpp *xmpp, const struct buf *xml)
{
	/* A failure means that the connection is going: what counts is sent again after it. */
	if (xmpp->socket && xmpp->stage != XMPP_OFFLINE &&
	    socket_send(xmpp->socket, xml->data, xml->len) != 0)
		log_debug(&xmpp->channel->log, "a stanza could not be written now");
}

void xmpp_literal(struct xmpp *xmpp, const char *xml)
{
	struct buf buf;

	buf_init(&buf, 0);
	buf_str(&buf, xml);
	xmpp_write(xmpp, &buf);
	buf_free(&buf);
}

void xmpp_tell_health(struct xmpp *xmpp, enum channel_health health, const char *why)
{
	const struct host *host = xmpp->channel->host;

	if (!xmpp->closing)
		host->health(host->self, xmpp->channel, health, why);
}

void xmpp_redial(struct xmpp *xmpp, int64_t ms, const char *why)
{
	if (xmpp->stage == XMPP_OFFLINE || xmpp->closing)
		return;
	/* The house may be inside send(): what the loss settles has to wait for the loop. */
	snprintf(xmpp->drop_why, sizeof xmpp->drop_why, "%s", why);
	xmpp->drop_ms = ms;
	xmpp->dropping = true;
	xmpp->stage = XMPP_OFFLINE;
	loop_timer_start(xmpp->soon, 0, 0);
}

/* ---- the stream ---- */

void xmpp_write_open(struct xmpp *xmpp)
{
	struct buf xml;

	buf_init(&xml, 0);
	buf_str(&xml, "<open xmlns='" NS_FRAMING "' version='1.0'");
	xml_write_attribute(&xml, "to", xmpp->domain);
	buf_str(&xml, "/>");
	xmpp_write(xmpp, &xml);
	buf_free(&xml);
}

static void on_opened(void *arg, struct socket *socket, unsigned again)
{
	struct xmpp *xmpp = arg;

	(void)socket, (void)again;
	if (xmpp->closing)
		return;
	xmpp->session++;
	xmpp->resting = false;
	xmpp->dropping = false;
	xmpp->proved = false;
	xmpp->stage = XMPP_LOGIN;
	xmpp->login_by = xmpp_now() + xmpp->answer_ms;
	xmpp_write_open(xmpp);
}

/* The connection is no more; the session may be. */
static void disconnected(struct xmpp *xmpp, const char *reason)
{
	xmpp->stage = XMPP_OFFLINE;
	scram_free(&xmpp->scram);
	sm_disconnected(xmpp);
	if (!xmpp->sm.id) {
		sm_lost(xmpp, NULL);
		rooms_lost(xmpp);
	}
	if (!xmpp->resting)
		xmpp_tell_health(xmpp, CHANNEL_RETRYING, reason);
}

static void on_lost(void *arg, struct socket *socket, const char *reason)
{
	struct xmpp *xmpp = arg;
	bool was_ready = xmpp->stage == XMPP_READY;

	disconnected(xmpp, reason);
	if (xmpp->closing)
		xmpp_maybe_closed(xmpp);
	else if (was_ready && xmpp->sm.id)
		socket_redial(socket, RESUME_DIAL_MS);
}

static void drop_connection(struct xmpp *xmpp)
{
	xmpp->dropping = false;
	log_warning(&xmpp->channel->log, "xmpp: %s", xmpp->drop_why);
	disconnected(xmpp, xmpp->drop_why);
	if (xmpp->socket)
		socket_redial(xmpp->socket, xmpp->drop_ms);
}

static void write_bind(struct xmpp *xmpp)
{
	xmpp->stage = XMPP_BINDING;
	xmpp_literal(xmpp, "<iq xmlns='" NS_CLIENT "' type='set' id='bind'><bind xmlns='" NS_BIND
			   "'/></iq>");
}

static void on_features(struct xmpp *xmpp, const struct xml_element *features)
{
	struct buf xml;

	if (xmpp->stage == XMPP_LOGIN) {
		login_choose(xmpp, features);
		return;
	}
	if (xmpp->stage != XMPP_LOGGED_IN)
		return;
	xmpp->sm.offered = xml_child(features, NS_SM, "sm") != NULL;
	if (!xmpp->sm.id || !xmpp->sm.offered) {
		write_bind(xmpp);
		return;
	}
	xmpp->stage = XMPP_RESUMING;
	buf_init(&xml, 0);
	buf_printf(&xml, "<resume xmlns='" NS_SM "' h='%u'", (unsigned)xmpp->sm.handled);
	xml_write_attribute(&xml, "previd", xmpp->sm.id);
	buf_str(&xml, "/>");
	xmpp_write(xmpp, &xml);
	buf_free(&xml);
}

/* ---- session ---- */

static void ready(struct xmpp *xmpp)
{
	xmpp->stage = XMPP_READY;
	xmpp_tell_health(xmpp, CHANNEL_UP, NULL);
}

static void begin_session(struct xmpp *xmpp)
{
	char *mark = xmpp_random_text();
	struct buf presence;

	free(xmpp->session_mark);
	xmpp->session_mark = mark;
	ready(xmpp);
	buf_init(&presence, 0);
	buf_str(&presence, "<presence xmlns='" NS_CLIENT "'/>");
	sm_write(xmpp, &presence, NULL);
	rooms_join(xmpp);
}

static void on_bound(struct xmpp *xmpp, const struct xml_element *iq)
{
	const char *type = xml_attribute(iq, "type");

	if (!type || strcmp(type, "result") != 0) {
		xmpp_redial(xmpp, XMPP_REJOIN_MAX_MS / 10, "the server refused to bind a resource");
		return;
	}
	if (!xmpp->sm.offered) {
		begin_session(xmpp);
		return;
	}
	xmpp->stage = XMPP_ENABLING;
	xmpp_literal(xmpp, "<enable xmlns='" NS_SM "' resume='true'/>");
}

static void on_resumed(struct xmpp *xmpp, const struct xml_element *element)
{
	ready(xmpp);
	if (sm_acked(xmpp, element) != 0) {
		sm_lost(xmpp, NULL);
		xmpp_redial(xmpp, 0, "the server resumed a session that was not ours");
		return;
	}
	log_info(&xmpp->channel->log, "session resumed");
	sm_resend(xmpp);
	sm_hold(xmpp);
	rooms_check(xmpp);
}

static void on_sm(struct xmpp *xmpp, const struct xml_element *element)
{
	if (!strcmp(element->name, "r")) {
		sm_answer_request(xmpp);
	} else if (!strcmp(element->name, "a")) {
		if (xmpp->sm.on && sm_acked(xmpp, element) != 0)
			xmpp_redial(xmpp, 0, "the server acknowledges more than was sent");
	} else if (!strcmp(element->name, "enabled") && xmpp->stage == XMPP_ENABLING) {
		sm_enabled(xmpp, element);
		begin_session(xmpp);
	} else if (!strcmp(element->name, "resumed") && xmpp->stage == XMPP_RESUMING) {
		on_resumed(xmpp, element);
	} else if (!strcmp(element->name, "failed")) {
		if (xmpp->stage == XMPP_RESUMING) {
			sm_lost(xmpp, xml_attribute(element, "h"));
			rooms_lost(xmpp);
			write_bind(xmpp);
		} else if (xmpp->stage == XMPP_ENABLING) {
			begin_session(xmpp);
		}
	}
}

/* RFC 6120 section 4.9: the stream is over, and mostly so is its session. */
static void on_stream_error(struct xmpp *xmpp, const struct xml_element *error)
{
	if (xml_child(error, NS_STREAMS, "conflict")) {
		xmpp->resting = true;
		xmpp_tell_health(xmpp, CHANNEL_DEAD,
				 "another program logged in with the same account and resource");
		xmpp_redial(xmpp, xmpp->rest_ms, "stream conflict");
	} else if (xml_child(error, NS_STREAMS, "host-unknown")) {
		xmpp_login_failed(xmpp, "the server does not know the domain of `jid`");
	} else if (xml_child(error, NS_STREAMS, "policy-violation")) {
		xmpp_redial(xmpp, XMPP_REJOIN_MS, "the server ended the stream: policy-violation");
	} else {
		xmpp_redial(xmpp, XMPP_REJOIN_MS, "the server ended the stream");
	}
}

static void on_close_frame(struct xmpp *xmpp)
{
	if (xmpp->closing) {
		xmpp->close_told = true;
		loop_timer_start(xmpp->soon, 0, 0);
		return;
	}
	xmpp_literal(xmpp, "<close xmlns='" NS_FRAMING "'/>");
	xmpp_redial(xmpp, XMPP_REJOIN_MS, "the server closed the stream");
}

static void on_nonza(struct xmpp *xmpp, const struct xml_element *element)
{
	if (!strcmp(element->space, NS_SM))
		on_sm(xmpp, element);
	else if (xml_is(element, NS_FRAMING, "close"))
		on_close_frame(xmpp);
	else if (xml_is(element, NS_STREAM, "features"))
		on_features(xmpp, element);
	else if (xml_is(element, NS_STREAM, "error"))
		on_stream_error(xmpp, element);
	else if (!strcmp(element->space, NS_SASL) && xmpp->stage == XMPP_LOGIN)
		login_element(xmpp, element);
}

static bool is_stanza(const struct xml_element *element)
{
	return xml_is(element, NS_CLIENT, "message") || xml_is(element, NS_CLIENT, "presence") ||
	       xml_is(element, NS_CLIENT, "iq");
}

static void on_frame(void *arg, struct socket *socket, const char *text, size_t len)
{
	struct xmpp *xmpp = arg;
	struct arena *arena;
	struct xml_element *root;
	struct error error;

	(void)socket;
	if (xmpp->stage == XMPP_OFFLINE)
		return;
	arena = arena_new();
	root = stanza_parse(arena, text, len, &error);
	if (!root) {
		xmpp_redial(xmpp, XMPP_REJOIN_MS, error.text);
	} else if (is_stanza(root) && xmpp->stage == XMPP_READY && !xmpp->closing) {
		in_stanza(xmpp, sm_inbound(xmpp, arena), root);
		return;
	} else if (xml_is(root, NS_CLIENT, "iq") && xmpp->stage == XMPP_BINDING) {
		on_bound(xmpp, root);
	} else if (!is_stanza(root)) {
		on_nonza(xmpp, root);
	}
	arena_free(&arena);
}

/* ---- life ---- */

static void on_tick(void *arg)
{
	struct xmpp *xmpp = arg;
	int64_t now = xmpp_now();

	if (xmpp->stage != XMPP_OFFLINE && xmpp->stage != XMPP_READY && now >= xmpp->login_by) {
		xmpp->login_by = now + xmpp->answer_ms;
		xmpp_redial(xmpp, XMPP_REJOIN_MS, "no answer to the login in time");
	}
	rooms_tick(xmpp, now);
	out_tick(xmpp, now);
	sm_offer_again(xmpp);
}

static void finish(struct xmpp *xmpp)
{
	struct channel *channel = xmpp->channel;

	loop_timer_close(&xmpp->tick);
	loop_timer_close(&xmpp->soon);
	sm_free(xmpp);
	rooms_free(xmpp);
	ids_clear(&xmpp->ids);
	scram_free(&xmpp->scram);
	free(xmpp->session_mark);
	arena_free(&xmpp->arena);
	channel->host->closed(channel->host->self, channel);
}

static void on_soon(void *arg)
{
	struct xmpp *xmpp = arg;

	if (xmpp->dropping)
		drop_connection(xmpp);
	out_late(xmpp);
	if (!xmpp->closing)
		return;
	if (xmpp->socket &&
	    (xmpp->close_told || xmpp->stage == XMPP_OFFLINE || xmpp_now() >= xmpp->login_by)) {
		xmpp->stage = XMPP_OFFLINE;
		socket_close(&xmpp->socket);
	}
	if (xmpp->socket)
		loop_timer_start(xmpp->soon, CLOSE_WAIT_MS / 20, 0);
	else if (!xmpp->sm.offers && !xmpp->jobs && !xmpp->late)
		finish(xmpp);
}

void xmpp_maybe_closed(struct xmpp *xmpp)
{
	if (xmpp->closing)
		loop_timer_start(xmpp->soon, 0, 0);
}

static bool is_bare_address(const char *jid)
{
	const char *at = strchr(jid, '@');

	return at && at != jid && at[1] && !strchr(jid, '/') && !strchr(at + 1, '@');
}

static int check_settings(const struct xmpp *xmpp, struct error *error_r)
{
	if (strncmp(xmpp->url, "ws://", 5) != 0 && strncmp(xmpp->url, "wss://", 6) != 0)
		return error_set(error_r, "`url` has to begin with wss:// or ws://");
	if (!is_bare_address(xmpp->jid))
		return error_set(error_r, "`jid` has to be an address like bot@example.org");
	for (size_t i = 0; i < xmpp->rooms.count; i++)
		if (!is_bare_address(xmpp->rooms.items[i]))
			return error_set(error_r,
					 "`rooms` takes addresses like hood@rooms.example.org");
	return 0;
}

static int open_channel(struct channel *channel, struct error *error_r)
{
	static const struct socket_events events = {on_opened, on_frame, on_lost};
	struct xmpp *xmpp = channel->own;
	struct socket_dial dial = {
		.url = xmpp->url,
		.subprotocol = "xmpp",
		.ca_file = xmpp->ca_file,
	};

	if (check_settings(xmpp, error_r) != 0)
		return -1;
	xmpp->channel = channel;
	xmpp->arena = arena_new();
	xmpp->domain = jid_domain(xmpp->arena, xmpp->jid);
	xmpp->user = arena_bytes(xmpp->arena, xmpp->jid, strcspn(xmpp->jid, "@"));
	xmpp->session_mark = xmpp_random_text();
	xmpp->tick = loop_timer(channel->host->loop, on_tick, xmpp);
	xmpp->soon = loop_timer(channel->host->loop, on_soon, xmpp);
	rooms_open(xmpp);
	loop_timer_start(xmpp->tick, XMPP_TICK_MS, XMPP_TICK_MS);
	xmpp->socket = socket_dial(channel->host->sockets, &dial, &events, xmpp);
	return 0;
}

static void close_channel(struct channel *channel)
{
	struct xmpp *xmpp = channel->own;

	xmpp->closing = true;
	loop_timer_stop(xmpp->tick);
	out_give_up(xmpp);
	xmpp->login_by = xmpp_now() + CLOSE_WAIT_MS;
	if (xmpp->stage == XMPP_READY) {
		sm_answer_request(xmpp);
		xmpp_literal(xmpp, "<presence xmlns='" NS_CLIENT "' type='unavailable'/>");
		xmpp_literal(xmpp, "<close xmlns='" NS_FRAMING "'/>");
	} else {
		xmpp->close_told = true;
	}
	loop_timer_start(xmpp->soon, 0, 0);
}

static void hold(struct channel *channel, bool held)
{
	struct xmpp *xmpp = channel->own;

	xmpp->sm.held = held;
	if (held)
		sm_hold(xmpp);
	else
		sm_offer_again(xmpp);
}

#define AT(member) offsetof(struct xmpp, member)

static const struct setting settings[] = {
	{.name = "url",
	 .type = SETTING_URL,
	 .offset = AT(url),
	 .flags = SETTING_REQUIRED,
	 .help = "The server's websocket address, wss://chat.example.org/xmpp-websocket."},
	{.name = "jid",
	 .type = SETTING_TEXT,
	 .offset = AT(jid),
	 .flags = SETTING_REQUIRED,
	 .help = "The bot's own address, bot@example.org."},
	{.name = "password",
	 .type = SETTING_SECRET,
	 .offset = AT(password),
	 .flags = SETTING_REQUIRED,
	 .help = "The password of that account."},
	{.name = "rooms",
	 .type = SETTING_TEXTS,
	 .offset = AT(rooms),
	 .help = "Rooms to be in, hood@rooms.example.org."},
	{.name = "nick",
	 .type = SETTING_TEXT,
	 .offset = AT(nick),
	 .standard = "linli",
	 .help = "What the bot is called in rooms."},
	{.name = "room_password",
	 .type = SETTING_SECRET,
	 .offset = AT(room_password),
	 .help = "The password of the rooms, if they have one."},
	{.name = "ca_file",
	 .type = SETTING_TEXT,
	 .offset = AT(ca_file),
	 .help = "A PEM file of certificate authorities instead of the system's."},
	{.name = "timeout",
	 .type = SETTING_DURATION,
	 .offset = AT(answer_ms),
	 .standard = "30s",
	 .least = 1000,
	 .most = 600000,
	 .help = "How long an echo or answer may take before a send counts as uncertain."},
	{.name = "rest",
	 .type = SETTING_DURATION,
	 .offset = AT(rest_ms),
	 .standard = "5m",
	 .least = 1000,
	 .most = 86400000,
	 .help = "How long to wait after a refused login before the next try."},
	{.name = NULL},
};

const struct adapter xmpp_adapter = {
	.name = "xmpp",
	.can = CAN_DIRECT | CAN_GROUP | CAN_EDIT | CAN_REACT | CAN_QUOTE | CAN_RECEIPT,
	.text_max = 8000,
	.rate = 20,
	.group_gap_ms = 200,
	.own_size = sizeof(struct xmpp),
	.settings = settings,
	.open = open_channel,
	.close = close_channel,
	.send = out_send,
	.hold = hold,
};
