/* config/mistakes.c - collects mistakes and finds the name that a misspelt one meant. */
#include "config/mistakes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { NAME_MAX_BYTES = 64 };

void mistake_add(struct mistakes *mistakes, int line, int column, const char *format, ...)
{
	mistakes->items = arena_grow(mistakes->arena, mistakes->items, mistakes->count,
				     sizeof *mistakes->items);
	va_list args;
	va_start(args, format);
	mistakes->items[mistakes->count++] = (struct mistake){
		.line = line,
		.column = column,
		.sentence = arena_vprintf(mistakes->arena, format, args),
		.file = mistakes->file,
	};
	va_end(args);
}

static int compare(const void *left, const void *right)
{
	const struct mistake *a = left, *b = right;
	int by_file = a->file && b->file ? strcmp(a->file, b->file) : 0;
	if (by_file)
		return by_file;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

void mistakes_sort(struct mistakes *mistakes)
{
	if (mistakes->count)
		qsort(mistakes->items, mistakes->count, sizeof *mistakes->items, compare);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau-Levenshtein (optimal string alignment): two letters swapped are one slip. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NAME_MAX_BYTES + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	memset(rows, 0, sizeof rows);
	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(least(above[j] + 1, row[j - 1] + 1),
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

const char *mistake_nearest(const char *misspelt, const char *const *names)
{
	size_t len = strlen(misspelt);
	if (len > NAME_MAX_BYTES)
		return NULL;
	/* A third of the letters may be wrong; more would be another word. */
	size_t best = len / 3 + 1;
	const char *nearest = NULL;
	for (; *names; names++) {
		size_t name_len = strlen(*names);
		if (name_len > NAME_MAX_BYTES)
			continue;
		size_t d = distance(misspelt, len, *names, name_len);
		if (d <= best && (!nearest || d < best)) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}
