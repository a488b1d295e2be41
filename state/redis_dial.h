/* state/redis_dial.h - finds Redis and connects a socket, without blocking; private to state/. */
#ifndef STATE_REDIS_DIAL_H
#define STATE_REDIS_DIAL_H

#include <stdbool.h>

#include "base/error.h"

struct loop;
struct redis_dial;

struct redis_target {
	bool is_unix;
	char where[256]; /* socket path, or host */
	int port, db;
};

/* "tcp://host:port/db", "tcp://[::1]:6379", "unix:/path?db=N" */
int redis_target_parse(const char *url, struct redis_target *target_r,
		       struct error *error_r) MUST_CHECK;

/* `done` comes once, never from inside: a connected non-blocking socket, now the caller's, or -1
 * with the reason. Not after redis_dial_cancel(). */
struct redis_dial *redis_dial_start(struct loop *loop, const struct redis_target *target,
				    void (*done)(void *arg, int fd, const char *reason), void *arg);
void redis_dial_cancel(struct redis_dial **dial);

#endif
