/* config/texts.c - loads the locales and says their sentences. */
#include "config/texts.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "config/community.h"
#include "config/locale_read.h"

struct locales {
	struct arena *arena;
	struct locale items[LANGUAGES_MAX];
	size_t count;
};

static const char *const keys[TEXT_COUNT + 1] = {TEXT_KEYS};

const char *text_key(enum text_id id)
{
	return keys[id];
}

/* zh-CN, en, then the others by name. */
static int rank(const char *tag)
{
	return strcmp(tag, "zh-CN") == 0 ? 0 : strcmp(tag, "en") == 0 ? 1 : 2;
}

static int compare(const void *left, const void *right)
{
	const struct locale *a = left, *b = right;
	int by_rank = rank(a->tag) - rank(b->tag);
	return by_rank ? by_rank : strcmp(a->tag, b->tag);
}

static bool is_locale_file(const char *name)
{
	size_t len = strlen(name);
	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

static void load_folder(struct locales *locales, const char *folder, struct mistakes *mistakes)
{
	mistakes->file = arena_str(mistakes->arena, folder);
	DIR *dir = opendir(folder);
	if (!dir) {
		mistake_add(mistakes, 0, 0, "cannot be opened: %s", strerror(errno));
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!is_locale_file(entry->d_name))
			continue;
		if (locales->count == LANGUAGES_MAX) {
			mistake_add(mistakes, 0, 0, "more than %d locales", LANGUAGES_MAX);
			break;
		}
		mistakes->file = arena_printf(mistakes->arena, "%s/%s", folder, entry->d_name);
		if (locale_read(mistakes->file, keys, TEXT_COUNT, locales->arena, mistakes,
				&locales->items[locales->count]))
			locales->count++;
	}
	closedir(dir);
	mistakes->file = arena_str(mistakes->arena, folder);
}

struct locales *locales_load_all(const char *folder, struct mistakes *mistakes)
{
	struct locales *locales = xalloc(sizeof *locales);
	size_t mistakes_before = mistakes->count;
	locales->arena = arena_new();
	load_folder(locales, folder, mistakes);
	if (locales->count)
		qsort(locales->items, locales->count, sizeof locales->items[0], compare);
	if (locales->count < 2 || rank(locales->items[0].tag) != 0 ||
	    rank(locales->items[1].tag) != 1) {
		mistake_add(mistakes, 0, 0, "zh-CN.yaml and en.yaml must be there and be whole");
	} else {
		for (size_t i = 0; i < locales->count; i++)
			if (i != 1)
				locale_compare(&locales->items[i], &locales->items[1], keys,
					       TEXT_COUNT, mistakes);
	}
	if (mistakes->count > mistakes_before)
		locales_free(&locales);
	return locales;
}

struct locales *locales_load(const char *folder, struct error *error_r)
{
	struct mistakes mistakes = {.arena = arena_new()};
	struct locales *locales = locales_load_all(folder, &mistakes);
	if (!locales) {
		mistakes_sort(&mistakes);
		const struct mistake *first = &mistakes.items[0];
		error_set(error_r, "%s:%d:%d: %s", first->file, first->line, first->column,
			  first->sentence);
	}
	arena_free(&mistakes.arena);
	return locales;
}

void locales_free(struct locales **locales)
{
	if (!*locales)
		return;
	arena_free(&(*locales)->arena);
	free(*locales);
	*locales = NULL;
}

size_t locales_count(const struct locales *locales)
{
	return locales->count;
}

/* A language that is not there is a bug, or a person's whose locale was taken away: English. */
static const struct locale *locale_of(const struct locales *locales, int language)
{
	return &locales->items[language >= 0 && (size_t)language < locales->count ? language : 1];
}

const char *locales_tag(const struct locales *locales, int language)
{
	return locale_of(locales, language)->tag;
}

const char *locales_name(const struct locales *locales, int language)
{
	return locale_of(locales, language)->name;
}

int locales_find(const struct locales *locales, const char *tag)
{
	for (size_t i = 0; i < locales->count; i++)
		if (strcasecmp(locales->items[i].tag, tag) == 0)
			return (int)i;
	size_t primary = strcspn(tag, "-_");
	for (size_t i = 0; i < locales->count; i++) {
		const char *own = locales->items[i].tag;
		if (primary && strcspn(own, "-_") == primary && strncasecmp(own, tag, primary) == 0)
			return (int)i;
	}
	return -1;
}

static const struct blank *blank_find(const struct blank *blanks, size_t count, const char *name,
				      size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(blanks[i].name) == len && memcmp(blanks[i].name, name, len) == 0)
			return &blanks[i];
	return NULL;
}

char *text_say(const struct locales *locales, int language, enum text_id id, struct arena *arena,
	       const struct blank *blanks, size_t blank_count)
{
	const struct locale *locale = locale_of(locales, language);
	const struct blank *count = blank_find(blanks, blank_count, "count", 5);
	const char *sentence = locale->texts[id].other;
	if (count && !count->value && locale->texts[id].one && plural_is_one(locale, count->number))
		sentence = locale->texts[id].one;

	struct buf out;
	buf_init(&out, 0);
	for (const char *at = sentence; *at;) {
		size_t len = blank_at(at);
		if (len == 0) {
			size_t plain = 1 + strcspn(at + 1, "{");
			buf_add(&out, at, plain);
			at += plain;
			continue;
		}
		const struct blank *blank = blank_find(blanks, blank_count, at + 1, len - 2);
		assert(blank && "a blank of this sentence is not given");
		if (blank && blank->value)
			buf_str(&out, blank->value);
		else if (blank)
			buf_printf(&out, "%ld", blank->number);
		at += len;
	}
	char *said = arena_bytes(arena, out.data, out.len);
	buf_free(&out);
	return said;
}

struct word_list locale_words(const struct locales *locales, int language, const char *list)
{
	const struct locale *locale = locale_of(locales, language);
	for (size_t i = 0; i < locale->list_count; i++)
		if (strcmp(locale->lists[i].name, list) == 0)
			return (struct word_list){locale->lists[i].words, locale->lists[i].count};
	return (struct word_list){NULL, 0};
}
