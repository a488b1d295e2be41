/* state/redis_scripts.h - the Lua scripts of state/scripts, embedded; private to state/.
 *
 * Each is one atomic step on one shard. What goes in and out is told at the
 * top of each file.
 */
#ifndef STATE_REDIS_SCRIPTS_H
#define STATE_REDIS_SCRIPTS_H

#include <stddef.h>

enum redis_script_id {
	SCRIPT_ACCEPT,
	SCRIPT_COMMIT,
	SCRIPT_DUE,
	SCRIPT_HANDOVER,
	SCRIPT_OWN,
	SCRIPT_RELEASE,
	SCRIPT_RENEW,
	SCRIPT_SETTLE,
	SCRIPT_COUNT,
};

struct redis_script {
	const char *name, *text;
	size_t len;
};

extern const struct redis_script redis_scripts[SCRIPT_COUNT];

#endif
