/* config/text_ids.c - build tool: writes enum text_id from the keys of the English locale. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "config/yaml.h"

static int good_key(const char *key)
{
	return key[0] && islower((unsigned char)key[0]) &&
	       key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void write_ids(FILE *out, const struct yaml_node *texts)
{
	fputs("/* Made from config/locales/en.yaml by config/text_ids.c. */\n"
	      "#ifndef TEXT_IDS_H\n#define TEXT_IDS_H\n\nenum text_id {\n",
	      out);
	for (size_t i = 0; i < texts->count; i++) {
		fputs("\tTEXT_", out);
		for (const char *c = texts->keys[i]->text; *c; c++)
			fputc(toupper((unsigned char)*c), out);
		fputs(",\n", out);
	}
	fputs("\tTEXT_COUNT\n};\n\n#define TEXT_KEYS", out);
	for (size_t i = 0; i < texts->count; i++)
		fprintf(out, " \\\n\t\"%s\",", texts->keys[i]->text);
	fputs("\n\n#endif\n", out);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: text_ids en.yaml text_ids.h\n");
		return 2;
	}
	struct arena *arena = arena_new();
	struct mistakes mistakes = {.arena = arena, .file = argv[1]};
	const struct yaml_node *root = yaml_read_file(arena, argv[1], &mistakes);
	const struct yaml_node *texts = yaml_get(root, "texts");
	if (mistakes.count == 0 && (!texts || texts->kind != YAML_MAP || texts->count == 0))
		mistake_add(&mistakes, 1, 1, "there are no texts: here");
	for (size_t i = 0; mistakes.count == 0 && i < texts->count; i++)
		if (!good_key(texts->keys[i]->text))
			mistake_add(&mistakes, texts->keys[i]->line, texts->keys[i]->column,
				    "a text's key has small letters, digits and _ only");
	for (size_t i = 0; i < mistakes.count; i++)
		fprintf(stderr, "%s:%d:%d: error: %s\n", argv[1], mistakes.items[i].line,
			mistakes.items[i].column, mistakes.items[i].sentence);
	int result = mistakes.count != 0;
	FILE *out = result ? NULL : fopen(argv[2], "we");
	if (out) {
		write_ids(out, texts);
		result = ferror(out) != 0;
		result |= fclose(out) != 0;
	} else {
		result = 1;
	}
	arena_free(&arena);
	return result;
}
