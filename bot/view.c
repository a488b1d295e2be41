/* bot/view.c - which documents a step has at hand, which it used, which it wants. */
#include <string.h>

#include "bot/core.h"

struct entry {
	struct document document;
	bool known, used, wanted;
};

struct view {
	struct arena *arena;
	struct entry *entries;
	size_t count;
	const char **wanted;
	size_t wanted_count;
};

struct view *view_new(struct arena *arena)
{
	struct view *view = arena_alloc(arena, sizeof(*view));
	view->arena = arena;
	return view;
}

static struct entry *view_find(const struct view *view, const char *key)
{
	for (size_t i = 0; i < view->count; i++)
		if (!strcmp(view->entries[i].document.key, key))
			return &view->entries[i];
	return NULL;
}

static struct entry *view_add(struct view *view, const char *key)
{
	view->entries = arena_grow(view->arena, view->entries, view->count, sizeof(*view->entries));
	struct entry *entry = &view->entries[view->count++];
	*entry = (struct entry){.document = {.key = arena_str(view->arena, key)}};
	return entry;
}

void view_put(struct view *view, const struct document *document)
{
	struct entry *entry = view_find(view, document->key);
	if (!entry)
		entry = view_add(view, document->key);
	entry->known = true;
	entry->document.version = document->version;
	entry->document.len = document->body ? document->len : 0;
	entry->document.body =
		document->body ? arena_bytes(view->arena, document->body, document->len) : NULL;
}

size_t view_wanted(const struct view *view, const char *const **keys_r)
{
	*keys_r = view->wanted;
	return view->wanted_count;
}

const struct document *view_get(struct view *view, const char *key)
{
	struct entry *entry = view_find(view, key);
	if (!entry)
		entry = view_add(view, key);
	if (entry->known) {
		/* A copy of the row: the array may move when another key is asked for. */
		struct document *document = arena_alloc(view->arena, sizeof(*document));
		*document = entry->document;
		entry->used = true;
		return document;
	}
	if (!entry->wanted) {
		entry->wanted = true;
		view->wanted = arena_grow(view->arena, view->wanted, view->wanted_count,
					  sizeof(*view->wanted));
		view->wanted[view->wanted_count++] = entry->document.key;
	}
	return NULL;
}

void view_begin(struct view *view)
{
	view->wanted = NULL;
	view->wanted_count = 0;
	for (size_t i = 0; i < view->count; i++)
		view->entries[i].used = view->entries[i].wanted = false;
}

void view_reads(const struct view *view, struct arena *arena, struct commit *commit)
{
	for (size_t i = 0; i < view->count; i++) {
		const struct entry *entry = &view->entries[i];
		if (!entry->used)
			continue;
		commit->reads = arena_grow(arena, commit->reads, commit->read_count,
					   sizeof(*commit->reads));
		commit->reads[commit->read_count++] = (struct document_read){
			.key = entry->document.key, .version = entry->document.version};
	}
}
