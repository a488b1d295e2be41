/* tests/adapters/test_web.c - the HTTP server against raw bytes, as a hostile or clumsy peer sends
 * them. The request forms come from RFC 9110 and RFC 9112; the defects of libmicrohttpd 0.9.75 that
 * are stayed clear of are listed in docs/libraries.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/web.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"
#include "tests/adapters/wire.h"

#define HOST "Host: a\r\n"

struct fixture {
	struct loop *loop;
	struct web *web;
	struct web_request *kept; /* answered later */
	struct web_stream *stream;
	int gone, handled;
	struct error error;
};

static void on_echo(void *arg, struct web_request *request)
{
	struct fixture *f = arg;
	size_t len;
	const char *body = web_body(request, &len);

	f->handled++;
	web_reply_header(request, "X-Method", web_method(request));
	web_reply(request, 200, "text/plain", body, len);
}

static void on_keep(void *arg, struct web_request *request)
{
	struct fixture *f = arg;

	f->handled++;
	f->kept = request;
}

static void on_query(void *arg, struct web_request *request)
{
	const char *a = web_query(request, "a");
	const char *text = arena_printf(web_arena(request), "[%s|%s|%s]", a ? a : "(none)",
					web_path(request), web_target(request));

	(void)arg;
	web_reply(request, 200, "text/plain", text, strlen(text));
}

static void on_header(void *arg, struct web_request *request)
{
	const char *value = web_header(request, "x-hub-signature-256");
	const char *text = arena_printf(web_arena(request), "[%s]", value ? value : "(none)");

	(void)arg;
	web_reply(request, 200, "text/plain", text, strlen(text));
}

static void on_form(void *arg, struct web_request *request)
{
	struct web_field *fields;
	size_t count;

	(void)arg;
	if (web_form(request, &fields, &count)) {
		web_refuse(request, 400, "Not a form.\n");
		return;
	}
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_printf(web_arena(request), "%s[%s=%s]", text, fields[i].name,
				    fields[i].value);
	web_reply(request, 200, "text/plain; charset=utf-8", text, strlen(text));
}

static void on_gone(void *arg)
{
	struct fixture *f = arg;

	f->gone++;
	f->stream = NULL;
}

static void on_events(void *arg, struct web_request *request)
{
	struct fixture *f = arg;
	f->stream = web_stream(request, on_gone, f);
}

#define ROUTE(m, p, h) {.method = m, .path = p, .handle = h}
static const struct web_route routes[] = {
	{.method = "POST", .path = "echo", .body_max = 100, .handle = on_echo},
	ROUTE("GET", "echo", on_echo),
	ROUTE("POST", "keep", on_keep),
	ROUTE("GET", "query", on_query),
	{.method = "GET", .path = "raw", .handle = on_query, .raw_query = true},
	ROUTE("GET", "header", on_header),
	ROUTE("POST", "form", on_form),
	ROUTE("GET", "events", on_events),
	ROUTE("PUT", "put", on_echo),
	{.path = NULL},
};

static int setup(void **state)
{
	struct fixture *f = xalloc(sizeof *f);

	f->loop = loop_new();
	f->web = web_new(f->loop, "127.0.0.1:0", &f->error);
	if (!f->web)
		return -1;
	web_mount(f->web, "/", routes, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	web_free(&f->web);
	loop_run(f->loop);
	loop_free(&f->loop);
	free(f);
	return 0;
}

/* One connection, these bytes; what came back until the server closed. */
static struct wire *ask(struct fixture *f, const void *bytes, size_t len)
{
	struct wire *wire = wire_open(f->loop, web_port(f->web));

	wire_send(wire, bytes, len);
	return wire;
}

static void expect_refused(struct fixture *f, const char *name, const void *bytes, size_t len,
			   int status)
{
	int handled = f->handled;
	struct wire *wire = ask(f, bytes, len);
	char line[64];

	snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	if (!wire_until_ended(wire))
		fail_msg("%s: the connection stays open: %s", name, wire_got(wire));
	if (strncmp(wire_got(wire), line, strlen(line)))
		fail_msg("%s: not %d but: %s", name, status, wire_got(wire));
	/* For a malformed length the library writes its refusal's head twice before it closes. */
	if (wire_count(wire, "HTTP/1.1 ") != wire_count(wire, line) || wire_count(wire, line) > 2 ||
	    f->handled != handled)
		fail_msg("%s: more was answered: %s", name, wire_got(wire));
	wire_close(&wire);
}

struct bad {
	const char *name;
	int status;
	const char *bytes;
	size_t len;
};

#define BAD(name, status, bytes)                                                                   \
	{                                                                                          \
		name, status, bytes, sizeof bytes - 1                                              \
	}
#define POST "POST /echo HTTP/1.1\r\n"
#define NEXT "GET /echo HTTP/1.1\r\n" HOST "\r\n" /* what would be smuggled */

static const struct bad bad_heads[] = {
	BAD("length and coding", 400,
	    POST HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT),
	BAD("coding and length", 400,
	    POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" NEXT),
	BAD("two lengths", 400, POST HOST "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"),
	BAD("two equal lengths", 400,
	    POST HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("a list of lengths", 400, POST HOST "Content-Length: 3, 3\r\n\r\nabc"),
	BAD("negative length", 400, POST HOST "Content-Length: -3\r\n\r\nabc"),
	BAD("length with a plus", 400, POST HOST "Content-Length: +3\r\n\r\nabc"),
	BAD("hex length", 400, POST HOST "Content-Length: 0x3\r\n\r\nabc"),
	BAD("empty length", 400, POST HOST "Content-Length:\r\n\r\nabc"),
	BAD("huge length", 413, POST HOST "Content-Length: 99999999999999999999999\r\n\r\nabc"),
	BAD("unknown coding", 501, POST HOST "Transfer-Encoding: gzip\r\n\r\nabc"),
	BAD("coding in another dress", 501, POST HOST "Transfer-Encoding: xchunked\r\n\r\nabc"),
	BAD("coding with a space behind", 501,
	    POST HOST "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n" NEXT),
	BAD("two codings", 501,
	    POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
	BAD("coding in 1.0", 400,
	    "POST /echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	BAD("no host", 400, POST "Content-Length: 3\r\n\r\nabc"),
	BAD("two hosts", 400, POST HOST HOST "Content-Length: 3\r\n\r\nabc"),
	BAD("a host with a path", 400, POST "Host: a/b\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("NUL in a value", 400, POST HOST "X: a\0b\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("NUL at the end of a value", 400, POST HOST "X: a\0\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("NUL in a length", 400, POST HOST "Content-Length: 3\0\r\n\r\nabc"),
	BAD("NUL in a name", 400, POST HOST "X\0: a\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("bare LF", 400, POST HOST "X: a\nContent-Length: 3\r\n\r\nabc"),
	BAD("bare LF after the last", 400, POST HOST "Content-Length: 3\n\r\nabc"),
	BAD("bare LF as the empty line", 400, POST HOST "Content-Length: 3\r\n\nabc"),
	BAD("bare LF everywhere", 400, "POST /echo HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc"),
	BAD("bare LF after the request line", 400,
	    "POST /echo HTTP/1.1\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("CR in a value", 400, POST HOST "X: a\rb\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("folded header", 400, POST HOST "X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("folded to hide", 400,
	    POST HOST "X:\r\n\tContent-Length: 5\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("space before the colon", 400, POST HOST "X : a\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("space before the colon of a coding", 400,
	    POST HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
	BAD("a header without a name", 400, POST HOST ": a\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("a header without a colon", 400, POST HOST "Xa\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("a space in the name", 400, POST HOST "X y: a\r\nContent-Length: 3\r\n\r\nabc"),
	BAD("two spaces in the first line", 400, "GET  /echo HTTP/1.1\r\n" HOST "\r\n"),
	BAD("a space behind the version", 400, "GET /echo HTTP/1.1 \r\n" HOST "\r\n"),
	BAD("a strange method", 400, "GE(T /echo HTTP/1.1\r\n" HOST "\r\n"),
	BAD("UTF-8 in the target", 400, "GET /\xe4\xbd\xa0 HTTP/1.1\r\n" HOST "\r\n"),
	BAD("half a percent", 400, "GET /query?a=%4 HTTP/1.1\r\n" HOST "\r\n"),
	BAD("no hex", 400, "GET /query?a=%zz HTTP/1.1\r\n" HOST "\r\n"),
	BAD("NUL in the path", 400, "GET /ec%00ho HTTP/1.1\r\n" HOST "\r\n"),
	BAD("no UTF-8 in the query", 400, "GET /query?a=%ff HTTP/1.1\r\n" HOST "\r\n"),
};

static void test_ambiguous_heads_are_refused_and_closed(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof bad_heads / sizeof *bad_heads; i++)
		expect_refused(f, bad_heads[i].name, bad_heads[i].bytes, bad_heads[i].len,
			       bad_heads[i].status);
	assert_true(web_counts(f->web).malformed > 0);
}

/* The same on a connection that has served before: the first request must not open the door. */
static void test_ambiguous_heads_after_a_good_one(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof bad_heads / sizeof *bad_heads; i++) {
		struct wire *wire = ask(f, NEXT, sizeof NEXT - 1);
		int handled;

		assert_true(wire_until(wire, "HTTP/1.1 200 ", 1));
		handled = f->handled;
		wire_send(wire, bad_heads[i].bytes, bad_heads[i].len);
		if (!wire_until_ended(wire) || wire_count(wire, "HTTP/1.1 ") < 2 ||
		    wire_count(wire, "HTTP/1.1 200 ") != 1 || f->handled != handled)
			fail_msg("%s: %s", bad_heads[i].name, wire_got(wire));
		wire_close(&wire);
	}
}

static void test_garbage_is_closed(void **state)
{
	static const char hello[] =
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"; /* TLS */
	struct fixture *f = *state;
	struct wire *wire = ask(f, hello, sizeof hello - 1);

	assert_true(wire_until_ended(wire));
	wire_close(&wire);
	wire = ask(f, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
	assert_true(wire_until_ended(wire));
	wire_close(&wire);
	assert_int_equal(f->handled, 0);
}

static void test_pipelined_posts(void **state)
{
	struct fixture *f = *state;
	static const char two[] =
		POST HOST "Content-Length: 3\r\n\r\nabc" POST HOST "Content-Length: 3\r\n\r\nxyz";
	struct wire *wire = ask(f, two, sizeof two - 1);

	assert_true(wire_until(wire, "xyz", 1));
	assert_int_equal(wire_count(wire, "HTTP/1.1 200 "), 2);
	assert_true(strstr(wire_got(wire), "abc") < strstr(wire_got(wire), "xyz"));
	assert_int_equal(f->handled, 2);
	wire_close(&wire);
}

static bool is_kept(void *arg)
{
	const struct fixture *f = arg;
	return f->kept != NULL;
}

static void answer_kept(struct fixture *f, const char *text)
{
	struct web_request *request = f->kept;

	f->kept = NULL;
	web_reply(request, 200, "text/plain", text, strlen(text));
}

static void test_pipelined_posts_answered_later(void **state)
{
	struct fixture *f = *state;
	static const char two[] = "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
				  "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nxyz";
	struct wire *wire = ask(f, two, sizeof two - 1);

	assert_true(wire_turn_until(f->loop, is_kept, f));
	assert_int_equal(web_busy(f->web), 1);
	assert_int_equal(wire_len(wire), 0);
	answer_kept(f, "first");
	assert_true(wire_turn_until(f->loop, is_kept, f));
	answer_kept(f, "second");
	assert_true(wire_until(wire, "second", 1));
	assert_int_equal(f->handled, 2);
	wire_close(&wire);
}

static void test_split_everywhere(void **state)
{
	struct fixture *f = *state;
	static const char bytes[] = POST HOST "Content-Length: 3\r\n\r\nabc";

	for (size_t cut = 1; cut < sizeof bytes - 1; cut++) {
		struct wire *wire = ask(f, bytes, cut);

		for (int turn = 0; turn < 3; turn++)
			loop_turn(f->loop, false);
		wire_send(wire, bytes + cut, sizeof bytes - 1 - cut);
		assert_true(wire_until(wire, "\r\n\r\nabc", 1));
		assert_int_equal(wire_count(wire, "HTTP/1.1 200 "), 1);
		wire_close(&wire);
	}
}

static void test_chunked_body_is_decoded(void **state)
{
	struct fixture *f = *state;
	static const char bytes[] = POST HOST "Transfer-Encoding: chunked\r\n\r\n"
					      "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: r\r\n\r\n" NEXT;
	struct wire *wire = ask(f, bytes, sizeof bytes - 1);

	assert_true(wire_until_ended(wire));
	assert_non_null(strstr(wire_got(wire), "\r\n\r\nabcdefg"));
	/* Nothing behind a chunked body is taken for a request. */
	assert_int_equal(wire_count(wire, "HTTP/1.1 "), 1);
	assert_non_null(strstr(wire_got(wire), "Connection: close"));
	wire_close(&wire);
}

static void test_expect_continue(void **state)
{
	struct fixture *f = *state;
	static const char head[] = POST HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
	static const char large[] = POST HOST "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n";
	struct wire *wire = ask(f, head, sizeof head - 1);

	assert_true(wire_until(wire, "HTTP/1.1 100 Continue\r\n\r\n", 1));
	assert_int_equal(wire_count(wire, "HTTP/1.1 200"), 0);
	wire_say(wire, "abc");
	assert_true(wire_until(wire, "HTTP/1.1 200 ", 1));
	wire_close(&wire);
	expect_refused(f, "large, asked first", large, sizeof large - 1, 413);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	static const char length[] = POST HOST "Content-Length: 101\r\n\r\n";
	struct buf bytes;

	expect_refused(f, "length over the limit", length, sizeof length - 1, 413);
	buf_init(&bytes, 0);
	buf_str(&bytes, POST HOST "Transfer-Encoding: chunked\r\n\r\n65\r\n");
	for (int i = 0; i < 0x65; i++)
		buf_char(&bytes, 'x');
	buf_str(&bytes, "\r\n0\r\n\r\n");
	expect_refused(f, "chunks over the limit", bytes.data, bytes.len, 413);

	buf_clear(&bytes);
	buf_str(&bytes, "GET /echo HTTP/1.1\r\n" HOST "X: ");
	for (int i = 0; i < 40000; i++)
		buf_char(&bytes, 'x');
	buf_str(&bytes, "\r\n\r\n");
	expect_refused(f, "a long header", bytes.data, bytes.len, 431);

	buf_clear(&bytes);
	buf_str(&bytes, "GET /echo HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 4000; i++)
		buf_printf(&bytes, "X%d: y\r\n", i);
	buf_str(&bytes, "\r\n");
	expect_refused(f, "many headers", bytes.data, bytes.len, 431);

	buf_clear(&bytes);
	buf_str(&bytes, "GET /");
	for (int i = 0; i < 40000; i++)
		buf_char(&bytes, 'x');
	buf_str(&bytes, " HTTP/1.1\r\n" HOST "\r\n");
	expect_refused(f, "a long target", bytes.data, bytes.len, 414);
	buf_free(&bytes);
}

static void test_endless_chunks_are_cut_off(void **state)
{
	struct fixture *f = *state;
	struct wire *wire = wire_open(f->loop, web_port(f->web));
	static char chunk[65536 + 8];

	memset(chunk, 'x', sizeof chunk);
	memcpy(chunk, "10000\r\n", 7);
	wire_say(wire, POST HOST "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 64; i++) {
		wire_send(wire, chunk, 7 + 65536);
		wire_say(wire, "\r\n");
	}
	assert_true(wire_until_ended(wire));
	assert_int_equal(f->handled, 0);
	wire_close(&wire);
}

static void test_methods(void **state)
{
	struct fixture *f = *state;
	static const char del[] = "DELETE /echo HTTP/1.1\r\n" HOST "\r\n" NEXT;
	static const char brew[] = "POST /query HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
	static const char head[] = "HEAD /query?a=1 HTTP/1.1\r\n" HOST "\r\n" NEXT;
	struct wire *wire = ask(f, del, sizeof del - 1);

	assert_true(wire_until(wire, "HTTP/1.1 200 ", 1)); /* the connection goes on */
	assert_int_equal(strncmp(wire_got(wire), "HTTP/1.1 405 ", 13), 0);
	assert_non_null(strstr(wire_got(wire), "POST"));
	assert_non_null(strstr(wire_got(wire), "GET, HEAD"));
	assert_non_null(strstr(wire_got(wire), "Allow: "));
	wire_close(&wire);
	expect_refused(f, "a body where none is taken", brew, sizeof brew - 1, 405);

	wire = ask(f, head, sizeof head - 1);
	assert_true(wire_until(wire, "HTTP/1.1 200 ", 2));
	assert_non_null(strstr(wire_got(wire), "Content-Length: 21\r\n")); /* as GET would say */
	assert_null(strstr(wire_got(wire), "[1|"));
	wire_close(&wire);
	assert_int_equal(web_counts(f->web).refused_4xx, 2);
}

static void test_targets(void **state)
{
	static const struct {
		const char *target, *answer;
	} cases[] = {
		{"/query?a=%E4%BD%A0+b%2B", "[你 b+|/query|/query?a=%E4%BD%A0+b%2B]"},
		{"/query?b=1&a=2&a=3", "[2|/query|/query?b=1&a=2&a=3]"},
		{"/query", "[(none)|/query|/query]"},
		{"/query?", "[(none)|/query|/query?]"},
		{"/query?a", "[|/query|/query?a]"},
		{"/%71uery?a=%26", "[&|/query|/%71uery?a=%26]"},
		{"/raw?a=1&b=%ff%00", "[1|/raw|/raw?a=1&b=%ff%00]"},
		{"/raw?a=%zz", "[(none)|/raw|/raw?a=%zz]"},
		{"http://a:80/query?a=1", "[1|/query|http://a:80/query?a=1]"},
		{"/query/", "404"},
		{"/x/../query", "404"},
		{"*", "404"},
		{"http://a", "404"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wire *wire = wire_open(f->loop, web_port(f->web));

		wire_say(wire, "GET ");
		wire_say(wire, cases[i].target);
		wire_say(wire, " HTTP/1.1\r\n" HOST "\r\n");
		if (!wire_until(wire, cases[i].answer, 1))
			fail_msg("%s: %s", cases[i].target, wire_got(wire));
		wire_close(&wire);
	}
}

static void test_headers(void **state)
{
	struct fixture *f = *state;
	static const char odd[] =
		"GET /header HTTP/1.1\r\nHost:a\r\nX-HUB-SIGNATURE-256:\t \x80 b \t\r\n\r\n";
	static const char old[] = "GET /header HTTP/1.0\r\n\r\n";
	static const char empty[] = "GET /header HTTP/1.1\r\n" HOST "X-Hub-Signature-256:\r\n\r\n";
	struct wire *wire = ask(f, odd, sizeof odd - 1);

	assert_true(wire_until(wire, "[\x80 b]", 1));
	wire_close(&wire);
	wire = ask(f, old, sizeof old - 1);
	assert_true(wire_until_ended(wire));
	assert_non_null(strstr(wire_got(wire), "[(none)]"));
	wire_close(&wire);
	wire = ask(f, empty, sizeof empty - 1);
	assert_true(wire_until(wire, "[]", 1));
	wire_close(&wire);
}

static void test_forms(void **state)
{
	static const struct {
		const char *type, *body, *answer;
	} cases[] = {
		{"application/x-www-form-urlencoded", "Body=%E4%BD%A0+%2B1&From=%2B86&x",
		 "[Body=你 +1][From=+86][x=]"},
		{"application/x-www-form-urlencoded; charset=UTF-8", "a=1&&b=2&a=3",
		 "[a=1][b=2][a=3]"},
		{"Application/X-WWW-Form-Urlencoded", "", " 200 "},
		{"application/x-www-form-urlencoded", "a=%ff", "Not a form."},
		{"application/x-www-form-urlencoded", "a=%4", "Not a form."},
		{"application/x-www-form-urlencoded", "a=%", "Not a form."},
		{"application/x-www-form-urlencoded", "a=%00", "Not a form."},
		{"application/x-www-form-urlencoded", "%g0=1", "Not a form."},
		{"application/json", "a=1", "Not a form."},
		{"application/x-www-form-urlencodedx", "a=1", "Not a form."},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wire *wire = wire_open(f->loop, web_port(f->web));
		char head[256];

		snprintf(head, sizeof head,
			 "POST /form HTTP/1.1\r\n" HOST
			 "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
			 cases[i].type, strlen(cases[i].body));
		wire_say(wire, head);
		wire_say(wire, cases[i].body);
		if (!wire_until(wire, cases[i].answer, 1))
			fail_msg("%s: %s", cases[i].body, wire_got(wire));
		wire_close(&wire);
	}
}

static void test_half_closed_peer_gets_its_answer(void **state)
{
	struct fixture *f = *state;
	static const char now[] = POST HOST "Content-Length: 3\r\n\r\nabc";
	static const char later[] = "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
	struct wire *wire = ask(f, now, sizeof now - 1);

	wire_half_close(wire);
	assert_true(wire_until(wire, "\r\n\r\nabc", 1));
	assert_true(wire_until_ended(wire));
	wire_close(&wire);

	wire = ask(f, later, sizeof later - 1);
	wire_half_close(wire);
	assert_true(wire_turn_until(f->loop, is_kept, f));
	answer_kept(f, "later");
	assert_true(wire_until(wire, "\r\n\r\nlater", 1));
	assert_true(wire_until_ended(wire));
	wire_close(&wire);

	/* Half a request and the end: nothing to answer. */
	wire = ask(f, now, sizeof now - 2);
	wire_half_close(wire);
	assert_true(wire_until_ended(wire));
	wire_close(&wire);
	assert_int_equal(f->handled, 2);
	assert_int_equal(web_busy(f->web), 0);
}

static void test_answer_after_the_peer_went(void **state)
{
	struct fixture *f = *state;
	static const char later[] = "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
	struct wire *wire = ask(f, later, sizeof later - 1);

	assert_true(wire_turn_until(f->loop, is_kept, f));
	wire_close(&wire);
	for (int turn = 0; turn < 5; turn++)
		loop_turn(f->loop, false);
	answer_kept(f, "nobody hears");
	while (web_busy(f->web))
		loop_turn(f->loop, true);
}

static void test_later_says_when(void **state)
{
	struct fixture *f = *state;
	static const char later[] = "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n";
	struct wire *wire = ask(f, later, sizeof later - 1);

	assert_true(wire_turn_until(f->loop, is_kept, f));
	web_later(f->kept, 7);
	assert_true(wire_until(wire, "HTTP/1.1 503 ", 1));
	assert_non_null(strstr(wire_got(wire), "Retry-After: 7\r\n"));
	assert_int_equal(web_counts(f->web).refused_5xx, 1);
	wire_close(&wire);
}

/* The peer owes a whole head within 10 s, however busily it drips. */
static void test_slow_head_times_out(void **state)
{
	struct fixture *f = *state;
	struct wire *silent = wire_open(f->loop, web_port(f->web));
	struct wire *slow = ask(f, "POST /ec", 8);

	assert_true(wire_until_ended(silent));
	while (!wire_ended(slow)) {
		wire_say(slow, "h");
		loop_turn(f->loop, true);
	}
	assert_int_equal(wire_len(slow), 0);
	wire_close(&silent);
	wire_close(&slow);
}

static bool has_stream(void *arg)
{
	const struct fixture *f = arg;
	return f->stream != NULL;
}

static bool is_gone(void *arg)
{
	const struct fixture *f = arg;
	return f->gone > 0;
}

static struct wire *open_stream(struct fixture *f)
{
	struct wire *wire = ask(f, "GET /events HTTP/1.1\r\n" HOST "\r\n",
				strlen("GET /events HTTP/1.1\r\n" HOST "\r\n"));

	assert_true(wire_turn_until(f->loop, has_stream, f));
	assert_true(wire_until(wire, "text/event-stream", 1));
	return wire;
}

static void test_stream(void **state)
{
	struct fixture *f = *state;
	struct wire *wire = open_stream(f);

	assert_int_equal(web_busy(f->web), 0);
	web_stream_send(f->stream, "task", "{\"a\":1}");
	assert_true(wire_until(wire, "event: task\ndata: {\"a\":1}\n\n", 1));
	web_stream_send(f->stream, NULL, "one\ntwo\r\nthree");
	assert_true(wire_until(wire, "data: one\ndata: two\ndata: three\n\n", 1));
	web_stream_close(f->stream);
	assert_true(wire_until(wire, "\r\n0\r\n", 1)); /* the last chunk */
	assert_int_equal(f->gone, 0);
	wire_close(&wire);
	/* The page goes first. */
	f->stream = NULL;
	wire = open_stream(f);
	wire_close(&wire);
	web_stream_send(f->stream, "task", "1");
	while (!f->gone) {
		loop_turn(f->loop, true);
		if (f->stream)
			web_stream_send(f->stream, "task", "1");
	}
	assert_int_equal(f->gone, 1);
}

static void test_stream_that_does_not_read_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct wire *wire = open_stream(f);
	char data[1025];

	memset(data, 'x', 1024);
	data[1024] = '\0';
	wire_hold(wire, true);
	for (int i = 0; i < 20000 && !f->gone; i++) {
		web_stream_send(f->stream, "x", data);
		loop_turn(f->loop, false);
	}
	assert_true(wire_turn_until(f->loop, is_gone, f));
	assert_int_equal(f->gone, 1);
	wire_close(&wire);
}

static void test_quiesce_drains(void **state)
{
	struct fixture *f = *state;
	static const char later[] = "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n";
	struct wire *wire = ask(f, later, sizeof later - 1);

	assert_true(wire_turn_until(f->loop, is_kept, f));
	web_quiesce(f->web);
	assert_int_equal(web_busy(f->web), 1);
	struct wire *late = wire_open(f->loop, web_port(f->web));

	assert_true(wire_until_ended(late)); /* refused */
	answer_kept(f, "done");
	assert_true(wire_until(wire, "done", 1));
	assert_true(wire_until_ended(wire));
	assert_non_null(strstr(wire_got(wire), "Connection: close"));
	assert_int_equal(web_busy(f->web), 0);
	wire_close(&late);
	wire_close(&wire);
}

static void test_free_with_everything_open(void **state)
{
	struct fixture *f = *state;
	static const char later[] = "POST /keep HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n";
	struct wire *stream = open_stream(f), *half = ask(f, "POST /ec", 8);
	struct wire *wire = ask(f, later, sizeof later - 1);

	assert_true(wire_turn_until(f->loop, is_kept, f));
	web_free(&f->web);
	assert_int_equal(f->gone, 1);
	answer_kept(f, "the server has gone"); /* harmless */
	assert_true(wire_until_ended(wire) && wire_until_ended(stream) && wire_until_ended(half));
	wire_close(&wire);
	wire_close(&stream);
	wire_close(&half);
}

/* "127.0.0.1" is bound, and not every address of the machine. */
static void test_only_loopback_is_bound(void **state)
{
	struct fixture *f = *state;
	struct ifaddrs *all;
	int tried = 0;

	assert_int_equal(getifaddrs(&all), 0);
	for (struct ifaddrs *a = all; a; a = a->ifa_next) {
		struct sockaddr_in address;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&address, a->ifa_addr, sizeof address);
		if (ntohl(address.sin_addr.s_addr) >> 24 == 127)
			address.sin_addr.s_addr = htonl(0x7f000002); /* 127.0.0.2 is another */
		address.sin_port = htons((uint16_t)web_port(f->web));
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), -1);
		assert_int_equal(errno, ECONNREFUSED);
		close(fd);
		tried++;
	}
	freeifaddrs(all);
	assert_true(tried > 0);
}

static void test_bad_addresses(void **state)
{
	static const char *const bad[] = {"localhost:80", "127.0.0.1",          ":80", "127.0.0.1:",
					  "::1:80",       "127.0.0.1:99999999", ""};
	struct fixture *f = *state;
	struct error error;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_null(web_new(f->loop, bad[i], &error));
	char taken[32];

	snprintf(taken, sizeof taken, "127.0.0.1:%d", web_port(f->web));
	assert_null(web_new(f->loop, taken, &error));
	assert_non_null(strstr(error.text, "Address already in use"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ambiguous_heads_are_refused_and_closed),
		TEST(test_ambiguous_heads_after_a_good_one),
		TEST(test_garbage_is_closed),
		TEST(test_pipelined_posts),
		TEST(test_pipelined_posts_answered_later),
		TEST(test_split_everywhere),
		TEST(test_chunked_body_is_decoded),
		TEST(test_expect_continue),
		TEST(test_limits),
		TEST(test_endless_chunks_are_cut_off),
		TEST(test_methods),
		TEST(test_targets),
		TEST(test_headers),
		TEST(test_forms),
		TEST(test_half_closed_peer_gets_its_answer),
		TEST(test_answer_after_the_peer_went),
		TEST(test_later_says_when),
		TEST(test_slow_head_times_out),
		TEST(test_stream),
		TEST(test_stream_that_does_not_read_is_dropped),
		TEST(test_quiesce_drains),
		TEST(test_free_with_everything_open),
		TEST(test_only_loopback_is_bound),
		TEST(test_bad_addresses),
	};
	if (getenv("LINLI_TEST"))
		cmocka_set_test_filter(getenv("LINLI_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
