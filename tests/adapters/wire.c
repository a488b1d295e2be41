/* tests/adapters/wire.c - raw bytes over loopback sockets, on the loop under test. */
#include "tests/adapters/wire.h"

#undef NDEBUG /* a test that cannot fail is none */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/listen.h"
#include "base/arena.h"
#include "base/buf.h"

struct wire {
	struct loop *loop;
	struct loop_watch *watch;
	struct wire_server *server;
	struct wire *next;
	struct buf got, out;
	int fd;
	bool ended, held;
};

struct wire_server {
	struct loop *loop;
	struct loop_watch *watch;
	struct wire *wires;
	int fd, count;
	void (*bytes)(void *arg, struct wire *wire);
	void *arg;
};

static void want(struct wire *wire)
{
	if (wire->watch)
		loop_watch_set(wire->watch, (wire->ended || wire->held ? 0 : LOOP_READ) |
						    (wire->out.len ? LOOP_WRITE : 0));
}

static void flush(struct wire *wire)
{
	while (wire->out.len && wire->fd >= 0) {
		ssize_t n = send(wire->fd, wire->out.data, wire->out.len, MSG_NOSIGNAL);

		if (n <= 0) {
			if (n < 0 && errno != EAGAIN)
				buf_clear(&wire->out);
			break;
		}
		buf_drop(&wire->out, (size_t)n);
	}
	want(wire);
}

static void on_ready(void *arg, int events)
{
	struct wire *wire = arg;
	static char block[65536];

	if (events & LOOP_WRITE)
		flush(wire);
	if (!(events & LOOP_READ) || wire->ended || wire->held)
		return;
	ssize_t n = recv(wire->fd, block, sizeof block, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0)
		buf_add(&wire->got, block, (size_t)n);
	else
		wire->ended = true;
	want(wire);
	if (wire->server && wire->server->bytes)
		wire->server->bytes(wire->server->arg, wire);
}

static struct wire *wire_of(struct loop *loop, int fd)
{
	struct wire *wire = xalloc(sizeof *wire);

	wire->loop = loop;
	wire->fd = fd;
	buf_init(&wire->got, 64 * 1024 * 1024);
	buf_init(&wire->out, 64 * 1024 * 1024);
	wire->watch = loop_watch(loop, fd, LOOP_READ, on_ready, wire);
	return wire;
}

struct wire *wire_open(struct loop *loop, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		assert(errno == EINPROGRESS);
	return wire_of(loop, fd);
}

static void on_accept(void *arg, int events)
{
	struct wire_server *server = arg;
	int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	struct wire *wire = wire_of(server->loop, fd);

	wire->server = server;
	wire->next = server->wires;
	server->wires = wire;
	server->count++;
	if (server->bytes)
		server->bytes(server->arg, wire);
}

struct wire_server *wire_listen(struct loop *loop, int *port_r,
				void (*bytes)(void *arg, struct wire *wire), void *arg)
{
	struct wire_server *server = xalloc(sizeof *server);

	server->loop = loop;
	server->bytes = bytes;
	server->arg = arg;
	server->fd = listen_on("127.0.0.1:0", port_r, NULL);
	assert(server->fd >= 0);
	server->watch = loop_watch(loop, server->fd, LOOP_READ, on_accept, server);
	return server;
}

void wire_server_free(struct wire_server **server_r)
{
	struct wire_server *server = *server_r;

	while (server->wires) {
		struct wire *wire = server->wires;

		server->wires = wire->next;
		wire_close(&wire);
	}
	loop_watch_close(&server->watch);
	close(server->fd);
	free(server);
	*server_r = NULL;
}

int wire_server_count(const struct wire_server *server)
{
	return server->count;
}

void wire_send(struct wire *wire, const void *data, size_t len)
{
	buf_add(&wire->out, data, len);
	assert(!wire->out.full);
	want(wire);
}

void wire_say(struct wire *wire, const char *text)
{
	wire_send(wire, text, strlen(text));
}

static bool is_flushed(void *arg)
{
	const struct wire *wire = arg;
	return !wire->out.len;
}

void wire_half_close(struct wire *wire)
{
	assert(wire_turn_until(wire->loop, is_flushed, wire));
	shutdown(wire->fd, SHUT_WR);
}

void wire_hold(struct wire *wire, bool held)
{
	wire->held = held;
	want(wire);
}

void wire_cut(struct wire *wire)
{
	loop_watch_close(&wire->watch);
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	wire->ended = true;
}

void wire_close(struct wire **wire)
{
	wire_cut(*wire);
	buf_free(&(*wire)->got);
	buf_free(&(*wire)->out);
	free(*wire);
	*wire = NULL;
}

const char *wire_got(const struct wire *wire)
{
	return wire->got.data;
}

size_t wire_len(const struct wire *wire)
{
	return wire->got.len;
}

void wire_forget(struct wire *wire)
{
	buf_clear(&wire->got);
}

bool wire_ended(const struct wire *wire)
{
	return wire->ended;
}

size_t wire_count(const struct wire *wire, const char *needle)
{
	const char *at = wire->got.data, *end = at + wire->got.len;
	size_t len = strlen(needle), count = 0;

	while ((at = memmem(at, (size_t)(end - at), needle, len))) {
		count++;
		at += len;
	}
	return count;
}

static void on_patience(void *arg)
{
	bool *over = arg;
	*over = true;
}

bool wire_turn_until(struct loop *loop, bool (*met)(void *arg), void *arg)
{
	bool over = false;
	struct loop_timer *timer = loop_timer(loop, on_patience, &over);

	loop_timer_start(timer, WIRE_PATIENCE_MS, 0);
	while (!met(arg) && !over)
		loop_turn(loop, true);
	loop_timer_close(&timer);
	return met(arg);
}

struct needle {
	struct wire *wire;
	const char *text;
	size_t times;
};

static bool has_come(void *arg)
{
	const struct needle *needle = arg;
	return wire_count(needle->wire, needle->text) >= needle->times;
}

bool wire_until(struct wire *wire, const char *needle, size_t times)
{
	return wire_turn_until(wire->loop, has_come, &(struct needle){wire, needle, times});
}

static bool has_ended(void *arg)
{
	const struct wire *wire = arg;
	return wire->ended;
}

bool wire_until_ended(struct wire *wire)
{
	return wire_turn_until(wire->loop, has_ended, wire);
}
