/* config/settings.c - fills structs from YAML by their tables, and checks every value. */
#include "config/settings_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "config/texts.h"

enum { ROWS_MAX = 64, SECRET_MAX_BYTES = 16 * 1024 };

static const struct {
	const char *unit;
	int64_t ms;
} units[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", 24 * 60 * 60 * 1000},
};

static bool whole_number(const char *text, int64_t *value_r, char **end_r)
{
	errno = 0;
	if (!(text[0] >= '0' && text[0] <= '9') && text[0] != '-')
		return false;
	long long value = strtoll(text, end_r, 10);
	*value_r = value;
	return errno == 0 && *end_r != text;
}

bool setting_duration(const char *text, int64_t *ms_r)
{
	char *end;
	int64_t value;
	if (!whole_number(text, &value, &end) || value < 0)
		return false;
	if (value == 0 && *end == '\0') {
		*ms_r = 0;
		return true;
	}
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(units[i].unit, end) == 0 && value <= INT64_MAX / units[i].ms) {
			*ms_r = value * units[i].ms;
			return true;
		}
	}
	return false;
}

const char *settings_path(const struct settings_reader *reader, const char *path)
{
	if (path[0] == '/')
		return arena_str(reader->arena, path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	return arena_printf(reader->arena, "%s/%s", reader->folder, path);
}

void settings_unknown(struct settings_reader *reader, const struct yaml_node *at, const char *what,
		      const char *name, const char *const *names)
{
	const char *nearest = mistake_nearest(name, names);
	if (nearest)
		mistake_add(reader->mistakes, at->line, at->column,
			    "%s \"%s\"; did you mean \"%s\"?", what, name, nearest);
	else
		mistake_add(reader->mistakes, at->line, at->column, "%s \"%s\"", what, name);
}

void settings_none(struct settings_reader *reader, const struct yaml_node *node,
		   const char *section, const char *one)
{
	bool list = node && node->kind == YAML_LIST;
	mistake_add(reader->mistakes, node ? node->line : 1, node ? node->column : 1,
		    list ? "%s: must be a section with the name of each %s as a key, not a list"
			 : "%s: at least one %s is wanted",
		    section, one);
}

/* Ids are parts of keys in the store. */
void settings_check_id(struct settings_reader *reader, const struct yaml_node *node, const char *id)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	if (id[strspn(id, allowed)] || strlen(id) > 32)
		mistake_add(reader->mistakes, node->line, node->column,
			    "a name here has letters a-z, digits, - and _ only, at most 32 of them");
}

static void wrong(struct settings_reader *reader, const struct yaml_node *at,
		  const struct setting *row, const char *must)
{
	mistake_add(reader->mistakes, at->line, at->column, "%s: %s", row->name, must);
}

/* "2h" rather than 7200000 in a sentence. */
static const char *say_duration(struct settings_reader *reader, int64_t ms)
{
	size_t best = 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (ms != 0 && ms % units[i].ms == 0)
			best = i;
	return arena_printf(reader->arena, "%" PRId64 "%s", ms / units[best].ms, units[best].unit);
}

static const char *say_number(struct settings_reader *reader, const struct setting *row, int64_t n)
{
	if (row->type == SETTING_DURATION)
		return say_duration(reader, n);
	return arena_printf(reader->arena, "%" PRId64, n);
}

static void read_number(struct settings_reader *reader, const struct yaml_node *node,
			const struct setting *row, void *field)
{
	int64_t value = 0;
	char *end = NULL;
	bool duration = row->type == SETTING_DURATION;
	if (duration ? !setting_duration(node->text, &value)
		     : !whole_number(node->text, &value, &end) || *end != '\0') {
		wrong(reader, node, row,
		      duration ? "must be a duration like 90s, 15m, 2h or 1d"
			       : "must be a whole number");
		return;
	}
	bool bounded = row->least != 0 || row->most != 0;
	if (bounded && (value < row->least || value > row->most)) {
		mistake_add(reader->mistakes, node->line, node->column,
			    "%s: must be from %s to %s", row->name,
			    say_number(reader, row, row->least), say_number(reader, row, row->most));
		return;
	}
	*(int64_t *)field = value;
}

static void read_bool(struct settings_reader *reader, const struct yaml_node *node,
		      const struct setting *row, void *field)
{
	if (strcmp(node->text, "true") == 0 || strcmp(node->text, "yes") == 0)
		*(bool *)field = true;
	else if (strcmp(node->text, "false") == 0 || strcmp(node->text, "no") == 0)
		*(bool *)field = false;
	else
		wrong(reader, node, row, "must be true or false");
}

static void read_choice(struct settings_reader *reader, const struct yaml_node *node,
			const struct setting *row, void *field)
{
	size_t len = strlen(node->text);
	for (const char *at = row->choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
		if (strcspn(at, "|") == len && memcmp(at, node->text, len) == 0) {
			*(const char **)field = arena_str(reader->arena, node->text);
			return;
		}
	}
	mistake_add(reader->mistakes, node->line, node->column, "%s: must be one of %s", row->name,
		    row->choices);
}

static void read_url(struct settings_reader *reader, const struct yaml_node *node,
		     const struct setting *row, void *field)
{
	static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t len = strlen(schemes[i]);
		if (strncmp(node->text, schemes[i], len) != 0)
			continue;
		const char *host = node->text + len;
		if (strcspn(host, "/?#:") == 0 || host[strcspn(host, " \t\r\n\"<>\\^`{|}")])
			break;
		*(const char **)field = arena_str(reader->arena, node->text);
		return;
	}
	wrong(reader, node, row, "must be a URL: http, https, ws or wss, and a host");
}

/* The sentence must not show what may be part of a secret. */
static void read_secret(struct settings_reader *reader, const struct yaml_node *node,
			const struct setting *row, void *field)
{
	const char *value = node->text;
	if (strncmp(value, "env:", 4) == 0) {
		value = getenv(value + 4);
		if (!value || !*value) {
			mistake_add(reader->mistakes, node->line, node->column,
				    "%s: the environment variable %s is not set", row->name,
				    node->text + 4);
			return;
		}
	} else if (strncmp(value, "file:", 5) == 0) {
		const char *path = settings_path(reader, value + 5);
		FILE *file = fopen(path, "rbe");
		char *content = arena_alloc(reader->arena, SECRET_MAX_BYTES + 1);
		size_t len = file ? fread(content, 1, SECRET_MAX_BYTES, file) : 0;
		bool bad = !file || ferror(file);
		int reason = errno;
		if (file)
			fclose(file);
		while (len && (content[len - 1] == '\n' || content[len - 1] == '\r'))
			content[--len] = '\0';
		if (bad || len == 0) {
			mistake_add(reader->mistakes, node->line, node->column,
				    "%s: the file %s %s", row->name, path,
				    bad ? strerror(reason) : "is empty");
			return;
		}
		value = content;
	}
	*(const char **)field = arena_str(reader->arena, value);
}

static void read_language(struct settings_reader *reader, const struct yaml_node *node,
			  const struct setting *row, void *field)
{
	int language = locales_find(reader->locales, node->text);
	if (language >= 0) {
		*(int *)field = language;
		return;
	}
	const char *tags[LANGUAGES_MAX + 1] = {NULL};
	for (size_t i = 0; i < locales_count(reader->locales); i++)
		tags[i] = locales_tag(reader->locales, (int)i);
	settings_unknown(reader, node, arena_printf(reader->arena, "%s: there is no locale", row->name),
			 node->text, tags);
}

static void read_names(struct settings_reader *reader, const struct yaml_node *node,
		       const struct setting *row, void *field)
{
	struct names *names = field;
	if (node->kind == YAML_TEXT && *node->text) {
		for (size_t i = 0; i < locales_count(reader->locales); i++)
			names->in[i] = arena_str(reader->arena, node->text);
		return;
	}
	if (node->kind != YAML_MAP || node->count == 0) {
		wrong(reader, node, row, "must be a name, or one for each language");
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		int language = -1;
		read_language(reader, node->keys[i], row, &language);
		if (language < 0)
			continue;
		if (node->items[i]->kind != YAML_TEXT || !*node->items[i]->text)
			wrong(reader, node->items[i], row, "a name is wanted");
		else if (names->in[language])
			wrong(reader, node->keys[i], row, "this language has its name already");
		else
			names->in[language] = arena_str(reader->arena, node->items[i]->text);
	}
}

static void read_texts(struct settings_reader *reader, const struct yaml_node *node,
		       const struct setting *row, void *field)
{
	struct texts *texts = field;
	texts->items = arena_alloc(reader->arena, (node->count + 1) * sizeof *texts->items);
	texts->count = 0;
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];
		if (item->kind != YAML_TEXT || !*item->text) {
			wrong(reader, item, row, "must be a list of texts");
			continue;
		}
		const char *text = row->type == SETTING_WORDS
					   ? text_fold(reader->arena, item->text)
					   : arena_str(reader->arena, item->text);
		if (*text)
			texts->items[texts->count++] = text;
		else
			wrong(reader, item, row, "a word needs letters or digits");
	}
	if ((row->flags & SETTING_REQUIRED) && node->count == 0)
		wrong(reader, node, row, "must not be empty");
}

static void read_text(struct settings_reader *reader, const struct yaml_node *node,
		      const struct setting *row, void *field)
{
	(void)row;
	*(const char **)field = arena_str(reader->arena, node->text);
}

static const struct {
	void (*read)(struct settings_reader *reader, const struct yaml_node *node,
		     const struct setting *row, void *field);
	enum yaml_kind kind; /* YAML_NOTHING: any, the reader looks itself */
} types[] = {
	[SETTING_TEXT] = {read_text, YAML_TEXT},
	[SETTING_SECRET] = {read_secret, YAML_TEXT},
	[SETTING_URL] = {read_url, YAML_TEXT},
	[SETTING_BOOL] = {read_bool, YAML_TEXT},
	[SETTING_INT] = {read_number, YAML_TEXT},
	[SETTING_DURATION] = {read_number, YAML_TEXT},
	[SETTING_TEXTS] = {read_texts, YAML_LIST},
	[SETTING_CHOICE] = {read_choice, YAML_TEXT},
	[SETTING_WORDS] = {read_texts, YAML_LIST},
	[SETTING_NAMES] = {read_names, YAML_NOTHING},
	[SETTING_LANGUAGE] = {read_language, YAML_TEXT},
};

static void read_value(struct settings_reader *reader, const struct yaml_node *node,
		       const struct setting *row, void *into)
{
	enum yaml_kind wanted = types[row->type].kind;
	if (wanted != YAML_NOTHING && node->kind != wanted)
		mistake_add(reader->mistakes, node->line, node->column, "%s: must be %s, not %s",
			    row->name, yaml_kind_name(wanted), yaml_kind_name(node->kind));
	else if (node->kind == YAML_TEXT && !*node->text)
		wrong(reader, node, row, "must not be empty");
	else
		types[row->type].read(reader, node, row, (char *)into + row->offset);
}

/* A default is written as in the file, so it is read like one. */
static void read_standard(struct settings_reader *reader, const struct setting *row, void *into)
{
	struct yaml_node text = {.kind = YAML_TEXT, .text = row->standard};
	const struct yaml_node *node = &text;
	if (types[row->type].kind == YAML_LIST)
		node = yaml_read(reader->arena, row->standard, strlen(row->standard),
				 reader->mistakes);
	if (node)
		read_value(reader, node, row, into);
}

/* One level of a table: the keys of a map, under the prefix "" or "flood.". */
struct level {
	const struct setting *table;
	const char *const *others;
	const char *prefix;
	bool *seen;
	void *into;
};

/* The names that may stand at this level, NULL-ended. */
static const char *const *level_names(struct settings_reader *reader, const struct level *level)
{
	const char **names = NULL;
	size_t count = 0, prefix = strlen(level->prefix);
	for (const struct setting *row = level->table; row->name; row++) {
		if (strncmp(row->name, level->prefix, prefix) != 0)
			continue;
		names = arena_grow(reader->arena, names, count, sizeof *names);
		const char *rest = row->name + prefix;
		names[count++] = arena_bytes(reader->arena, rest, strcspn(rest, "."));
	}
	for (const char *const *other = level->others; other && *other; other++) {
		names = arena_grow(reader->arena, names, count, sizeof *names);
		names[count++] = *other;
	}
	names = arena_grow(reader->arena, names, count, sizeof *names);
	names[count] = NULL;
	return names;
}

static bool among(const char *name, const char *const *names)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static void fill_level(struct settings_reader *reader, const struct yaml_node *map,
		       const struct level *level);

static void fill_key(struct settings_reader *reader, const struct yaml_node *key,
		     const struct yaml_node *value, const struct level *level)
{
	const char *full = arena_printf(reader->arena, "%s%s", level->prefix, key->text);
	size_t len = strlen(full);
	for (const struct setting *row = level->table; row->name; row++) {
		if (strcmp(row->name, full) == 0) {
			/* `key:` with nothing behind it is as if it were not there. */
			level->seen[row - level->table] = value->kind != YAML_NOTHING;
			if (value->kind != YAML_NOTHING)
				read_value(reader, value, row, level->into);
			return;
		}
		if (strncmp(row->name, full, len) == 0 && row->name[len] == '.') {
			struct level below = *level;
			below.prefix = arena_printf(reader->arena, "%s.", full);
			below.others = NULL;
			fill_level(reader, value, &below);
			return;
		}
	}
	if (!among(key->text, level->others))
		settings_unknown(reader, key, "there is no setting", key->text,
				 level_names(reader, level));
}

static void fill_level(struct settings_reader *reader, const struct yaml_node *map,
		       const struct level *level)
{
	if (map->kind != YAML_MAP) {
		mistake_add(reader->mistakes, map->line, map->column,
			    "a section with keys is wanted here, not %s", yaml_kind_name(map->kind));
		return;
	}
	for (size_t i = 0; i < map->count; i++)
		fill_key(reader, map->keys[i], map->items[i], level);
}

void settings_fill(struct settings_reader *reader, const struct yaml_node *map,
		   const struct setting *table, const char *const *others, void *into)
{
	bool seen[ROWS_MAX] = {false};
	size_t rows = 0;
	while (table[rows].name)
		rows++;
	if (rows > ROWS_MAX)
		abort(); /* a table in our own source */
	struct level level = {
		.table = table, .others = others, .prefix = "", .seen = seen, .into = into};
	fill_level(reader, map, &level);
	if (map->kind != YAML_MAP)
		return;
	for (size_t i = 0; i < rows; i++) {
		if (seen[i])
			continue;
		if (table[i].standard)
			read_standard(reader, &table[i], into);
		else if (table[i].flags & SETTING_REQUIRED)
			mistake_add(reader->mistakes, map->line, map->column, "%s: is missing",
				    table[i].name);
	}
}
