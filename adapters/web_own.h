/* adapters/web_own.h - what the server's files share (private to adapters/web*.c). */
#ifndef ADAPTERS_WEB_OWN_H
#define ADAPTERS_WEB_OWN_H

#include <microhttpd.h>

#include "adapters/web.h"
#include "adapters/web_head.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"

enum {
	WEB_HEAD_MS = 10000, /* for a whole head, from the first byte or from the connection */
	WEB_BODY_MS = 60000,
	WEB_IDLE_MS = 60000,
	WEB_IDLE_S = WEB_IDLE_MS / 1000,
};

struct web_mounted {
	char *method, *path;
	size_t body_max;
	void (*handle)(void *arg, struct web_request *request);
	void *arg;
	bool raw_query;
};

/* A peer's connection; it carries one request after the other. */
struct web_connection {
	struct web *web;
	struct web_connection *next, **link;
	int fd;
	int64_t deadline; /* monotonic ms; what the peer owes must be there by then; 0: none */
};

enum web_phase {
	WEB_HEAD,      /* the target is known */
	WEB_BODY,      /* the head was believed; the body comes in */
	WEB_HANDLING,  /* the handler has it, and owes an answer */
	WEB_ANSWERED,  /* `response` is there */
	WEB_ANSWERING, /* the library has it */
};

struct web_request {
	struct web *web;                /* NULL: the server is gone */
	struct MHD_Connection *library; /* NULL: the peer is gone */
	struct web_connection *connection;
	struct web_request *next, **link;
	struct arena *arena;
	enum web_phase phase;
	bool inside; /* handle() is running */
	bool chunked;
	bool counted; /* in web->busy */
	const char *target_at; /* where the library keeps it: only compared */
	const char *target, *method, *version, *path;
	struct web_field *query, *headers;
	size_t query_count, header_count;
	bool query_bad; /* a parameter could not be decoded and is left out */
	struct web_head_field *fields; /* only until the head was judged */
	const struct web_mounted *route;
	struct buf body;
	size_t excess; /* bytes past body_max, thrown away */
	struct web_reply_header *reply_headers;
	size_t reply_header_count;
	int status;
	struct MHD_Response *response;
	struct web_stream *stream;
};

struct web {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_watch *watch;
	struct loop_timer *again, *seconds, *pulse;
	struct loop_hook *hook;
	struct web_mounted *routes;
	size_t route_count;
	struct web_connection *connections;
	struct web_request *requests;
	struct web_stream *streams;
	size_t busy;
	int port;
	bool dirty, quiet, closing;
	struct web_counts counts;
};

/* Lets the library go on with a connection that it was told to leave alone; this very turn. */
void web_resume(struct web *web, struct MHD_Connection *library);
/* Ends what the peer and we have to say to each other; the library finds out by itself. */
void web_hang_up(struct web_connection *connection);
/* Hands over the response that `request` was waiting for. */
void web_answer(struct web_request *request, int status, struct MHD_Response *response);

/* Milliseconds on a clock that never jumps. */
int64_t web_now_ms(void);
/* Orders struct web_mounted. */
int web_by_path(const void *a, const void *b);

/* What the library calls: a request line is there; a head, some body, or the end; it is over. */
void *web_on_target(void *arg, const char *target, struct MHD_Connection *library);
enum MHD_Result web_on_request(void *arg, struct MHD_Connection *library, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *len, void **context);
void web_on_completed(void *arg, struct MHD_Connection *library, void **context,
		      enum MHD_RequestTerminationCode code);

/* Nobody needs the request any more. */
void web_release(struct web_request *request);

/* The library has let go of the stream's request. */
void web_stream_gone(struct web_stream *stream);
/* Keeps the streams open: a comment on each. */
void web_stream_pulse(struct web *web);
/* Tells the owners of streams whose page was gone before they began. */
void web_stream_bury(struct web *web);

#endif
