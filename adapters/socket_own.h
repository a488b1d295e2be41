/* adapters/socket_own.h - what the websocket files share (private to adapters/socket*.c). */
#ifndef ADAPTERS_SOCKET_OWN_H
#define ADAPTERS_SOCKET_OWN_H

#include <libwebsockets.h>

#include "adapters/socket.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"

enum {
	SOCKET_MESSAGE_MAX = 1024 * 1024,
	SOCKET_WAITING_MAX = 4 * 1024 * 1024,
	SOCKET_PING_MS = 20000,
	SOCKET_LINGER_S = 5, /* for the closing handshake */
};

enum socket_state {
	SOCKET_RESTING, /* no connection; the timer dials again */
	SOCKET_RESOLVING,
	SOCKET_CONNECTING,
	SOCKET_OPEN,
};

struct socket_part {
	struct socket_part *next;
	size_t len;
	unsigned char data[]; /* LWS_PRE bytes for the library, then the message */
};

/* A name under way; it outlives a socket that gave it up. */
struct socket_resolving {
	struct socket *socket;
};

/* When the library pings; it keeps a pointer, so these live as long as it does. */
struct socket_policy {
	struct socket_policy *next;
	int64_t ping_ms;
	lws_retry_bo_t bo;
};

/* Where an outgoing one goes. */
struct socket_target {
	char *host, *authority, *path, *subprotocol, **headers;
	int port;
	bool tls;
	struct lws_vhost *vhost;
	int64_t connect_ms, backoff_ms, backoff_max_ms;
};

struct socket {
	struct sockets *sockets;
	struct socket *next, **link;
	struct socket_events events;
	void *arg;
	enum socket_state state;
	struct lws *wsi;
	struct socket_target *target;     /* NULL: incoming */
	struct socket_listener *listener; /* where it came in; NULL when that is closed */
	struct socket_resolving *resolving;
	struct loop_timer *timer; /* dial, time-out of a dial, or life while held */
	const struct socket_policy *policy;
	unsigned opens, failures;
	int64_t redial_ms; /* asked for by socket_redial(); -1: the backoff decides */
	size_t message_max;
	struct buf in;
	struct socket_part *out, **out_end;
	size_t waiting;
	uint16_t close_code; /* not 0: send what waits, then this, then go */
	int inside;          /* how deep in a callback of the owner */
	bool held, dead, silent;
	char reason[128];
};

/* A vhost of the library for one file of certificate authorities. */
struct socket_vhost {
	struct socket_vhost *next;
	char *ca_file;
	struct lws_vhost *vhost;
};

struct sockets {
	struct loop *loop;
	void *foreign[1];
	struct lws_context *context;
	struct socket_vhost *vhosts;
	struct socket_policy *policies;
	struct socket *list;
	struct socket_listener *listeners, *closed_listeners;
	struct loop_timer *ending;
	int ticks, idle_before;
	enum { SOCKETS_RUNNING, SOCKETS_CLOSING, SOCKETS_DESTROYING } phase;
};

extern const struct lws_protocols socket_protocols[];

struct socket *socket_new(struct sockets *sockets, const struct socket_events *events, void *arg);
const struct socket_policy *socket_policy(struct sockets *sockets, int64_t ping_ms);
/* Options that every vhost of ours has. */
struct lws_context_creation_info socket_vhost_info(void);
/* The connection, or the try, is over. May free the socket. */
void socket_gone(struct socket *socket, const char *reason);
void socket_opened(struct socket *socket);
void socket_free(struct socket *socket);
/* For good: no event comes after. */
void socket_close_with(struct socket *socket, uint16_t code);
/* Sends what waits, then the code, and goes. */
void socket_end(struct socket *socket, uint16_t code);
/* Drops the connection without a closing handshake; socket_gone() follows. */
void socket_kill(struct socket *socket, const char *reason);
/* The timer of an open one: to end it, or to keep it while held. */
void socket_on_timer(struct socket *socket);

void socket_dial_later(struct socket *socket); /* socket_dial.c */
void socket_dial_abandon(struct socket *socket);
void socket_target_free(struct socket_target *target);
void socket_listener_opened(struct lws *wsi); /* socket_listen.c */
void socket_listener_stop(struct socket_listener *listener);
void socket_listeners_free(struct sockets *sockets);

#endif
