/* tests/adapters/wire.h - raw bytes over loopback sockets, on the loop under test.
 *
 * Both ends can be misbehaved at will: half-closed, slow, pipelined, cut off.
 * Waiting turns the loop and gives up after WIRE_PATIENCE_MS.
 */
#ifndef TESTS_ADAPTERS_WIRE_H
#define TESTS_ADAPTERS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"

enum { WIRE_PATIENCE_MS = 20000 };

struct wire;

/* A client. */
struct wire *wire_open(struct loop *loop, int port);
/* A server on a free port: `bytes` is called whenever a peer has sent something, and with len 0
 * when one has connected or shut down. */
struct wire_server;
struct wire_server *wire_listen(struct loop *loop, int *port_r,
				void (*bytes)(void *arg, struct wire *wire), void *arg);
void wire_server_free(struct wire_server **server);
int wire_server_count(const struct wire_server *server); /* connections so far */

void wire_send(struct wire *wire, const void *data, size_t len);
void wire_say(struct wire *wire, const char *text);
void wire_half_close(struct wire *wire);
void wire_hold(struct wire *wire, bool held); /* do not read */
void wire_close(struct wire **wire);          /* a server's own are closed with it */
void wire_cut(struct wire *wire);             /* closes the descriptor, keeps what came */

const char *wire_got(const struct wire *wire); /* NUL-terminated; `wire_len` counts NULs too */
size_t wire_len(const struct wire *wire);
void wire_forget(struct wire *wire); /* what came so far */
bool wire_ended(const struct wire *wire);
/* How often `needle` came. */
size_t wire_count(const struct wire *wire, const char *needle);

bool wire_until(struct wire *wire, const char *needle, size_t times);
bool wire_until_ended(struct wire *wire);
/* Turns the loop until `met`, or patience is over. */
bool wire_turn_until(struct loop *loop, bool (*met)(void *arg), void *arg);

#endif
