/* state/redis_link.h - one connection to Redis on the loop; private to state/.
 *
 * RESP2 over a unix or TCP socket; hiredis parses the replies. Nothing blocks:
 * names are resolved on the thread pool, connect and I/O are non-blocking.
 * Calls are pipelined; what was queued in a turn of the loop leaves at its end
 * in one sendmsg(). A call that gets no answer in time ends with NULL; one whose
 * patience is LONG takes the connection down with it. After a loss it connects
 * again with backoff and jitter; meanwhile calls end with NULL at once (but
 * never from inside redis_link_send()).
 */
#ifndef STATE_REDIS_LINK_H
#define STATE_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "base/buf.h"
#include "base/error.h"
#include "state/redis_scripts.h"

struct loop;
struct redis_link;

/* A command under construction: as many arguments as were told, then redis_link_send(). */
struct redis_call {
	struct redis_call *next;      /* in the order of replies */
	struct redis_call *next_wait; /* in the order of deadlines */
	struct buf bytes;
	size_t missing; /* arguments still to be added */
	void (*reply)(void *arg, const redisReply *reply);
	void *arg;
	int patience;
	int64_t deadline_us;
	bool script, resent, over; /* over: ended by time-out, its reply is dropped */
};

enum redis_patience {
	PATIENCE_SHORT, /* 90 ms: a webhook waits */
	PATIENCE_LONG,  /* 5 s */
	PATIENCE_BLOCK, /* a blocking read of REDIS_BLOCK_MS, and 5 s more */
	PATIENCE_COUNT,
};

enum { REDIS_BLOCK_MS = 5000 };

struct redis_link_options {
	const char *url; /* "tcp://host:port/db" or "unix:/path?db=N" */
	const char *user, *password;
	const char *name; /* for CLIENT LIST */
	void *arg;
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why); /* also for each failed attempt to connect */
};

/* NULL only if the URL is not one. */
struct redis_link *redis_link_new(struct loop *loop, const struct redis_link_options *options,
				  struct error *error_r) MUST_CHECK;
/* Calls under way end with NULL. Not from inside a callback of the link. */
void redis_link_free(struct redis_link **link);
bool redis_link_is_up(const struct redis_link *link);
/* Its CLIENT ID; valid while up. */
long long redis_link_id(const struct redis_link *link);
uint64_t redis_link_commands(const struct redis_link *link);

struct redis_call *redis_call_new(size_t arguments);
/* EVALSHA of a script; then add the keys and the other arguments. */
struct redis_call *redis_call_script(const struct redis_link *link, enum redis_script_id script,
				     size_t keys, size_t arguments);
void redis_call_bytes(struct redis_call *call, const void *data, size_t len);
void redis_call_str(struct redis_call *call, const char *s);
void redis_call_printf(struct redis_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* For an argument that is written in place: announce its length, append exactly that much to
 * call->bytes, end it. */
void redis_call_begin(struct redis_call *call, size_t len);
void redis_call_end(struct redis_call *call);

/* Takes the call. `reply` comes once; an error reply comes as such (REDIS_REPLY_ERROR). */
void redis_link_send(struct redis_link *link, struct redis_call *call, enum redis_patience patience,
		     void (*reply)(void *arg, const redisReply *reply), void *arg);

#endif
