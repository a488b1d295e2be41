/* config/locale_check.c - build tool: tells the mistakes of the locales, and texts that no source uses. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "config/mistakes.h"
#include "config/texts.h"

static void read_source(const char *file, struct buf *all)
{
	FILE *stream = fopen(file, "re");
	if (!stream) {
		fprintf(stderr, "%s: cannot be read\n", file);
		exit(2);
	}
	char piece[8192];
	for (size_t n; (n = fread(piece, 1, sizeof piece, stream)) > 0;)
		buf_add(all, piece, n);
	fclose(stream);
	buf_char(all, '\n');
}

static int is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static int uses(const char *source, const char *key)
{
	char name[128];
	int len = snprintf(name, sizeof name, "TEXT_%s", key);
	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	for (const char *at = source; (at = strstr(at, name)); at++)
		if (!is_word(at[len]) && (at == source || !is_word(at[-1])))
			return 1;
	return 0;
}

/* locale_check FOLDER SOURCE…: without sources use is not looked at. */
int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: locale_check folder [source …]\n");
		return 2;
	}
	struct mistakes mistakes = {.arena = arena_new()};
	struct locales *locales = locales_load_all(argv[1], &mistakes);
	if (argc > 2) {
		struct buf all;
		buf_init(&all, 256 * 1024 * 1024);
		for (int i = 2; i < argc; i++)
			read_source(argv[i], &all);
		mistakes.file = arena_printf(mistakes.arena, "%s/en.yaml", argv[1]);
		for (int id = 0; id < TEXT_COUNT; id++)
			if (!uses(all.data, text_key((enum text_id)id)))
				mistake_add(&mistakes, 0, 0, "the text \"%s\" is used nowhere",
					    text_key((enum text_id)id));
		buf_free(&all);
	}
	mistakes_sort(&mistakes);
	for (size_t i = 0; i < mistakes.count; i++)
		fprintf(stderr, "%s:%d:%d: error: %s\n", mistakes.items[i].file,
			mistakes.items[i].line, mistakes.items[i].column,
			mistakes.items[i].sentence);
	int result = mistakes.count != 0;
	locales_free(&locales);
	arena_free(&mistakes.arena);
	return result;
}
