/* adapters/socket.h - websockets (RFC 6455), both ways, by libwebsockets.
 *
 * Outgoing: names resolved off the loop, TLS checked, ping, reconnects by
 * itself with exponential backoff and jitter until closed; incoming: an own
 * port, where anything that is not an upgrade is closed at once.
 * permessage-deflate is off (docs/libraries.md says why).
 */
#ifndef ADAPTERS_SOCKET_H
#define ADAPTERS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loop;
struct sockets;
struct socket; /* one connection, or one that will be again */

struct socket_events {
	/* Connected (again); `again` counts connections before this one. */
	void (*opened)(void *arg, struct socket *socket, unsigned again);
	/* A whole text message, NUL-terminated, borrowed. */
	void (*message)(void *arg, struct socket *socket, const char *text, size_t len);
	/* Gone, or a dial has failed; `reason` for operators. An outgoing one dials again by itself;
	 * an incoming one is no more when this returns. */
	void (*lost)(void *arg, struct socket *socket, const char *reason);
};

struct socket_dial {
	const char *url;         /* ws:// or wss:// */
	const char *subprotocol; /* "xmpp"; NULL: none */
	const char *const *headers; /* "Name: value", NULL-ended */
	const char *ca_file;     /* NULL: the system's */
	int64_t connect_ms;      /* 0: 10 s, name and handshake together */
	int64_t ping_ms;         /* silence before a ping; 0: 20 s; dropped after 1.5 times that again */
	int64_t backoff_ms, backoff_max_ms; /* 0: 1 s … 60 s; jitter is 50 % */
	size_t message_max;      /* 0: 1 MiB; larger drops the connection */
};

struct sockets *sockets_new(struct loop *loop, struct error *error_r) MUST_CHECK;
/* Closes all (1001) and frees once the library is done. */
void sockets_free(struct sockets **sockets);

struct socket *socket_dial(struct sockets *sockets, const struct socket_dial *dial,
			   const struct socket_events *events, void *arg);
/* Queues a text message; -1 when not connected or more than 4 MiB wait. */
int socket_send(struct socket *socket, const char *text, size_t len) MUST_CHECK;
size_t socket_waiting(const struct socket *socket); /* bytes not yet written */
/* Stops or resumes reading: back-pressure on the peer. */
void socket_hold(struct socket *socket, bool held);
/* Forget the backoff and dial anew after `ms` (a login was refused: be slow; a resume: be quick). */
void socket_redial(struct socket *socket, int64_t ms);
/* Closes for good; no event comes after. */
void socket_close(struct socket **socket);

/* Incoming. Origin and Authorization are for `allow` to judge. */
struct socket_listener;
struct socket_upgrade {
	const char *path, *origin, *authorization, *subprotocol;
};
struct socket_listener *socket_listen(struct sockets *sockets, const char *listen,
				      bool (*allow)(void *arg, const struct socket_upgrade *upgrade),
				      const struct socket_events *events, void *arg,
				      struct error *error_r) MUST_CHECK;
int socket_listener_port(const struct socket_listener *listener);
/* Its connections are closed with 1001; lost() comes for each, later. */
void socket_listener_close(struct socket_listener **listener);

#endif
