/* config/texts.h - every sentence Linli says, and every word it understands.
 *
 * A locale is one file, config/locales/<tag>.yaml: sentences with named blanks
 * ("{code}"), plural forms (one/other by CLDR), command words, danger words,
 * month and weekday names. enum text_id is generated at build time from the
 * keys of en.yaml (build/generated/text_ids.h); a text that is missing in a
 * locale, has other blanks than the English one, or is used nowhere fails the
 * build. Read-only after locales_load().
 */
#ifndef CONFIG_TEXTS_H
#define CONFIG_TEXTS_H

#include <stddef.h>

#include "base/error.h"
#include "text_ids.h" /* enum text_id { TEXT_<KEY IN CAPITALS>, …, TEXT_COUNT } */

struct arena;
struct locales;
struct mistakes;

/* Loads every *.yaml of a folder: zh-CN first, en second, the others by name. With any mistake it is
 * NULL and the sentence names the first; locales_load_all() tells them all (config/mistakes.h). */
struct locales *locales_load(const char *folder, struct error *error_r) MUST_CHECK;
struct locales *locales_load_all(const char *folder, struct mistakes *mistakes) MUST_CHECK;
void locales_free(struct locales **locales);
size_t locales_count(const struct locales *locales);
const char *locales_tag(const struct locales *locales, int language); /* "zh-CN" */
const char *locales_name(const struct locales *locales, int language); /* "简体中文" */
/* -1 if there is none; accepts "zh", "zh-CN", "en", and any region or script of a language that
 * is there ("en-GB", "zh-Hant"). */
int locales_find(const struct locales *locales, const char *tag);

/* "claim_won" of TEXT_CLAIM_WON. */
const char *text_key(enum text_id id);

/* One blank: its name and what goes in. `count` also chooses the plural form. */
struct blank {
	const char *name;
	const char *value; /* NULL: use number */
	long number;
};

/* The sentence with its blanks filled, in the arena. A blank that is not given is a bug: it ends a
 * debug build and is left empty in a release. */
char *text_say(const struct locales *locales, int language, enum text_id id, struct arena *arena,
	       const struct blank *blanks, size_t blank_count);

/* Words of a list ("claim", "danger", "yes" …) in one language, folded. count 0: no such list. */
struct word_list {
	const char *const *words;
	size_t count;
};
struct word_list locale_words(const struct locales *locales, int language, const char *list);

#endif
