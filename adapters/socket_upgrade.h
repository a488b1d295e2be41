/* adapters/socket_upgrade.h - reading a websocket's opening request (private, pure).
 *
 * libwebsockets 4.1.6 as an HTTP server loops for ever on two pipelined POSTs
 * and takes ambiguous heads. It never sees what a peer sent: the request is
 * read here, strictly, and only a plain one made of its facts is handed on.
 */
#ifndef ADAPTERS_SOCKET_UPGRADE_H
#define ADAPTERS_SOCKET_UPGRADE_H

#include <stddef.h>

#include "adapters/socket.h"

struct arena;

enum { SOCKET_HEAD_MAX = 8192 };

/* The length of the head when it is whole and opens a websocket (RFC 6455, 4.2.1), with the facts
 * in *upgrade_r and, for the library, the same request in plain in *plain_r; 0 when more has to
 * come; -1 when it is anything else. */
long socket_upgrade_read(struct arena *arena, const char *bytes, size_t len,
			 struct socket_upgrade *upgrade_r, const char **plain_r);

#endif
