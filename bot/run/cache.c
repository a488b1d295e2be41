/* bot/run/cache.c - a hash of documents in order of last use, cut at the old end. */
#include "bot/run/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/arena.h"

struct cached {
	UT_hash_handle hh;
	struct cached *prev, *next; /* most recently used first */
	int shard;
	uint64_t version;
	char *body;
	size_t len, bytes;
	char key[]; /* "<shard> <key>" */
};

struct cache {
	struct cached *by_key, *recent;
	size_t bytes, bytes_max;
};

enum { KEY_MAX = 512, OVERHEAD = 64 };

static size_t full_key(char out[KEY_MAX], int shard, const char *key)
{
	int len = snprintf(out, KEY_MAX, "%d %s", shard, key);

	return len < KEY_MAX ? (size_t)len : KEY_MAX - 1;
}

static struct cached *find(struct cache *cache, int shard, const char *key)
{
	char name[KEY_MAX];
	size_t len = full_key(name, shard, key);
	struct cached *entry;

	HASH_FIND(hh, cache->by_key, name, len, entry);
	return entry;
}

static void discard(struct cache *cache, struct cached *entry)
{
	cache->bytes -= entry->bytes;
	HASH_DEL(cache->by_key, entry);
	DL_DELETE(cache->recent, entry);
	free(entry->body);
	free(entry);
}

struct cache *cache_new(size_t bytes_max)
{
	struct cache *cache = xalloc(sizeof(*cache));

	cache->bytes_max = bytes_max;
	return cache;
}

void cache_free(struct cache **cache)
{
	struct cached *entry, *next;

	if (!*cache)
		return;
	DL_FOREACH_SAFE((*cache)->recent, entry, next)
		discard(*cache, entry);
	free(*cache);
	*cache = NULL;
}

bool cache_get(struct cache *cache, int shard, const char *key, struct document *document_r)
{
	struct cached *entry = find(cache, shard, key);

	if (!entry)
		return false;
	DL_DELETE(cache->recent, entry);
	DL_PREPEND(cache->recent, entry);
	*document_r = (struct document){.key = key, .version = entry->version, .body = entry->body,
					.len = entry->len};
	return true;
}

void cache_put(struct cache *cache, int shard, const struct document *document)
{
	char name[KEY_MAX];
	size_t name_len = full_key(name, shard, document->key);
	struct cached *entry = find(cache, shard, document->key);

	if (entry)
		discard(cache, entry);
	entry = xalloc(sizeof(*entry) + name_len + 1);
	memcpy(entry->key, name, name_len);
	entry->shard = shard;
	entry->version = document->version;
	if (document->version) {
		entry->body = xmemdup(document->body, document->len);
		entry->len = document->len;
	}
	entry->bytes = sizeof(*entry) + name_len + document->len + OVERHEAD;
	cache->bytes += entry->bytes;
	HASH_ADD(hh, cache->by_key, key, name_len, entry);
	DL_PREPEND(cache->recent, entry);
	while (cache->bytes > cache->bytes_max && cache->recent != entry->prev)
		discard(cache, cache->recent->prev);
}

void cache_drop(struct cache *cache, int shard, const char *key)
{
	struct cached *entry = find(cache, shard, key);

	if (entry)
		discard(cache, entry);
}

void cache_drop_shard(struct cache *cache, int shard)
{
	struct cached *entry, *next;

	DL_FOREACH_SAFE(cache->recent, entry, next)
		if (entry->shard == shard)
			discard(cache, entry);
}
