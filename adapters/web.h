/* adapters/web.h - the HTTP server: webhooks, pages, health.
 *
 * libmicrohttpd with its epoll descriptor on the loop. HTTP/1.1 (RFC 9112);
 * TLS is a reverse proxy's work. Requests whose framing is ambiguous
 * (Content-Length and Transfer-Encoding together, two lengths, no Host, NUL or
 * bare LF in a header) are answered 400 and the connection is closed.
 *
 * A handler is called once the whole body is there. It answers now or later;
 * a request must be answered exactly once. If the peer goes first, answering
 * is harmless.
 */
#ifndef ADAPTERS_WEB_H
#define ADAPTERS_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct arena;
struct loop;
struct web;
struct web_request; /* opaque; lives until answered */
struct web_stream;  /* server-sent events */

struct web_route {
	const char *method; /* "GET", "POST"; HEAD is answered for GET by itself */
	const char *path;   /* after the prefix, "" or "mo" or "status/…"; NULL ends a table */
	size_t body_max;    /* bytes; 0: 64 KiB. More is 413 */
	void (*handle)(void *arg, struct web_request *request);
	/* A parameter that is malformed or no UTF-8 is 400, unless the handler reads web_target()
	 * itself: then web_query() only does not know it. */
	bool raw_query;
};

/* listen: "127.0.0.1:8080", "[::1]:0". */
struct web *web_new(struct loop *loop, const char *listen, struct error *error_r) MUST_CHECK;
int web_port(const struct web *web);
/* Routes are looked up by exact path `prefix` + route path. Two on one path with
 * different methods make the rest 405 with Allow. Unknown paths are 404.
 * The table and prefix are copied. `arg` goes to every handle(). */
void web_mount(struct web *web, const char *prefix, const struct web_route *routes, void *arg);
/* Stops accepting; open requests go on. Then web_free() once web_busy() is 0 or time is up. */
void web_quiesce(struct web *web);
size_t web_busy(const struct web *web);
void web_free(struct web **web);

/* The request, borrowed until answered. */
struct arena *web_arena(struct web_request *request);
const char *web_method(const struct web_request *request);
const char *web_path(const struct web_request *request);
/* Path and query exactly as on the wire (Twilio signs it). */
const char *web_target(const struct web_request *request);
/* True if the peer's address is this machine's loopback; a proxy on it counts as well. */
bool web_local(const struct web_request *request);
const char *web_header(const struct web_request *request, const char *name); /* NULL: absent */
const char *web_query(const struct web_request *request, const char *name);  /* decoded; NULL: absent */
const char *web_body(const struct web_request *request, size_t *len_r);      /* raw bytes */

/* application/x-www-form-urlencoded: fields in the order sent, decoded, valid UTF-8; -1 if malformed. */
struct web_field {
	const char *name, *value;
};
int web_form(struct web_request *request, struct web_field **fields_r, size_t *count_r) MUST_CHECK;
const char *web_field(const struct web_field *fields, size_t count, const char *name);

struct web_reply_header {
	const char *name, *value;
};
/* Ends the request. The body is copied. type: "text/plain; charset=utf-8". */
void web_reply(struct web_request *request, int status, const char *type, const void *body,
	       size_t len);
void web_reply_header(struct web_request *request, const char *name, const char *value); /* before */
/* A sentence as text/plain, counted in metrics for 4xx and 5xx. */
void web_refuse(struct web_request *request, int status, const char *sentence);
/* 503 with Retry-After: the store is away. */
void web_later(struct web_request *request, int retry_after_s);

/* Turns the request into a text/event-stream (HTML, server-sent events). `gone` is called once when
 * the page went away; after it, or after web_stream_close(), the stream is no more. A page that
 * does not read is dropped at 256 KiB. Comments are sent every 15 s to keep it open. */
struct web_stream *web_stream(struct web_request *request, void (*gone)(void *arg), void *arg);
void web_stream_send(struct web_stream *stream, const char *event, const char *data);
void web_stream_close(struct web_stream *stream);

struct web_counts {
	uint64_t requests, refused_4xx, refused_5xx, malformed;
};
struct web_counts web_counts(const struct web *web);

#endif
