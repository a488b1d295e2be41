/* state/redis_child.h - our own redis-server, a child on a unix socket.
 *
 * Started with appendonly yes, appendfsync always, no TCP port, in the data
 * folder (mode 0700). Restarted with backoff if it dies. Stopped by SIGTERM
 * after the daemon has drained; it saves by itself through the append-only file.
 */
#ifndef STATE_REDIS_CHILD_H
#define STATE_REDIS_CHILD_H

#include "base/error.h"

struct loop;
struct redis_child;

/* An already running redis-server of a former life in this folder (pid file, same socket) is
 * used on, not doubled. */
struct redis_child *redis_child_start(struct loop *loop, const char *data_folder,
				      struct error *error_r) MUST_CHECK;
/* `failing` comes each time it has ended several times in a row without ever living for long, with
 * how it ended; it is started again all the same. */
void redis_child_on_failing(struct redis_child *child, void (*failing)(void *arg, const char *how),
			    void *arg);
/* "unix:/…/redis.sock" */
const char *redis_child_url(const struct redis_child *child);
/* `stopped` comes once the process is gone. */
void redis_child_stop(struct redis_child **child, void (*stopped)(void *arg), void *arg);

#endif
