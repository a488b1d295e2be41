/* config/settings.h - settings are rows beside the struct that they fill.
 *
 * A table ends with a row whose name is NULL. The reader fills fields, checks
 * them, and collects every mistake with line and column; it never stops at the
 * first. Strings live in the config's arena.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_TEXT,     /* const char * */
	SETTING_SECRET,   /* const char *; never printed; "file:PATH" or "env:NAME" read it from there;
			     a relative PATH is below the config file's folder */
	SETTING_URL,      /* const char *; http(s):// or ws(s):// with a host */
	SETTING_BOOL,     /* bool */
	SETTING_INT,      /* int64_t within least…most */
	SETTING_DURATION, /* int64_t milliseconds; written 500ms, 90s, 15m, 2h, 1d; least…most in ms */
	SETTING_TEXTS,    /* struct texts: a list of strings */
	SETTING_CHOICE,   /* const char *, one of `choices` ("a|b|c") */
	/* For communities only: */
	SETTING_WORDS,    /* struct texts, each folded (base/text.h) */
	SETTING_NAMES,    /* struct names: one text, or one for each language */
	SETTING_LANGUAGE, /* int: a locale's tag */
};

struct texts {
	const char **items;
	size_t count;
};

enum {
	SETTING_REQUIRED = 1 << 0,
	SETTING_NO_RELOAD = 1 << 1, /* a change takes a restart */
};

struct setting {
	const char *name; /* "flood.count" is the key count in the section flood */
	enum setting_type type;
	size_t offset;
	unsigned flags;
	const char *standard; /* default, written as in the file; NULL: zero */
	int64_t least, most;  /* SETTING_INT, SETTING_DURATION; both 0: any */
	const char *choices;
	const char *help; /* one English sentence; also makes docs/settings.md */
};

#endif
