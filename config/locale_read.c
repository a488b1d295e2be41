/* config/locale_read.c - reads one locale file and compares it with the English one. */
#include "config/locale_read.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"
#include "config/yaml.h"

/* CLDR plural rules, as far as they matter with two forms; every language not named here has
 * "one" for 1 only. */
static const struct {
	const char *language;
	bool plain, zero_is_one;
} plural_rules[] = {
	{"zh", .plain = true}, {"ja", .plain = true}, {"ko", .plain = true},
	{"vi", .plain = true}, {"th", .plain = true}, {"id", .plain = true},
	{"ms", .plain = true}, {"my", .plain = true}, {"lo", .plain = true},
	{"fr", .zero_is_one = true}, {"pt", .zero_is_one = true}, {"hi", .zero_is_one = true},
};

enum { LISTS_MAX = 1024 };

static const char *const top_keys[] = {"tag", "name", "texts", "words", NULL};

static void set_plural_rule(struct locale *locale)
{
	size_t primary = strcspn(locale->tag, "-");
	for (size_t i = 0; i < sizeof plural_rules / sizeof plural_rules[0]; i++) {
		if (strlen(plural_rules[i].language) != primary ||
		    strncasecmp(plural_rules[i].language, locale->tag, primary) != 0)
			continue;
		locale->plain_plural = plural_rules[i].plain;
		locale->zero_is_one = plural_rules[i].zero_is_one;
	}
}

bool plural_is_one(const struct locale *locale, long number)
{
	return !locale->plain_plural && (number == 1 || (locale->zero_is_one && number == 0));
}

size_t blank_at(const char *s)
{
	if (*s != '{')
		return 0;
	size_t len = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return len && s[1 + len] == '}' ? len + 2 : 0;
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash ? slash + 1 : file;
}

static const char *short_text(const struct yaml_node *root, const char *key,
			      struct mistakes *mistakes)
{
	const struct yaml_node *node = yaml_get(root, key);
	if (node && node->kind == YAML_TEXT && *node->text)
		return node->text;
	mistake_add(mistakes, node ? node->line : 1, node ? node->column : 1,
		    "%s: must stand at the top of a locale", key);
	return NULL;
}

/* A sentence, or NULL with a mistake. */
static const char *read_sentence(const struct yaml_node *node, struct arena *arena,
				 struct mistakes *mistakes)
{
	if (!node)
		return NULL;
	if (node->kind != YAML_TEXT || node->text[0] == '\0') {
		mistake_add(mistakes, node->line, node->column, "a sentence is wanted, not %s",
			    node->kind == YAML_TEXT ? "an empty one" : yaml_kind_name(node->kind));
		return NULL;
	}
	for (const char *brace = node->text; (brace = strchr(brace, '{')); brace++)
		if (!blank_at(brace))
			mistake_add(mistakes, node->line, node->column,
				    "a { that begins no {blank}: a blank has small letters, digits "
				    "and _ only");
	return arena_str(arena, node->text);
}

static void read_plural(const struct yaml_node *map, struct locale *locale,
			struct sentence *sentence, struct arena *arena, struct mistakes *mistakes)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->keys[i]->text, "one") != 0 && strcmp(map->keys[i]->text, "other") != 0)
			mistake_add(mistakes, map->keys[i]->line, map->keys[i]->column,
				    "plural forms are one and other, not \"%s\"",
				    map->keys[i]->text);
	sentence->one = read_sentence(yaml_get(map, "one"), arena, mistakes);
	sentence->other = read_sentence(yaml_get(map, "other"), arena, mistakes);
	if (!yaml_get(map, "other"))
		mistake_add(mistakes, map->line, map->column, "the form other: is missing");
	if (locale->plain_plural && yaml_get(map, "one"))
		mistake_add(mistakes, yaml_get(map, "one")->line, yaml_get(map, "one")->column,
			    "this language has the form other: only");
	if (!locale->plain_plural && !yaml_get(map, "one"))
		mistake_add(mistakes, map->line, map->column, "the form one: is missing");
	if (sentence->other && !strstr(sentence->other, "{count}"))
		mistake_add(mistakes, map->line, map->column,
			    "a text with plural forms needs the blank {count}");
}

static void read_texts(const struct yaml_node *texts, const char *const *keys, size_t key_count,
		       struct locale *locale, struct arena *arena, struct mistakes *mistakes)
{
	for (size_t i = 0; i < texts->count; i++) {
		const struct yaml_node *key = texts->keys[i], *node = texts->items[i];
		size_t id = 0;
		while (id < key_count && strcmp(keys[id], key->text) != 0)
			id++;
		if (id == key_count) {
			mistake_add(mistakes, key->line, key->column,
				    "the English locale has no text \"%s\"", key->text);
			continue;
		}
		struct sentence *sentence = &locale->texts[id];
		sentence->line = key->line;
		sentence->column = key->column;
		if (node->kind == YAML_MAP)
			read_plural(node, locale, sentence, arena, mistakes);
		else
			sentence->other = read_sentence(node, arena, mistakes);
	}
	for (size_t id = 0; id < key_count; id++)
		if (!locale->texts[id].line)
			mistake_add(mistakes, texts->line, texts->column,
				    "the text \"%s\" is missing", keys[id]);
}

static void read_list(const char *name, const struct yaml_node *key, const struct yaml_node *node,
		      struct locale *locale, struct arena *arena, struct mistakes *mistakes)
{
	const char **words = arena_alloc(arena, (node->count + 1) * sizeof *words);
	size_t count = 0;
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];
		const char *word = item->kind == YAML_TEXT ? text_fold(arena, item->text) : "";
		if (*word == '\0')
			mistake_add(mistakes, item->line, item->column,
				    "a word is wanted that has letters or digits");
		for (size_t j = 0; j < count; j++)
			if (*word && strcmp(words[j], word) == 0)
				mistake_add(mistakes, item->line, item->column,
					    "this word, once folded, is already in the list");
		words[count++] = word;
	}
	locale->lists =
		arena_grow(arena, locale->lists, locale->list_count, sizeof *locale->lists);
	locale->lists[locale->list_count++] = (struct locale_list){
		.name = name,
		.words = words,
		.count = count,
		.line = key->line,
		.column = key->column,
	};
}

static void read_words(const struct yaml_node *words, struct locale *locale, struct arena *arena,
		       struct mistakes *mistakes)
{
	for (size_t i = 0; i < words->count && locale->list_count < LISTS_MAX; i++) {
		const struct yaml_node *key = words->keys[i], *node = words->items[i];
		if (node->kind == YAML_LIST)
			read_list(arena_str(arena, key->text), key, node, locale, arena, mistakes);
		else
			mistake_add(mistakes, key->line, key->column,
				    "\"%s\" must be a list of words, not %s", key->text,
				    yaml_kind_name(node->kind));
	}
}

static const struct yaml_node *section(const struct yaml_node *root, const char *name,
				       struct mistakes *mistakes)
{
	static const struct yaml_node empty = {.kind = YAML_MAP, .line = 1, .column = 1};
	const struct yaml_node *node = yaml_get(root, name);
	if (node && node->kind == YAML_MAP)
		return node;
	if (!node || node->kind != YAML_NOTHING)
		mistake_add(mistakes, node ? node->line : 1, node ? node->column : 1,
			    "%s: must be a section with keys", name);
	return &empty;
}

bool locale_read(const char *file, const char *const *keys, size_t key_count, struct arena *arena,
		 struct mistakes *mistakes, struct locale *locale)
{
	struct yaml_node *root = yaml_read_file(arena, file, mistakes);
	if (!root)
		return false;
	if (root->kind != YAML_MAP) {
		mistake_add(mistakes, root->line, root->column, "a locale is a section with keys");
		return false;
	}
	for (size_t i = 0; i < root->count; i++) {
		size_t known = 0;
		while (top_keys[known] && strcmp(top_keys[known], root->keys[i]->text) != 0)
			known++;
		if (!top_keys[known])
			mistake_add(mistakes, root->keys[i]->line, root->keys[i]->column,
				    "a locale has tag, name, texts and words, not \"%s\"",
				    root->keys[i]->text);
	}
	*locale = (struct locale){
		.file = arena_str(arena, file),
		.tag = short_text(root, "tag", mistakes),
		.name = short_text(root, "name", mistakes),
		.texts = arena_alloc(arena, (key_count + 1) * sizeof *locale->texts),
	};
	if (!locale->tag || !locale->name)
		return false;
	const char *base = base_name(file);
	if (strncmp(base, locale->tag, strlen(locale->tag)) != 0 ||
	    strcmp(base + strlen(locale->tag), ".yaml") != 0)
		mistake_add(mistakes, 1, 1, "the tag \"%s\" and the file's name differ", locale->tag);
	set_plural_rule(locale);
	read_texts(section(root, "texts", mistakes), keys, key_count, locale, arena, mistakes);
	read_words(section(root, "words", mistakes), locale, arena, mistakes);
	return true;
}

/* The first blank of `a` that is not in `b`; NULL if all are. */
static const char *blank_missing(const char *a, const char *b, size_t *len_r)
{
	for (const char *at = a; (at = strchr(at, '{')); at++) {
		size_t len = blank_at(at);
		if (!len)
			continue;
		bool found = false;
		for (const char *other = b; !found && (other = strchr(other, '{')); other++)
			found = strncmp(at, other, len) == 0;
		if (!found) {
			*len_r = len;
			return at;
		}
	}
	return NULL;
}

static void compare_blanks(const char *sentence, const char *english, const struct sentence *at,
			   const char *key, struct mistakes *mistakes)
{
	size_t len;
	const char *blank = blank_missing(sentence, english, &len);
	if (blank)
		mistake_add(mistakes, at->line, at->column,
			    "\"%s\" has the blank %.*s that the English text has not", key, (int)len,
			    blank);
	blank = blank_missing(english, sentence, &len);
	if (blank)
		mistake_add(mistakes, at->line, at->column,
			    "\"%s\" lacks the blank %.*s of the English text", key, (int)len, blank);
}

static const struct locale_list *list_find(const struct locale *locale, const char *name)
{
	for (size_t i = 0; i < locale->list_count; i++)
		if (strcmp(locale->lists[i].name, name) == 0)
			return &locale->lists[i];
	return NULL;
}

void locale_compare(const struct locale *locale, const struct locale *english,
		    const char *const *keys, size_t key_count, struct mistakes *mistakes)
{
	mistakes->file = locale->file;
	for (size_t id = 0; id < key_count; id++) {
		const struct sentence *own = &locale->texts[id], *model = &english->texts[id];
		if (!own->other || !model->other)
			continue; /* told already */
		compare_blanks(own->other, model->other, own, keys[id], mistakes);
		if ((model->one != NULL) != (own->one != NULL) && !locale->plain_plural)
			mistake_add(mistakes, own->line, own->column,
				    "\"%s\" and the English text differ in having plural forms",
				    keys[id]);
	}
	for (size_t i = 0; i < english->list_count; i++)
		if (!list_find(locale, english->lists[i].name))
			mistake_add(mistakes, 1, 1, "the list of words \"%s\" is missing",
				    english->lists[i].name);
	for (size_t i = 0; i < locale->list_count; i++)
		if (!list_find(english, locale->lists[i].name))
			mistake_add(mistakes, locale->lists[i].line, locale->lists[i].column,
				    "the English locale has no list of words \"%s\"",
				    locale->lists[i].name);
}
