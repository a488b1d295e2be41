/* adapters/http.h - outgoing HTTP requests (libcurl multi on the loop).
 *
 * Keep-alive connections, HTTP/2 where TLS offers it, time-outs, a limit per
 * host, TLS checked. Redirects are not followed. Never blocks; names are
 * resolved by curl's own threads.
 *
 * The one retry policy lives with the sender (bot/run), not here: what a
 * request's fate means is told by http_outcome().
 */
#ifndef ADAPTERS_HTTP_H
#define ADAPTERS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/message.h"
#include "base/error.h"

struct loop;
struct http;
struct http_request; /* one under way */

enum http_fate {
	HTTP_ANSWERED,  /* a whole answer came; `status` says which */
	HTTP_NOT_SENT,  /* refused, no name, TLS failed, time-out before the request was written */
	HTTP_UNCERTAIN, /* the request (or part) left; no whole answer */
};

struct http_answer {
	enum http_fate fate;
	int status;
	const char *body; /* NUL-terminated, at most body_max; borrowed until the callback returns */
	size_t len;
	const char *type;       /* Content-Type or "" */
	int64_t retry_after_ms; /* from Retry-After (RFC 9110, seconds or date); 0: none */
	const char *reason;     /* for operators when not answered; holds no URL query */
};

struct http_call {
	const char *method; /* "GET", "POST", "PUT" */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-ended; NULL: none */
	const char *body;
	size_t len;
	const char *user, *password; /* Basic; NULL: none */
	int64_t timeout_ms;          /* whole request; 0: 20 s */
	size_t body_max;             /* of the answer; 0: 1 MiB; more ends as UNCERTAIN */
};

struct http *http_new(struct loop *loop);
/* Believes the certificate authorities in this file instead of the system's; NULL: the system's. */
void http_trust(struct http *http, const char *ca_file);
/* Cancels what is under way (its callbacks come, as NOT_SENT or UNCERTAIN). */
void http_free(struct http **http);
/* `done` comes once, later, never from inside. All arguments are copied. */
struct http_request *http_start(struct http *http, const struct http_call *call,
				void (*done)(void *arg, const struct http_answer *answer), void *arg);
/* Stops it; `done` comes (later) as NOT_SENT or UNCERTAIN. */
void http_cancel(struct http_request *request);
size_t http_under_way(const struct http *http);

/* What an answer means for a send where the platform says nothing of its own:
 * 2xx SENT; 429 RETRY (never processed), 503 with Retry-After RETRY; other 5xx UNCERTAIN;
 * 401/403 REFUSED (channel); other 4xx REFUSED. NOT_SENT is RETRY. */
struct outcome http_outcome(const struct http_answer *answer);

/* Percent-encodes all but RFC 3986 unreserved characters, in the arena. */
struct arena;
char *http_escape(struct arena *arena, const char *s);

#endif
