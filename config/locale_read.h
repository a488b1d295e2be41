/* config/locale_read.h - one locale file as read; private to config/. */
#ifndef CONFIG_LOCALE_READ_H
#define CONFIG_LOCALE_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "config/mistakes.h"

struct sentence {
	const char *other; /* NULL: missing */
	const char *one;   /* NULL: no plural */
	int line, column;
};

struct locale_list {
	const char *name;
	const char *const *words; /* folded */
	size_t count;
	int line, column;
};

struct locale {
	const char *file;
	const char *tag, *name;
	struct sentence *texts; /* by text_id */
	struct locale_list *lists;
	size_t list_count;
	bool plain_plural; /* one form for every number, as in Chinese */
	bool zero_is_one;  /* as in French */
};

/* Reads `file`; false if it is no locale at all. Mistakes inside it are added either way. */
bool locale_read(const char *file, const char *const *keys, size_t key_count, struct arena *arena,
		 struct mistakes *mistakes, struct locale *locale);
/* Adds what is missing in, or other than in, the English one. */
void locale_compare(const struct locale *locale, const struct locale *english,
		    const char *const *keys, size_t key_count, struct mistakes *mistakes);
bool plural_is_one(const struct locale *locale, long number);
/* Length of the blank "{name}" that begins at s, 0 if none does. */
size_t blank_at(const char *s);

#endif
