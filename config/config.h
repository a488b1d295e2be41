/* config/config.h - the one YAML file, read and checked.
 *
 * config_read() finds every mistake at once: unknown keys, wrong types, values
 * out of range, names that refer to nothing; each with line and column and, for
 * a misspelt key, the nearest right one. The file's shape: docs/settings.md.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/community.h"
#include "config/mistakes.h"
#include "config/settings.h"

struct arena;
struct locales;

struct channel_config {
	const char *name;
	const char *adapter;
	const char *community; /* id; every channel serves exactly one */
	void *own;             /* the adapter's settings struct, filled by its table */
	int64_t rate;          /* sends per second, 0: the adapter's own figure */
};

/* What config must know of an adapter to read its section. */
struct adapter_settings {
	const char *adapter;
	size_t own_size;
	const struct setting *settings;
};

struct config {
	struct arena *arena; /* owns everything below */
	const char *file;
	const char *data;         /* folder of the managed Redis */
	const char *redis;        /* "managed", "tcp://host:port/db", "unix:/path?db=N" */
	const char *redis_user;
	const char *redis_password;
	const char *key_file;     /* made by `linli keygen`, mode 0600 */
	const char *listen;       /* web server, "127.0.0.1:8080"; port 0: any free */
	const char *socket_listen;/* incoming websockets; NULL: none */
	const char *public_url;   /* how the platforms reach `listen`; no slash at the end */
	const char *log;          /* debug|info|warning|error */
	const char *instance;     /* name in leases; default: random */
	int64_t shards;
	int64_t drain;            /* ms allowed for the clean stop */
	int64_t seen_keep;        /* ms a platform's message id is remembered */
	int64_t cache_bytes;      /* documents kept in memory */
	struct community *communities; size_t community_count;
	struct channel_config *channels; size_t channel_count;
};

/* NULL if there is any mistake; *mistakes_r is then malloc'ed text and array, freed with
 * mistakes_free(). `adapters` ends with a row whose name is NULL. */
struct config *config_read(const char *file, const struct adapter_settings *adapters,
			   const struct locales *locales, struct mistake **mistakes_r,
			   size_t *mistake_count_r) MUST_CHECK;
void mistakes_free(struct mistake **mistakes, size_t count);
void config_free(struct config **config);

const struct community *config_community(const struct config *config, const char *id);
const struct channel_config *config_channel(const struct config *config, const char *name);
/* FNV-1a of the community id modulo shards: fixed for the life of a store. */
int config_shard(const char *community, int64_t shards);

#endif
