/* tests/adapters/test_socket.c - websockets both ways against raw bytes (RFC 6455) and Node's ws.
 * The defects of libwebsockets 4.1.6 that are stayed clear of are listed in docs/libraries.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/listen.h"
#include "adapters/socket.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "tests/adapters/program.h"
#include "tests/adapters/wire.h"

struct fixture {
	struct loop *loop;
	struct sockets *sockets;
	struct arena *arena;
	struct error error;
	/* what our side was told */
	struct socket *socket, *guest;
	int opened, lost, guests;
	unsigned again;
	size_t messages;
	struct buf last;
	char reason[160];
	bool close_on_message, echo;
	/* a raw server */
	struct wire_server *server;
	int port;
	struct wire *wire;
	bool shaken;
	const char *behind; /* sent in one packet with the 101 */
	size_t behind_len;
	const char *answer; /* instead of the 101 */
	bool cut_after, silent, pong;
	char head[4096];
	/* our listener */
	struct socket_listener *listener;
	bool allowed;
	char path[64], origin[64], authorization[64];
};

/* --- our side ----------------------------------------------------------------------------------
 */

static void on_opened(void *arg, struct socket *socket, unsigned again)
{
	struct fixture *f = arg;

	assert_ptr_equal(socket, f->socket);
	f->opened++;
	f->again = again;
}

static void on_message(void *arg, struct socket *socket, const char *text, size_t len)
{
	struct fixture *f = arg;

	(void)socket;
	assert_int_equal(text[len], '\0');
	f->messages++;
	buf_clear(&f->last);
	buf_add(&f->last, text, len);
	if (f->close_on_message)
		socket_close(&f->socket);
}

static void on_lost(void *arg, struct socket *socket, const char *reason)
{
	struct fixture *f = arg;

	assert_ptr_equal(socket, f->socket);
	f->lost++;
	snprintf(f->reason, sizeof f->reason, "%s", reason);
}

static const struct socket_events events = {on_opened, on_message, on_lost};

static void on_guest_opened(void *arg, struct socket *socket, unsigned again)
{
	struct fixture *f = arg;

	assert_int_equal(again, 0);
	f->guest = socket;
	f->guests++;
}

static void on_guest_message(void *arg, struct socket *socket, const char *text, size_t len)
{
	struct fixture *f = arg;

	f->messages++;
	buf_clear(&f->last);
	buf_add(&f->last, text, len);
	if (f->echo)
		assert_int_equal(socket_send(socket, text, len), 0);
}

static void on_guest_lost(void *arg, struct socket *socket, const char *reason)
{
	struct fixture *f = arg;

	(void)socket;
	f->guest = NULL;
	f->lost++;
	snprintf(f->reason, sizeof f->reason, "%s", reason);
}

static const struct socket_events guest_events = {on_guest_opened, on_guest_message, on_guest_lost};

static bool on_allow(void *arg, const struct socket_upgrade *upgrade)
{
	struct fixture *f = arg;

	snprintf(f->path, sizeof f->path, "%s", upgrade->path);
	snprintf(f->origin, sizeof f->origin, "%s", upgrade->origin ? upgrade->origin : "");
	snprintf(f->authorization, sizeof f->authorization, "%s",
		 upgrade->authorization ? upgrade->authorization : "");
	return f->allowed;
}

/* --- a raw server
 * --------------------------------------------------------------------------------- */

static void frame(struct buf *out, int first, const void *data, size_t len)
{
	buf_char(out, (char)first);
	if (len < 126) {
		buf_char(out, (char)len);
	} else if (len < 65536) {
		buf_char(out, 126);
		buf_char(out, (char)(len >> 8));
		buf_char(out, (char)len);
	} else {
		buf_char(out, 127);
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_char(out, (char)((uint64_t)len >> shift));
	}
	buf_add(out, data, len);
}

static void say_frame(struct wire *wire, int first, const void *data, size_t len)
{
	struct buf out;

	buf_init(&out, 64 * 1024 * 1024);
	frame(&out, first, data, len);
	wire_send(wire, out.data, out.len);
	buf_free(&out);
}

/* RFC 6455, 4.2.2: SHA-1 of the key and that GUID, in base64. */
static void accept_key(const char *head, char *out)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	const char *key = strcasestr(head, "Sec-WebSocket-Key: ");
	unsigned char digest[20];
	char both[128];

	assert_non_null(key);
	snprintf(both, sizeof both, "%.24s%s", key + 19, guid);
	EVP_Digest(both, strlen(both), digest, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)out, digest, 20);
}

/* The next frame of a client at *at, unmasked into out; -1 when it is not whole. */
static int read_frame(struct wire *wire, size_t *at, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)wire_got(wire) + *at;
	size_t have = wire_len(wire) - *at, head = 6;
	uint64_t len;

	if (have < 2)
		return -1;
	assert_true(p[1] & 0x80); /* clients mask */
	len = p[1] & 0x7f;
	if (len >= 126) {
		size_t bytes = len == 126 ? 2 : 8;

		head += bytes;
		if (have < head)
			return -1;
		len = 0;
		for (size_t i = 0; i < bytes; i++)
			len = len << 8 | p[2 + i];
	}
	if (have < head + len)
		return -1;
	for (size_t i = 0; i < len; i++)
		buf_char(out, (char)(p[head + i] ^ p[head - 4 + i % 4]));
	*at += head + len;
	return p[0];
}

static void on_bytes(void *arg, struct wire *wire)
{
	struct fixture *f = arg;
	char accept[64];
	struct buf out;

	if (f->wire == wire && f->shaken) {
		size_t at = 0;

		buf_init(&out, 0);
		if (f->pong && read_frame(wire, &at, &out) == 0x89) {
			say_frame(wire, 0x8a, out.data, out.len);
			wire_forget(wire);
		}
		buf_free(&out);
		return;
	}
	if (!strstr(wire_got(wire), "\r\n\r\n") || f->silent)
		return;
	f->wire = wire;
	f->shaken = true;
	snprintf(f->head, sizeof f->head, "%s", wire_got(wire));
	wire_forget(wire);
	if (f->answer) {
		wire_say(wire, f->answer);
		return;
	}
	buf_init(&out, 64 * 1024 * 1024);
	accept_key(f->head, accept);
	buf_printf(&out,
		   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
		   accept, strstr(f->head, "xmpp") ? "Sec-WebSocket-Protocol: xmpp\r\n" : "");
	buf_add(&out, f->behind ? f->behind : "", f->behind_len);
	wire_send(wire, out.data, out.len);
	buf_free(&out);
}

/* --- frame of a test
 * -------------------------------------------------------------------------------- */

static int setup(void **state)
{
	struct fixture *f = xalloc(sizeof *f);

	f->loop = loop_new();
	f->arena = arena_new();
	f->sockets = sockets_new(f->loop, &f->error);
	if (!f->sockets)
		return -1;
	f->server = wire_listen(f->loop, &f->port, on_bytes, f);
	f->listener =
		socket_listen(f->sockets, "127.0.0.1:0", on_allow, &guest_events, f, &f->error);
	f->allowed = true;
	buf_init(&f->last, 0);
	*state = f;
	return f->listener ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	wire_server_free(&f->server);
	sockets_free(&f->sockets);
	loop_run(f->loop);
	loop_free(&f->loop);
	arena_free(&f->arena);
	buf_free(&f->last);
	free(f);
	return 0;
}

static struct socket_dial dial_to(struct fixture *f)
{
	return (struct socket_dial){
		.url = arena_printf(f->arena, "ws://127.0.0.1:%d/chat?x=1", f->port),
		.backoff_ms = 20,
		.backoff_max_ms = 100,
	};
}

struct count {
	const void *at;
	size_t least;
	bool big; /* size_t rather than int */
};

static bool has_come(void *arg)
{
	const struct count *count = arg;

	return count->big ? *(const size_t *)count->at >= count->least
			  : *(const int *)count->at >= (int)count->least;
}

static void until(struct fixture *f, const int *at, int least)
{
	assert_true(wire_turn_until(f->loop, has_come,
				    &(struct count){.at = at, .least = (size_t)least}));
}

static void until_messages(struct fixture *f, size_t least)
{
	assert_true(
		wire_turn_until(f->loop, has_come,
				&(struct count){.at = &f->messages, .least = least, .big = true}));
}

static void open_dialled(struct fixture *f, const struct socket_dial *dial)
{
	f->socket = socket_dial(f->sockets, dial, &events, f);
	assert_int_equal(f->opened, 0);
	until(f, &f->opened, 1);
}

struct awaited {
	struct wire *wire;
	size_t *at;
	struct buf *out;
	int first;
};

static bool frame_is_there(void *arg)
{
	struct awaited *awaited = arg;

	if (awaited->first >= 0)
		return true; /* met before, and consumed */
	buf_clear(awaited->out);
	awaited->first = read_frame(awaited->wire, awaited->at, awaited->out);
	return awaited->first >= 0;
}

/* The next frame of the client, whatever its kind. */
static int next_frame(struct fixture *f, size_t *at, struct buf *out)
{
	struct awaited awaited = {f->wire, at, out, -1};

	wire_turn_until(f->loop, frame_is_there, &awaited);
	return awaited.first;
}

/* --- outgoing
 * --------------------------------------------------------------------------------------- */

static void test_the_opening_request(void **state)
{
	struct fixture *f = *state;
	static const char *const headers[] = {"Authorization: Bearer abc", "X-A: b", NULL};
	struct socket_dial dial = dial_to(f);
	char host[64];

	dial.headers = headers;
	dial.subprotocol = "xmpp";
	open_dialled(f, &dial);
	snprintf(host, sizeof host, "Host: 127.0.0.1:%d\r\n", f->port);
	assert_int_equal(strncmp(f->head, "GET /chat?x=1 HTTP/1.1\r\n", 24), 0);
	assert_non_null(strcasestr(f->head, host));
	assert_non_null(strcasestr(f->head, "\r\nAuthorization: Bearer abc\r\n"));
	assert_non_null(strcasestr(f->head, "\r\nX-A: b\r\n"));
	assert_non_null(strcasestr(f->head, "\r\nSec-WebSocket-Protocol: xmpp\r\n"));
	assert_non_null(strcasestr(f->head, "\r\nSec-WebSocket-Version: 13\r\n"));
	assert_null(strcasestr(f->head, "Sec-WebSocket-Extensions")); /* no permessage-deflate */
	socket_close(&f->socket);
}

static void test_first_frame_with_the_101(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);

	f->behind = "\x81\x05hello\x81\x06\xe4\xbd\xa0\xe5\xa5\xbd";
	f->behind_len = 15;
	open_dialled(f, &dial);
	until_messages(f, 2);
	assert_string_equal(f->last.data, "你好");
	socket_close(&f->socket);
}

static void test_fragments_and_pings(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	struct buf out;
	size_t at = 0;

	open_dialled(f, &dial);
	say_frame(f->wire, 0x01, "\xe4\xbd", 2); /* cut inside a character */
	say_frame(f->wire, 0x89, "p", 1);        /* a ping between */
	say_frame(f->wire, 0x80, "\xa0", 1);
	until_messages(f, 1);
	assert_string_equal(f->last.data, "你");
	buf_init(&out, 0);
	assert_int_equal(next_frame(f, &at, &out), 0x8a);
	assert_string_equal(out.data, "p");
	buf_free(&out);
	/* An empty message is one, too. */
	say_frame(f->wire, 0x81, "", 0);
	until_messages(f, 2);
	assert_int_equal(f->last.len, 0);
	socket_close(&f->socket);
}

enum { MUCH = 3 * 1024 * 1024 };

static char *much(struct fixture *f)
{
	char *text = arena_alloc(f->arena, MUCH + 1);

	for (size_t i = 0; i < MUCH; i++)
		text[i] = (char)('a' + (i * 7 + i / 997) % 26);
	return text;
}

static void test_three_megabytes(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	char *text = much(f);
	struct buf out;
	size_t at = 0;

	dial.message_max = 4 * 1024 * 1024;
	open_dialled(f, &dial);
	buf_free(&f->last);
	buf_init(&f->last, MUCH);
	say_frame(f->wire, 0x81, text, MUCH);
	until_messages(f, 1);
	assert_int_equal(f->last.len, MUCH);
	assert_memory_equal(f->last.data, text, MUCH);
	/* and the other way, with small ones around it */
	assert_int_equal(socket_send(f->socket, "before", 6), 0);
	assert_int_equal(socket_send(f->socket, text, MUCH), 0);
	assert_int_equal(socket_send(f->socket, "after", 5), 0);
	assert_true(socket_waiting(f->socket) > MUCH);
	buf_init(&out, MUCH);
	assert_int_equal(next_frame(f, &at, &out), 0x81);
	assert_string_equal(out.data, "before");
	assert_int_equal(next_frame(f, &at, &out), 0x81);
	assert_int_equal(out.len, MUCH);
	assert_memory_equal(out.data, text, MUCH);
	assert_int_equal(next_frame(f, &at, &out), 0x81);
	assert_string_equal(out.data, "after");
	assert_int_equal(socket_waiting(f->socket), 0);
	buf_free(&out);
	socket_close(&f->socket);
}

static void test_a_burst(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	struct buf out;

	open_dialled(f, &dial);
	buf_init(&out, 0);
	for (int i = 0; i < 1500; i++) {
		char text[16];

		snprintf(text, sizeof text, "%d", i);
		frame(&out, 0x81, text, strlen(text));
	}
	wire_send(f->wire, out.data, out.len);
	buf_free(&out);
	until_messages(f, 1500);
	assert_string_equal(f->last.data, "1499");
	socket_close(&f->socket);
}

static void test_bounds_of_sending(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	char *text = much(f);

	f->socket = socket_dial(f->sockets, &dial, &events, f);
	assert_int_equal(socket_send(f->socket, "early", 5), -1);
	until(f, &f->opened, 1);
	wire_hold(f->wire, true);
	assert_int_equal(socket_send(f->socket, text, MUCH), 0);
	assert_int_equal(socket_send(f->socket, text, MUCH), -1);
	assert_int_equal(socket_waiting(f->socket), MUCH);
	wire_hold(f->wire, false);
	socket_close(&f->socket);
	assert_null(f->socket);
}

static void test_what_drops_a_peer(void **state)
{
	static const struct {
		int first;
		const char *data;
		size_t len;
		const char *reason;
		int code;
	} cases[] = {
		{0x82, "abc", 3, "binary", 1003},
		{0x81, "\xff", 1, "UTF-8", 1007},
		{0x81, "a\0b", 3, "UTF-8", 1007}, /* legal there, but no string here */
		{0x81, "aaaaaaaaaaaaaaaaa", 17, "larger", 1009},
		{0x88, "\x0f\xa4", 2, "4004", 4004},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct socket_dial dial = dial_to(f);
		struct buf out;
		size_t at = 0;

		dial.message_max = 16;
		f->opened = f->lost = 0;
		f->shaken = false;
		f->messages = 0;
		open_dialled(f, &dial);
		say_frame(f->wire, cases[i].first, cases[i].data, cases[i].len);
		buf_init(&out, 0);
		assert_int_equal(next_frame(f, &at, &out), 0x88);
		assert_int_equal((unsigned char)out.data[0] << 8 | (unsigned char)out.data[1],
				 cases[i].code);
		if (cases[i].first != 0x88)
			say_frame(f->wire, 0x88, out.data, 2);
		wire_half_close(f->wire);
		f->shaken = false; /* it dials again */
		until(f, &f->lost, 1);
		if (!strstr(f->reason, cases[i].reason))
			fail_msg("%s: %s", cases[i].reason, f->reason);
		assert_int_equal(f->messages, 0);
		buf_free(&out);
		socket_close(&f->socket);
	}
}

static void test_dials_again(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);

	open_dialled(f, &dial);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(f->again, i - 1);
		f->shaken = false;
		wire_cut(f->wire);
		until(f, &f->lost, i);
		assert_int_equal(socket_send(f->socket, "lost", 4), -1);
		until(f, &f->opened, i + 1);
	}
	/* By wish, without a word of loss. */
	f->shaken = false;
	socket_redial(f->socket, 1);
	until(f, &f->opened, 5);
	assert_int_equal(f->lost, 3);
	assert_int_equal(f->again, 4);
	socket_close(&f->socket);
}

static void test_backoff_grows(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	int port, fd = listen_on("127.0.0.1:0", &port, NULL);
	int64_t from = clock_mono_us();

	close(fd); /* nobody there */
	dial.url = arena_printf(f->arena, "ws://127.0.0.1:%d/", port);
	dial.backoff_ms = 40;
	dial.backoff_max_ms = 160;
	f->socket = socket_dial(f->sockets, &dial, &events, f);
	until(f, &f->lost, 6);
	/* 40, 80, 160, 160, 160 ms, each at least by half */
	assert_true(clock_mono_us() - from >= 300000);
	assert_non_null(strstr(f->reason, "connecting"));
	assert_int_equal(f->opened, 0);
	socket_close(&f->socket);
}

static void test_dials_that_fail(void **state)
{
	struct fixture *f = *state;
	static const char *const answers[] = {
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Accept: "
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"),
		"220 this is no websocket\r\n\r\n",
	};
	static const char *const urls[] = {"ws://no-such-host.invalid/", "ws://", "http://a/", "",
					   "ws://a:99999/"};

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct socket_dial dial = dial_to(f);

		f->answer = answers[i];
		f->lost = 0;
		f->shaken = false;
		f->socket = socket_dial(f->sockets, &dial, &events, f);
		until(f, &f->lost, 1);
		assert_int_equal(f->opened, 0);
		socket_close(&f->socket);
	}
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct socket_dial dial = {.url = urls[i], .backoff_ms = 10};

		f->lost = 0;
		f->socket = socket_dial(f->sockets, &dial, &events, f);
		until(f, &f->lost, 1);
		assert_true(f->reason[0]);
		socket_close(&f->socket);
	}
	struct socket_dial dial = dial_to(f);

	f->silent = true;
	f->lost = 0;
	dial.connect_ms = 200;
	f->socket = socket_dial(f->sockets, &dial, &events, f);
	until(f, &f->lost, 2); /* and tries again */
	assert_non_null(strstr(f->reason, "time-out"));
	socket_close(&f->socket);
}

/* A peer that is stopped sends no FIN: only the missing pong tells. */
static void test_a_stopped_peer_is_dropped_and_dialled_again(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	int64_t from = clock_mono_us();

	dial.ping_ms = 1000;
	open_dialled(f, &dial);
	f->shaken = false;
	until(f, &f->lost, 1);
	assert_in_range(clock_mono_us() - from, 1500000, 6000000);
	until(f, &f->opened, 2);
	socket_close(&f->socket);
}

static void on_tick(void *arg)
{
	int *ticks = arg;
	++*ticks;
}

/* While held nothing is read, pongs neither; that must not look like a dead peer. */
static void test_hold(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	int ticks = 0;
	struct loop_timer *timer = loop_timer(f->loop, on_tick, &ticks);

	f->pong = true;
	dial.ping_ms = 1000;
	open_dialled(f, &dial);
	socket_hold(f->socket, true);
	for (int i = 0; i < 10; i++)
		say_frame(f->wire, 0x81, "x", 1);
	loop_timer_start(timer, 4500, 0);
	until(f, &ticks, 1);
	assert_int_equal(f->messages, 0);
	assert_int_equal(f->lost, 0);
	socket_hold(f->socket, false);
	until_messages(f, 10);
	assert_int_equal(f->lost, 0);
	loop_timer_close(&timer);
	socket_close(&f->socket);
}

static void test_the_proxy_of_the_environment_is_ignored(void **state)
{
	struct fixture *f = *state;
	int port;
	struct wire_server *proxy = wire_listen(f->loop, &port, NULL, NULL);
	char where[64];

	snprintf(where, sizeof where, "127.0.0.1:%d", port);
	setenv("http_proxy", where, 1);
	struct socket_dial dial = dial_to(f);

	open_dialled(f, &dial);
	unsetenv("http_proxy");
	assert_int_equal(wire_server_count(proxy), 0);
	wire_server_free(&proxy);
	socket_close(&f->socket);
}

static void test_close_sends_what_waits(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	struct buf out;
	size_t at = 0;

	open_dialled(f, &dial);
	assert_int_equal(socket_send(f->socket, "bye", 3), 0);
	socket_close(&f->socket);
	buf_init(&out, 0);
	assert_int_equal(next_frame(f, &at, &out), 0x81);
	assert_string_equal(out.data, "bye");
	assert_int_equal(next_frame(f, &at, &out), 0x88);
	assert_memory_equal(out.data, "\x03\xe8", 2); /* 1000 */
	buf_free(&out);
	assert_int_equal(f->lost, 0);
}

static void test_close_from_inside(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);

	f->close_on_message = true;
	f->behind = "\x81\x01x\x81\x01y\x81\x01z";
	f->behind_len = 9;
	open_dialled(f, &dial);
	assert_true(wire_until_ended(f->wire));
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->lost, 0);
	assert_null(f->socket);
}

static void test_free_says_1001(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);
	struct buf out;
	size_t at = 0;

	open_dialled(f, &dial);
	sockets_free(&f->sockets);
	buf_init(&out, 0);
	assert_int_equal(next_frame(f, &at, &out), 0x88);
	assert_memory_equal(out.data, "\x03\xe9", 2);
	buf_free(&out);
	assert_int_equal(f->lost, 0);
}

static void test_free_in_every_state(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = dial_to(f);

	f->silent = true;
	f->socket = socket_dial(f->sockets, &dial, &events, f);
	dial.url = "ws://no-such-host.invalid/";
	socket_dial(f->sockets, &dial, &events, f);
	loop_turn(f->loop, false);
	loop_turn(f->loop, false);
	dial.url = "wss://127.0.0.1:1/";
	socket_dial(f->sockets, &dial, &events, f);
	sockets_free(&f->sockets); /* the teardown would hang or find handles */
}

/* --- TLS, by Node's ws
 * ------------------------------------------------------------------------------- */

static void test_wss(void **state)
{
	struct fixture *f = *state;
	static const char *const headers[] = {"Authorization: Bearer abc", NULL};
	struct socket_dial dial = {.backoff_ms = 20, .headers = headers};
	struct program program;
	char host[64];
	char *text = much(f);

	assert_int_equal(program_start(&program, "tls_server.mjs", "ws"), 0);
	dial.url = arena_printf(f->arena, "wss://localhost:%d/chat", program.port);
	f->socket = socket_dial(f->sockets, &dial, &events, f);
	until(f, &f->lost, 1); /* an authority nobody knows */
	socket_close(&f->socket);
	dial.ca_file = program.file;
	dial.url = arena_printf(f->arena, "wss://127.0.0.1:%d/chat", program.port);
	f->lost = 0;
	f->socket = socket_dial(f->sockets, &dial, &events, f);
	until(f, &f->lost, 1); /* the right authority, another's name */
	socket_close(&f->socket);
	assert_int_equal(f->opened, 0);
	dial.url = arena_printf(f->arena, "wss://localhost:%d/chat", program.port);
	dial.message_max = 4 * 1024 * 1024;
	open_dialled(f, &dial);
	until_messages(f, 1);
	snprintf(host, sizeof host, "\"host\":\"localhost:%d\"", program.port);
	assert_non_null(strstr(f->last.data, host));
	assert_non_null(strstr(f->last.data, "\"authorization\":\"Bearer abc\""));
	assert_non_null(strstr(f->last.data, "\"extensions\":\"\""));
	buf_free(&f->last);
	buf_init(&f->last, MUCH);
	assert_int_equal(socket_send(f->socket, text, MUCH), 0);
	until_messages(f, 2);
	assert_int_equal(f->last.len, MUCH);
	assert_memory_equal(f->last.data, text, MUCH);
	program_stop(&program);
	until(f, &f->lost, 2);
	socket_close(&f->socket);
}

/* --- incoming
 * ------------------------------------------------------------------------------------------ */

#define HOST "Host: a\r\n"
#define UPGRADE                                                                                    \
	"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"                                \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static struct wire *knock(struct fixture *f, const void *bytes, size_t len)
{
	struct wire *wire = wire_open(f->loop, socket_listener_port(f->listener));

	wire_send(wire, bytes, len);
	return wire;
}

static void test_an_upgrade(void **state)
{
	struct fixture *f = *state;
	/* Key and answer are the example of RFC 6455, 1.3; the masked "Hello" that of 5.7. */
	static const char bytes[] = "GET /onebot?self=1 HTTP/1.1\r\n" HOST UPGRADE
				    "Origin: https://a.example\r\nAuthorization: Bearer abc\r\n"
				    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
				    "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	struct wire *wire = knock(f, bytes, sizeof bytes - 1);

	f->echo = true;
	assert_true(wire_until(wire, "\r\n\r\n\x81\x05Hello", 1));
	assert_non_null(strstr(wire_got(wire), "HTTP/1.1 101 "));
	assert_non_null(strcasestr(wire_got(wire),
				   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_null(strcasestr(wire_got(wire), "Sec-WebSocket-Extensions"));
	assert_string_equal(f->path, "/onebot?self=1");
	assert_string_equal(f->origin, "https://a.example");
	assert_string_equal(f->authorization, "Bearer abc");
	assert_int_equal(f->guests, 1);
	wire_close(&wire);
	until(f, &f->lost, 1);
}

struct hostile {
	const char *name, *bytes;
	size_t len;
};

#define HOSTILE(name, bytes)                                                                       \
	{                                                                                          \
		name, bytes, sizeof bytes - 1                                                      \
	}

static const struct hostile hostile[] = {
	HOSTILE("two pipelined POSTs", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
				       "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
	HOSTILE("a GET", "GET /x HTTP/1.1\r\n" HOST "\r\n"),
	HOSTILE("a chunked POST", "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
	HOSTILE("an upgrade with a body",
		"GET /x HTTP/1.1\r\n" HOST UPGRADE "Content-Length: 3\r\n\r\nabc"),
	HOSTILE("an upgrade by POST", "POST /x HTTP/1.1\r\n" HOST UPGRADE "\r\n"),
	HOSTILE("an upgrade in 1.0", "GET /x HTTP/1.0\r\n" HOST UPGRADE "\r\n"),
	HOSTILE("no host", "GET /x HTTP/1.1\r\n" UPGRADE "\r\n"),
	HOSTILE("two hosts", "GET /x HTTP/1.1\r\n" HOST HOST UPGRADE "\r\n"),
	HOSTILE("an old version", "GET /x HTTP/1.1\r\n" HOST
				  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
				  "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n"),
	HOSTILE("a short key", "GET /x HTTP/1.1\r\n" HOST
			       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
			       "dGhl\r\nSec-WebSocket-Version: 13\r\n\r\n"),
	HOSTILE("HTTP/2 by upgrade",
		"GET /x HTTP/1.1\r\n" HOST
		"Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
		"dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"),
	HOSTILE("bare LF", "GET /x HTTP/1.1\r\n" HOST "X: a\nY: b\r\n" UPGRADE "\r\n"),
	HOSTILE("NUL", "GET /x HTTP/1.1\r\n" HOST "X: a\0b\r\n" UPGRADE "\r\n"),
	HOSTILE("folded", "GET /x HTTP/1.1\r\n" HOST "X: a\r\n b\r\n" UPGRADE "\r\n"),
	HOSTILE("space before the colon", "GET /x HTTP/1.1\r\n" HOST "X : a\r\n" UPGRADE "\r\n"),
	HOSTILE("an absolute target", "GET http://a/x HTTP/1.1\r\n" HOST UPGRADE "\r\n"),
	HOSTILE("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	HOSTILE("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	HOSTILE("the first letter of another method", "P"),
};

static void test_all_else_is_closed_at_once(void **state)
{
	struct fixture *f = *state;
	struct buf bytes;

	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		struct wire *wire = knock(f, hostile[i].bytes, hostile[i].len);
		int64_t from = clock_mono_us();

		if (!wire_until_ended(wire) || wire_len(wire) ||
		    clock_mono_us() - from > 2 * 1000 * 1000)
			fail_msg("%s: %s", hostile[i].name, wire_got(wire));
		wire_close(&wire);
	}
	buf_init(&bytes, 0);
	buf_str(&bytes, "GET /x HTTP/1.1\r\n" HOST "X: ");
	for (int i = 0; i < 9000; i++)
		buf_char(&bytes, 'x');
	struct wire *wire = knock(f, bytes.data, bytes.len);

	assert_true(wire_until_ended(wire));
	wire_close(&wire);
	buf_free(&bytes);
	assert_int_equal(f->guests, 0);
	test_an_upgrade(state); /* and the port goes on */
}

static void test_not_allowed(void **state)
{
	struct fixture *f = *state;
	static const char bytes[] = "GET /x HTTP/1.1\r\n" HOST UPGRADE "\r\n";
	struct wire *wire;

	f->allowed = false;
	wire = knock(f, bytes, sizeof bytes - 1);
	assert_true(wire_until_ended(wire));
	assert_int_equal(strncmp(wire_got(wire), "HTTP/1.1 403 ", 13), 0);
	assert_int_equal(f->guests, 0);
	wire_close(&wire);
}

static void test_a_slow_knock_times_out(void **state)
{
	struct fixture *f = *state;
	struct wire *silent = knock(f, "", 0), *slow = knock(f, "GET /x HT", 9);

	assert_true(wire_until_ended(silent) && wire_until_ended(slow));
	assert_int_equal(wire_len(slow), 0);
	wire_close(&silent);
	wire_close(&slow);
}

static void test_split_everywhere(void **state)
{
	struct fixture *f = *state;
	static const char bytes[] = "GET / HTTP/1.1\r\n" HOST UPGRADE
				    "\r\n\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

	f->echo = true;
	for (size_t cut = 1; cut < sizeof bytes - 1; cut += 5) {
		struct wire *wire = knock(f, bytes, cut);

		for (int turn = 0; turn < 3; turn++)
			loop_turn(f->loop, false);
		wire_send(wire, bytes + cut, sizeof bytes - 1 - cut);
		assert_true(wire_until(wire, "\x81\x05Hello", 1));
		wire_close(&wire);
	}
}

static void test_both_ends_are_ours(void **state)
{
	struct fixture *f = *state;
	struct socket_dial dial = {.url = arena_printf(f->arena, "ws://127.0.0.1:%d/",
						       socket_listener_port(f->listener)),
				   .backoff_ms = 20};

	f->echo = true;
	open_dialled(f, &dial);
	until(f, &f->guests, 1);
	for (size_t i = 1; i <= 100; i++) {
		assert_int_equal(socket_send(f->socket, "ping", 4), 0);
		until_messages(f, 2 * i);
	}
	/* The listener takes its guests along. */
	socket_listener_close(&f->listener);
	until(f, &f->lost, 2);
	socket_close(&f->socket);
}

static void test_only_loopback_is_bound(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(0x7f000002); /* 127.0.0.2 is another address */
	address.sin_port = htons((uint16_t)socket_listener_port(f->listener));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_opening_request),
		TEST(test_first_frame_with_the_101),
		TEST(test_fragments_and_pings),
		TEST(test_three_megabytes),
		TEST(test_a_burst),
		TEST(test_bounds_of_sending),
		TEST(test_what_drops_a_peer),
		TEST(test_dials_again),
		TEST(test_backoff_grows),
		TEST(test_dials_that_fail),
		TEST(test_a_stopped_peer_is_dropped_and_dialled_again),
		TEST(test_hold),
		TEST(test_the_proxy_of_the_environment_is_ignored),
		TEST(test_close_sends_what_waits),
		TEST(test_close_from_inside),
		TEST(test_free_says_1001),
		TEST(test_free_in_every_state),
		TEST(test_wss),
		TEST(test_an_upgrade),
		TEST(test_all_else_is_closed_at_once),
		TEST(test_not_allowed),
		TEST(test_a_slow_knock_times_out),
		TEST(test_split_everywhere),
		TEST(test_both_ends_are_ours),
		TEST(test_only_loopback_is_bound),
	};
	if (getenv("LINLI_TEST"))
		cmocka_set_test_filter(getenv("LINLI_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
