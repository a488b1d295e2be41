/* tests/adapters/test_http.c - the HTTP client against servers that answer, break off, or lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adapters/http.h"
#include "adapters/http_answer.h"
#include "adapters/listen.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "tests/adapters/program.h"
#include "tests/adapters/wire.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

struct result {
	struct fixture *fixture;
	int times;
	enum http_fate fate;
	int status;
	char body[256], type[64], reason[160];
	size_t len;
	int64_t retry_after_ms;
	struct http_request *chain; /* set when the callback starts another */
};

struct fixture {
	struct loop *loop;
	struct http *http;
	struct arena *arena;
	struct wire_server *server;
	int port;
	const char *answer; /* to each whole request; NULL: none */
	size_t requests;    /* whole heads seen, on all connections */
	size_t good;        /* how many are answered before `then` */
	enum { THEN_ANSWER, THEN_CUT, THEN_SILENT } then;
	char seen[8192]; /* the last request */
};

/* A server that knows no more than where a head ends; bodies come with it in these tests. */
static void on_bytes(void *arg, struct wire *wire)
{
	struct fixture *f = arg;

	if (!strstr(wire_got(wire), "\r\n\r\n"))
		return;
	snprintf(f->seen, sizeof f->seen, "%s", wire_got(wire));
	wire_forget(wire);
	f->requests++;
	if (f->requests <= f->good || f->then == THEN_ANSWER)
		wire_say(wire, f->answer);
	else if (f->then == THEN_CUT)
		wire_cut(wire);
}

static int setup(void **state)
{
	struct fixture *f = xalloc(sizeof *f);

	f->loop = loop_new();
	f->http = http_new(f->loop);
	f->arena = arena_new();
	f->answer = OK;
	f->server = wire_listen(f->loop, &f->port, on_bytes, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_free(&f->http);
	wire_server_free(&f->server);
	loop_run(f->loop);
	loop_free(&f->loop);
	arena_free(&f->arena);
	free(f);
	return 0;
}

static void on_done(void *arg, const struct http_answer *answer)
{
	struct result *r = arg;

	r->times++;
	r->fate = answer->fate;
	r->status = answer->status;
	r->len = answer->len;
	r->retry_after_ms = answer->retry_after_ms;
	snprintf(r->body, sizeof r->body, "%s", answer->body);
	snprintf(r->type, sizeof r->type, "%s", answer->type);
	snprintf(r->reason, sizeof r->reason, "%s", answer->reason);
}

static bool is_done(void *arg)
{
	const struct result *r = arg;
	return r->times > 0;
}

static const char *url(struct fixture *f, const char *path)
{
	return arena_printf(f->arena, "http://127.0.0.1:%d%s", f->port, path);
}

static struct result run(struct fixture *f, const struct http_call *call)
{
	struct result r = {.fixture = f};

	http_start(f->http, call, on_done, &r);
	assert_int_equal(r.times, 0); /* never from inside */
	assert_true(wire_turn_until(f->loop, is_done, &r));
	assert_int_equal(r.times, 1);
	return r;
}

static struct result post(struct fixture *f, const char *path)
{
	return run(f, &(struct http_call){
			      .method = "POST", .url = url(f, path), .body = "a=1", .len = 3});
}

static void test_post(void **state)
{
	struct fixture *f = *state;
	static const char *const headers[] = {"Content-Type: application/json", "X-A: b", NULL};
	struct result r = run(f, &(struct http_call){.method = "POST",
						     .url = url(f, "/x?y=1"),
						     .headers = headers,
						     .body = "{\"a\":1}",
						     .len = 7});

	assert_int_equal(r.fate, HTTP_ANSWERED);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "{}");
	assert_string_equal(r.type, "application/json");
	assert_int_equal(strncmp(f->seen, "POST /x?y=1 HTTP/1.1\r\n", 22), 0);
	assert_non_null(strstr(f->seen, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(f->seen, "X-A: b\r\n"));
	assert_non_null(strstr(f->seen, "\r\n\r\n{\"a\":1}"));
	assert_null(strcasestr(f->seen, "expect"));
	/* A large body neither, where curl would ask first. */
	char *large = arena_alloc(f->arena, 5001);

	memset(large, 'x', 5000);
	r = run(f, &(struct http_call){
			   .method = "POST", .url = url(f, "/"), .body = large, .len = 5000});
	assert_int_equal(r.fate, HTTP_ANSWERED);
	assert_null(strcasestr(f->seen, "expect"));
}

static void test_methods_do_not_leak_into_each_other(void **state)
{
	struct fixture *f = *state;

	run(f, &(struct http_call){.method = "PUT",
				   .url = url(f, "/p"),
				   .body = "abc",
				   .len = 3,
				   .user = "u",
				   .password = "p"});
	assert_int_equal(strncmp(f->seen, "PUT /p HTTP/1.1\r\n", 17), 0);
	assert_non_null(strstr(f->seen, "Authorization: Basic dTpw\r\n"));
	assert_non_null(strstr(f->seen, "\r\n\r\nabc"));
	run(f, &(struct http_call){.method = "GET", .url = url(f, "/g")});
	assert_int_equal(strncmp(f->seen, "GET /g HTTP/1.1\r\n", 17), 0);
	assert_null(strstr(f->seen, "Authorization"));
	assert_null(strstr(f->seen, "Content-Length"));
	run(f, &(struct http_call){.method = "DELETE", .url = url(f, "/d")});
	assert_int_equal(strncmp(f->seen, "DELETE /d HTTP/1.1\r\n", 20), 0);
	run(f, &(struct http_call){.method = "POST", .url = url(f, "/e")});
	assert_int_equal(strncmp(f->seen, "POST /e HTTP/1.1\r\n", 18), 0);
	assert_non_null(strstr(f->seen, "Content-Length: 0\r\n"));
	assert_int_equal(wire_server_count(f->server), 1); /* kept alive throughout */
}

static void test_refused_is_not_sent(void **state)
{
	struct fixture *f = *state;
	int port, fd = listen_on("127.0.0.1:0", &port, NULL);
	struct result r = post(f, "/"); /* the handle that follows has a past */

	assert_int_equal(r.fate, HTTP_ANSWERED);
	close(fd);
	r = run(f, &(struct http_call){
			   .method = "POST",
			   .url = arena_printf(f->arena, "http://127.0.0.1:%d/?secret=1", port),
			   .body = "a",
			   .len = 1});
	assert_int_equal(r.fate, HTTP_NOT_SENT);
	assert_non_null(strstr(r.reason, "Connection refused"));
	assert_null(strstr(r.reason, "secret"));
	struct http_answer answer = {.fate = r.fate, .reason = r.reason};

	assert_int_equal(http_outcome(&answer).kind, OUTCOME_RETRY);
}

static void test_what_cannot_be_reached_is_not_sent(void **state)
{
	static const char *const urls[] = {"http://no-such-host.invalid/",
					   "file:///etc/passwd",
					   "gopher://127.0.0.1/",
					   "http://",
					   "nonsense",
					   ""};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct result r = run(f, &(struct http_call){.method = "POST", .url = urls[i]});

		if (r.fate != HTTP_NOT_SENT || !r.reason[0])
			fail_msg("%s: %d %s", urls[i], r.fate, r.reason);
	}
}

static void on_greet(void *arg, struct wire *wire)
{
	(void)arg;
	if (!wire_len(wire))
		return;
	wire_say(wire, "220 this is no TLS\r\n");
}

static void test_tls_failures_are_not_sent(void **state)
{
	struct fixture *f = *state;
	int port;
	struct wire_server *server = wire_listen(f->loop, &port, on_greet, NULL);
	struct result r = run(
		f,
		&(struct http_call){.method = "POST",
				    .url = arena_printf(f->arena, "https://127.0.0.1:%d/", port)});

	assert_int_equal(r.fate, HTTP_NOT_SENT);
	wire_server_free(&server);
	/* A server that takes the connection and never shakes hands. */
	server = wire_listen(f->loop, &port, NULL, NULL);
	r = run(f, &(struct http_call){.method = "POST",
				       .url = arena_printf(f->arena, "https://127.0.0.1:%d/", port),
				       .timeout_ms = 300});
	assert_int_equal(r.fate, HTTP_NOT_SENT);
	wire_server_free(&server);
}

static void test_broken_off_is_uncertain(void **state)
{
	struct fixture *f = *state;
	static const char *const halves[] = {
		"HTTP/1.1 200 OK\r\nContent-Len",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"220 this is no HTTP\r\n",
	};

	f->then = THEN_CUT;
	struct result r = post(f, "/");

	assert_int_equal(r.fate, HTTP_UNCERTAIN);
	assert_int_equal(f->requests, 1);
	f->then = THEN_SILENT;
	r = run(f, &(struct http_call){.method = "POST", .url = url(f, "/"), .timeout_ms = 200});
	assert_int_equal(r.fate, HTTP_UNCERTAIN);
	assert_int_equal(r.status, 0);
	f->then = THEN_ANSWER;
	for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
		f->answer = halves[i];
		r = run(f, &(struct http_call){
				   .method = "POST", .url = url(f, "/"), .timeout_ms = 200});
		if (r.fate != HTTP_UNCERTAIN)
			fail_msg("%s: %d %d", halves[i], r.fate, r.status);
	}
}

/* A kept-alive connection that ends before any answer: curl would write a POST twice. */
static void test_a_post_is_never_repeated(void **state)
{
	struct fixture *f = *state;

	f->then = THEN_CUT;
	f->good = 1;
	assert_int_equal(post(f, "/1").fate, HTTP_ANSWERED);
	struct result r = post(f, "/2");

	assert_int_equal(r.fate, HTTP_UNCERTAIN);
	assert_int_equal(f->requests, 2);
	assert_non_null(strstr(r.reason, "closed before the answer"));
	/* A GET is repeated on a new connection. */
	f->good = f->requests + 1;
	assert_int_equal(post(f, "/3").fate, HTTP_ANSWERED);
	size_t before = f->requests;

	f->good = before;
	r = run(f, &(struct http_call){.method = "GET", .url = url(f, "/4")});
	assert_int_equal(f->requests, before + 2); /* cut on the old and cut on the new */
	assert_int_equal(r.fate, HTTP_UNCERTAIN);
}

static void test_too_large_an_answer(void **state)
{
	struct fixture *f = *state;
	struct result r =
		run(f, &(struct http_call){.method = "GET", .url = url(f, "/"), .body_max = 1});

	assert_int_equal(r.fate, HTTP_UNCERTAIN);
	assert_non_null(strstr(r.reason, "larger than allowed"));
	r = run(f, &(struct http_call){.method = "GET", .url = url(f, "/"), .body_max = 2});
	assert_int_equal(r.fate, HTTP_ANSWERED);
}

static void test_redirects_are_not_followed(void **state)
{
	struct fixture *f = *state;

	f->answer = "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n";
	struct result r = post(f, "/");

	assert_int_equal(r.fate, HTTP_ANSWERED);
	assert_int_equal(r.status, 302);
	assert_int_equal(f->requests, 1);
}

static void test_interim_answers_are_passed_over(void **state)
{
	struct fixture *f = *state;

	f->answer = "HTTP/1.1 103 Early Hints\r\nRetry-After: 5\r\n\r\n" OK;
	struct result r = post(f, "/");

	assert_int_equal(r.status, 200);
	assert_int_equal(r.retry_after_ms, 0);
	assert_string_equal(r.body, "{}");
}

static void test_the_proxy_of_the_environment_is_ignored(void **state)
{
	struct fixture *f = *state;
	int port;
	struct wire_server *proxy = wire_listen(f->loop, &port, NULL, NULL);
	char where[64];

	snprintf(where, sizeof where, "http://127.0.0.1:%d", port);
	setenv("http_proxy", where, 1);
	setenv("all_proxy", where, 1);
	struct result r = post(f, "/");

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	assert_int_equal(r.fate, HTTP_ANSWERED);
	assert_int_equal(wire_server_count(proxy), 0);
	wire_server_free(&proxy);
}

static void test_cancel(void **state)
{
	struct fixture *f = *state;
	struct result early = {0}, late = {0}, other = {0};
	struct http_call call = {.method = "POST", .url = url(f, "/")};

	f->then = THEN_SILENT;
	http_cancel(http_start(f->http, &call, on_done, &early));
	assert_int_equal(early.times, 0);
	assert_true(wire_turn_until(f->loop, is_done, &early));
	assert_int_equal(early.fate, HTTP_NOT_SENT);
	struct http_request *request = http_start(f->http, &call, on_done, &late);

	while (!f->requests)
		loop_turn(f->loop, true);
	http_start(f->http, &call, on_done, &other);
	http_cancel(request);
	assert_true(wire_turn_until(f->loop, is_done, &late));
	assert_int_equal(late.fate, HTTP_UNCERTAIN);
	assert_int_equal(other.times, 0);
	assert_int_equal(http_under_way(f->http), 1);
	while (f->requests < 2)
		loop_turn(f->loop, true);
	http_free(&f->http);
	assert_int_equal(other.times, 1);
	assert_int_equal(other.fate, HTTP_UNCERTAIN);
	f->http = http_new(f->loop);
}

static void on_chain(void *arg, const struct http_answer *answer)
{
	struct result *r = arg;

	on_done(r, answer);
	if (r->times > 1)
		return;
	r->times = 0;
	r->chain = http_start(
		r->fixture->http,
		&(struct http_call){.method = "GET", .url = url(r->fixture, "/again")}, on_done, r);
}

static void test_start_from_inside_a_callback(void **state)
{
	struct fixture *f = *state;
	struct result r = {.fixture = f};

	http_start(f->http, &(struct http_call){.method = "GET", .url = url(f, "/")}, on_chain, &r);
	assert_true(wire_turn_until(f->loop, is_done, &r));
	assert_int_equal(f->requests, 2);
}

static void on_count(void *arg, const struct http_answer *answer)
{
	size_t *count = arg;

	assert_int_equal(answer->fate, HTTP_ANSWERED);
	++*count;
}

static void test_connections_to_a_host_are_limited(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	for (int i = 0; i < 500; i++)
		http_start(f->http, &(struct http_call){.method = "POST", .url = url(f, "/")},
			   on_count, &count);
	assert_int_equal(http_under_way(f->http), 500);
	while (count < 500)
		loop_turn(f->loop, true);
	assert_true(wire_server_count(f->server) <= 64);
	assert_int_equal(f->requests, 500);
}

static void test_retry_after(void **state)
{
	struct fixture *f = *state;
	char date[64];
	time_t when = (time_t)(clock_wall_ms() / 1000 + 90);
	struct tm tm;

	assert_int_equal(http_retry_after("120"), 120000);
	assert_int_equal(http_retry_after("0"), 0);
	assert_int_equal(http_retry_after(""), 0);
	assert_int_equal(http_retry_after("-1"), 0);
	assert_int_equal(http_retry_after("1x"), 0);
	assert_int_equal(http_retry_after("99999999999999999999"), 86400000);
	assert_int_equal(http_retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), 0); /* past */
	gmtime_r(&when, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	assert_in_range(http_retry_after(date), 85000, 90000);

	f->answer =
		"HTTP/1.1 429 Too Many Requests\r\nretry-after:  7 \r\nContent-Length: 0\r\n\r\n";
	assert_int_equal(post(f, "/").retry_after_ms, 7000);
}

static void test_outcomes(void **state)
{
	static const struct {
		struct http_answer answer;
		enum outcome_kind kind;
		enum refusal refusal;
		int64_t retry_ms;
	} cases[] = {
		{{.status = 200}, OUTCOME_SENT, 0, 0},
		{{.status = 202}, OUTCOME_SENT, 0, 0},
		{{.status = 429, .retry_after_ms = 5000}, OUTCOME_RETRY, 0, 5000},
		{{.status = 429}, OUTCOME_RETRY, 0, 0},
		{{.status = 503, .retry_after_ms = 5000}, OUTCOME_RETRY, 0, 5000},
		{{.status = 503}, OUTCOME_UNCERTAIN, 0, 0},
		{{.status = 500}, OUTCOME_UNCERTAIN, 0, 0},
		{{.status = 502, .retry_after_ms = 5000}, OUTCOME_UNCERTAIN, 0, 0},
		{{.status = 401}, OUTCOME_REFUSED, REFUSAL_CHANNEL, 0},
		{{.status = 403}, OUTCOME_REFUSED, REFUSAL_CHANNEL, 0},
		{{.status = 400}, OUTCOME_REFUSED, REFUSAL_OTHER, 0},
		{{.status = 404}, OUTCOME_REFUSED, REFUSAL_OTHER, 0},
		{{.status = 301}, OUTCOME_REFUSED, REFUSAL_CHANNEL, 0},
		{{.fate = HTTP_UNCERTAIN, .reason = "x"}, OUTCOME_UNCERTAIN, 0, 0},
		{{.fate = HTTP_NOT_SENT, .reason = "x"}, OUTCOME_RETRY, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct outcome outcome = http_outcome(&cases[i].answer);

		if (outcome.kind != cases[i].kind || outcome.refusal != cases[i].refusal ||
		    outcome.retry_ms != cases[i].retry_ms)
			fail_msg("status %d: kind %d", cases[i].answer.status, outcome.kind);
	}
}

static void test_escape(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(http_escape(f->arena, "a-b_c.d~e f+g&h=i/你"),
			    "a-b_c.d~e%20f%2Bg%26h%3Di%2F%E4%BD%A0");
	assert_string_equal(http_escape(f->arena, ""), "");
}

/* Node's HTTP/2 server, with a certificate of its own making. */
static void test_tls_and_http2(void **state)
{
	struct fixture *f = *state;
	struct program program;
	size_t count = 0;

	assert_int_equal(program_start(&program, "tls_server.mjs", "h2"), 0);
	struct http_call call = {
		.method = "POST",
		.url = arena_printf(f->arena, "https://localhost:%d/", program.port),
		.body = "x",
		.len = 1,
	};
	struct result r = run(f, &call);

	assert_int_equal(r.fate, HTTP_NOT_SENT); /* an authority nobody knows */
	http_trust(f->http, program.file);
	for (int i = 0; i < 64; i++) /* fewer than a connection's 100 streams */
		http_start(f->http, &call, on_count, &count);
	while (count < 64)
		loop_turn(f->loop, true);
	r = run(f, &call);
	assert_int_equal(r.fate, HTTP_ANSWERED);
	assert_string_equal(r.body, "{\"version\":\"2.0\",\"connections\":1}");
	/* The right authority, but another's name. */
	call.url = arena_printf(f->arena, "https://127.0.0.1:%d/", program.port);
	assert_int_equal(run(f, &call).fate, HTTP_NOT_SENT);
	program_stop(&program);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_post),
		TEST(test_methods_do_not_leak_into_each_other),
		TEST(test_refused_is_not_sent),
		TEST(test_what_cannot_be_reached_is_not_sent),
		TEST(test_tls_failures_are_not_sent),
		TEST(test_broken_off_is_uncertain),
		TEST(test_a_post_is_never_repeated),
		TEST(test_too_large_an_answer),
		TEST(test_redirects_are_not_followed),
		TEST(test_interim_answers_are_passed_over),
		TEST(test_the_proxy_of_the_environment_is_ignored),
		TEST(test_cancel),
		TEST(test_start_from_inside_a_callback),
		TEST(test_connections_to_a_host_are_limited),
		TEST(test_retry_after),
		TEST(test_outcomes),
		TEST(test_escape),
		TEST(test_tls_and_http2),
	};
	if (getenv("LINLI_TEST"))
		cmocka_set_test_filter(getenv("LINLI_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
