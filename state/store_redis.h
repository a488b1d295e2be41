/* state/store_redis.h - the store in Redis 6.2 or later.
 *
 * One connection pipelines everything that became ready in a turn of the loop;
 * a second one waits for inbox entries (XREADGROUP BLOCK). Scripts are called
 * by hash and loaded again after NOSCRIPT. It reconnects by itself with backoff
 * and jitter. Keys: docs/store.md.
 */
#ifndef STATE_STORE_REDIS_H
#define STATE_STORE_REDIS_H

#include "base/error.h"
#include "state/store.h"

struct loop;
struct seal;

struct store_redis_options {
	const char *url; /* "tcp://host:port/db" or "unix:/path?db=N" */
	const char *user, *password;
	const char *instance; /* name in leases and consumer groups */
	const char *prefix;   /* "linli" */
	int64_t lease_ms;     /* 0: 10 s */
};

struct store *store_redis_new(struct loop *loop, const struct seal *seal,
			      const struct store_redis_options *options,
			      const struct store_listener *listener, struct error *error_r)
	MUST_CHECK;
struct store_figures store_redis_figures(const struct store *store);

#endif
