/* Keeps websockets with libwebsockets on our loop: messages in and out, pings, the orderly end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/socket_own.h"
#include "base/text.h"

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
		    size_t len);

const struct lws_protocols socket_protocols[] = {
	{.name = "linli", .callback = on_event},
	{.name = NULL},
};

static void start_timer(struct socket *socket, int64_t ms);

/* --- one socket ----------------------------------------------------------------------------- */

struct socket *socket_new(struct sockets *sockets, const struct socket_events *events, void *arg)
{
	struct socket *socket = xalloc(sizeof *socket);

	socket->sockets = sockets;
	socket->events = *events;
	socket->arg = arg;
	socket->redial_ms = -1;
	socket->message_max = SOCKET_MESSAGE_MAX;
	socket->out_end = &socket->out;
	socket->next = sockets->list;
	socket->link = &sockets->list;
	if (socket->next)
		socket->next->link = &socket->next;
	sockets->list = socket;
	return socket;
}

static void forget_messages(struct socket *socket)
{
	while (socket->out) {
		struct socket_part *part = socket->out;

		socket->out = part->next;
		free(part);
	}
	socket->out_end = &socket->out;
	socket->waiting = 0;
	buf_free(&socket->in);
}

void socket_free(struct socket *socket)
{
	*socket->link = socket->next;
	if (socket->next)
		socket->next->link = socket->link;
	if (socket->resolving)
		socket->resolving->socket = NULL;
	forget_messages(socket);
	socket_target_free(socket->target);
	loop_timer_close(&socket->timer);
	free(socket);
}

static void free_if_dead(struct socket *socket)
{
	if (socket->dead && !socket->wsi && !socket->inside)
		socket_free(socket);
}

void socket_opened(struct socket *socket)
{
	socket->state = SOCKET_OPEN;
	socket->failures = 0;
	buf_init(&socket->in, socket->message_max);
	if (socket->timer)
		loop_timer_stop(socket->timer);
	socket->held = false;
	if (socket->dead) {
		lws_callback_on_writable(socket->wsi);
		return;
	}
	socket->inside++;
	socket->events.opened(socket->arg, socket, socket->opens++);
	socket->inside--;
}

void socket_gone(struct socket *socket, const char *reason)
{
	bool silent = socket->dead || socket->silent;

	if (socket->state == SOCKET_RESTING)
		return;
	if (socket->wsi)
		lws_set_opaque_user_data(socket->wsi, NULL);
	socket->wsi = NULL;
	socket->state = SOCKET_RESTING;
	socket->close_code = 0;
	socket->silent = false;
	forget_messages(socket);
	if (socket->timer)
		loop_timer_stop(socket->timer);
	if (!silent) {
		socket->failures++;
		socket->inside++;
		socket->events.lost(socket->arg, socket,
				    socket->reason[0] ? socket->reason : reason);
		socket->inside--;
	}
	socket->reason[0] = '\0';
	if (!socket->target)
		socket->dead = true; /* a peer that came does not come again by us */
	if (!socket->dead)
		socket_dial_later(socket);
	else
		free_if_dead(socket);
}

void socket_kill(struct socket *socket, const char *reason)
{
	snprintf(socket->reason, sizeof socket->reason, "%s", reason);
	if (socket->wsi)
		lws_set_timeout(socket->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* A peer that does not take it is dropped. */
void socket_end(struct socket *socket, uint16_t code)
{
	socket->close_code = code;
	if (socket->state != SOCKET_OPEN) {
		socket_kill(socket, "closed");
		return;
	}
	lws_set_timeout(socket->wsi, PENDING_TIMEOUT_USER_REASON_BASE, SOCKET_LINGER_S);
	lws_callback_on_writable(socket->wsi);
}

int socket_send(struct socket *socket, const char *text, size_t len)
{
	if (socket->state != SOCKET_OPEN || socket->close_code ||
	    len > SOCKET_WAITING_MAX - socket->waiting)
		return -1;
	struct socket_part *part = xalloc(sizeof *part + LWS_PRE + len);

	part->len = len;
	memcpy(part->data + LWS_PRE, text, len);
	*socket->out_end = part;
	socket->out_end = &part->next;
	socket->waiting += len;
	lws_callback_on_writable(socket->wsi);
	return 0;
}

size_t socket_waiting(const struct socket *socket)
{
	return socket->waiting;
}

void socket_on_timer(struct socket *socket)
{
	if (socket->close_code) {
		lws_close_reason(socket->wsi, (enum lws_close_status)socket->close_code, NULL, 0);
		lws_set_timeout(socket->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
	} else if (socket->held) {
		/* While nothing is read no pong is seen: the peer is not to be held dead for that.
		 */
		lws_validity_confirmed(socket->wsi);
		start_timer(socket, socket->policy->ping_ms / 2);
	}
}

static void on_timer(void *arg)
{
	struct socket *socket = arg;

	if (socket->state == SOCKET_OPEN)
		socket_on_timer(socket);
}

static void start_timer(struct socket *socket, int64_t ms)
{
	if (!socket->timer)
		socket->timer = loop_timer(socket->sockets->loop, on_timer, socket);
	loop_timer_start(socket->timer, (uint64_t)ms, 0);
}

void socket_hold(struct socket *socket, bool held)
{
	if (socket->state != SOCKET_OPEN || socket->held == held)
		return;
	socket->held = held;
	lws_rx_flow_control(socket->wsi, !held);
	if (held)
		start_timer(socket, 0);
}

void socket_redial(struct socket *socket, int64_t ms)
{
	socket->redial_ms = ms;
	socket->failures = 0;
	if (socket->state == SOCKET_RESTING) {
		if (!socket->inside) /* else socket_gone() goes on */
			socket_dial_later(socket);
		return;
	}
	socket->silent = true;
	if (socket->state == SOCKET_RESOLVING)
		socket_dial_abandon(socket);
	else
		socket_end(socket, LWS_CLOSE_STATUS_NORMAL);
}

void socket_close_with(struct socket *socket, uint16_t code)
{
	socket->dead = true;
	if (socket->wsi)
		socket_end(socket, code);
	else
		free_if_dead(socket);
}

void socket_close(struct socket **socket)
{
	if (!*socket)
		return;
	socket_close_with(*socket, LWS_CLOSE_STATUS_NORMAL);
	*socket = NULL;
}

/* --- what the library tells ------------------------------------------------------------------ */

static int refuse(struct socket *socket, struct lws *wsi, enum lws_close_status code,
		  const char *reason)
{
	snprintf(socket->reason, sizeof socket->reason, "%s", reason);
	lws_close_reason(wsi, code, NULL, 0);
	return -1;
}

static int on_received(struct socket *socket, struct lws *wsi, const char *data, size_t len)
{
	if (socket->close_code)
		return 0;
	if (lws_frame_is_binary(wsi))
		return refuse(socket, wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE,
			      "the peer sent a binary message");
	buf_add(&socket->in, data, len);
	if (socket->in.full)
		return refuse(socket, wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE,
			      "the peer sent a message larger than allowed");
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
		return 0;
	if (!text_valid(socket->in.data, socket->in.len))
		return refuse(socket, wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD,
			      "the peer sent invalid UTF-8");
	socket->inside++;
	socket->events.message(socket->arg, socket, socket->in.data, socket->in.len);
	socket->inside--;
	buf_clear(&socket->in);
	return 0;
}

static int on_writable(struct socket *socket, struct lws *wsi)
{
	while (socket->out && !lws_send_pipe_choked(wsi)) {
		struct socket_part *part = socket->out;

		if (lws_write(wsi, part->data + LWS_PRE, part->len, LWS_WRITE_TEXT) < 0)
			return -1;
		socket->out = part->next;
		if (!socket->out)
			socket->out_end = &socket->out;
		socket->waiting -= part->len;
		free(part);
	}
	if (socket->out) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	/* -1 from here would count as a broken connection, and no close frame would be sent. */
	if (socket->close_code)
		start_timer(socket, 0);
	return 0;
}

static int add_headers(struct socket *socket, struct lws *wsi, unsigned char **at, size_t len)
{
	unsigned char *end = *at + len;

	for (char **line = socket->target->headers; line && *line; line++) {
		const char *colon = strchr(*line, ':');
		char name[64];

		if (!colon || (size_t)(colon - *line) + 2 > sizeof name)
			return -1;
		memcpy(name, *line, (size_t)(colon - *line) + 1);
		name[colon - *line + 1] = '\0';
		const char *value = colon + 1 + strspn(colon + 1, " ");

		if (lws_add_http_header_by_name(wsi, (const unsigned char *)name,
						(const unsigned char *)value, (int)strlen(value),
						at, end))
			return -1;
	}
	return 0;
}

/* The library's words for a failed dial; they hold no more than the peer's status. */
static void on_failed(struct socket *socket, struct lws *wsi, const char *text, size_t len)
{
	char reason[128];

	snprintf(reason, sizeof reason, "connecting: %.*s", text ? (int)len : 7,
		 text ? text : "refused");
	socket->wsi = wsi;
	socket_gone(socket, reason);
}

static void note_code(struct socket *socket, const unsigned char *code, size_t len)
{
	if (len >= 2 && !socket->reason[0])
		snprintf(socket->reason, sizeof socket->reason, "the peer closed with code %d",
			 code[0] << 8 | code[1]);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
		    size_t len)
{
	struct socket *socket = lws_get_opaque_user_data(wsi);

	(void)user;
	if (why == LWS_CALLBACK_ESTABLISHED) {
		socket_listener_opened(wsi);
		return 0;
	}
	if (!socket)
		return 0;
	switch (why) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return add_headers(socket, wsi, in, len);
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		socket->wsi = wsi;
		socket_opened(socket);
		return 0;
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return on_received(socket, wsi, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writable(socket, wsi);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		note_code(socket, in, len);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		on_failed(socket, wsi, in, len);
		return 0;
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLIENT_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		socket_gone(socket, "the connection ended");
		return 0;
	default:
		return 0;
	}
}
