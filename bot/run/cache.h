/* bot/run/cache.h - documents that this instance wrote or read lately.
 *
 * Bounded by bytes, least recently used goes first. Being wrong is harmless:
 * the commit compares versions, and a conflict drops what was stale. Holds
 * plain text in memory only, never on disk.
 */
#ifndef BOT_RUN_CACHE_H
#define BOT_RUN_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/commit.h"

struct cache;

struct cache *cache_new(size_t bytes_max);
void cache_free(struct cache **cache);
/* True if known; the body is borrowed until the next put or drop. A document known not to exist
 * has version 0. */
bool cache_get(struct cache *cache, int shard, const char *key, struct document *document_r);
void cache_put(struct cache *cache, int shard, const struct document *document);
void cache_drop(struct cache *cache, int shard, const char *key);
void cache_drop_shard(struct cache *cache, int shard);

#endif
