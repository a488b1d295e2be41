/* config/model.c - reads the file of a linear model; everything in it is checked. */
#include "config/model.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { FILE_MAX = 2 * 1024 * 1024, NUMBERS_MAX = 2, DIGITS_MAX = 15 };

static const char magic[] = "linli-model 1\n";

/* A line of the head: its name, how many numbers, where they go, between what. */
struct line {
	const char *name;
	size_t count;
	int64_t least, most;
};

enum line_id {
	LINE_CHARS,
	LINE_WORDS,
	LINE_BITS,
	LINE_THRESHOLD,
	LINE_BIAS,
	LINE_SCALE,
	LINE_COUNT
};

static const struct line lines[LINE_COUNT] = {
	[LINE_CHARS] = {"chars", 2, 1, MODEL_CHARS_MAX},
	[LINE_WORDS] = {"words", 2, 0, MODEL_WORDS_MAX},
	[LINE_BITS] = {"bits", 1, MODEL_BITS_LEAST, MODEL_BITS_MOST},
	[LINE_THRESHOLD] = {"threshold", 1, 1, 999999},
	[LINE_BIAS] = {"bias", 1, -1000000000, 1000000000},
	[LINE_SCALE] = {"scale", 1, 1, 1000000000000},
};

/* One number and the blank before it; NULL if there is none. */
static const char *read_number(const char *at, const char *end, int64_t *number_r)
{
	bool minus;
	int digits = 0;
	int64_t number = 0;
	if (at == end || *at++ != ' ')
		return NULL;
	minus = at < end && *at == '-';
	at += minus;
	for (; at < end && *at >= '0' && *at <= '9' && digits <= DIGITS_MAX; at++, digits++)
		number = number * 10 + (*at - '0');
	*number_r = minus ? -number : number;
	return digits && digits <= DIGITS_MAX ? at : NULL;
}

/* Lines of other names (where it comes from, what was measured) are for people. */
static int read_line(const char *at, const char *end, int64_t values[LINE_COUNT][NUMBERS_MAX],
		     bool seen[LINE_COUNT], struct error *error_r)
{
	for (int i = 0; i < LINE_COUNT; i++) {
		size_t len = strlen(lines[i].name);
		if ((size_t)(end - at) <= len || memcmp(at, lines[i].name, len) != 0 ||
		    at[len] != ' ')
			continue;
		at += len;
		for (size_t n = 0; n < lines[i].count; n++) {
			at = read_number(at, end, &values[i][n]);
			if (!at || values[i][n] < lines[i].least || values[i][n] > lines[i].most)
				return error_set(
					error_r,
					"the line \"%s\" must have %zu number%s from %lld to %lld",
					lines[i].name, lines[i].count,
					lines[i].count == 1 ? "" : "s", (long long)lines[i].least,
					(long long)lines[i].most);
		}
		seen[i] = true;
		return at == end
			       ? 0
			       : error_set(error_r, "the line \"%s\" has too much", lines[i].name);
	}
	return 0;
}

/* Returns where the weights begin; NULL with the mistake. */
static const char *read_head(const char *bytes, const char *end,
			     int64_t values[LINE_COUNT][NUMBERS_MAX], struct error *error_r)
{
	bool seen[LINE_COUNT] = {false};
	const char *at = bytes + sizeof(magic) - 1;
	for (;;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop) {
			error_set(error_r, "its head has no end");
			return NULL;
		}
		if (stop == at)
			break;
		if (read_line(at, stop, values, seen, error_r))
			return NULL;
		at = stop + 1;
	}
	for (int i = 0; i < LINE_COUNT; i++)
		if (!seen[i]) {
			error_set(error_r, "it has no line \"%s\"", lines[i].name);
			return NULL;
		}
	return at + 1;
}

const struct model *model_parse(const char *bytes, size_t len, struct arena *arena,
				struct error *error_r)
{
	int64_t values[LINE_COUNT][NUMBERS_MAX] = {{0}};
	if (len < sizeof(magic) || memcmp(bytes, magic, sizeof(magic) - 1) != 0) {
		error_set(error_r, "it does not begin like a model of this version");
		return NULL;
	}
	const char *weights = read_head(bytes, bytes + len, values, error_r);
	if (!weights)
		return NULL;
	for (int i = LINE_CHARS; i <= LINE_WORDS; i++)
		if (values[i][0] > values[i][1]) {
			error_set(error_r, "the line \"%s\" goes from more to less", lines[i].name);
			return NULL;
		}
	size_t there = (size_t)(bytes + len - weights);
	if (there != (size_t)1 << values[LINE_BITS][0]) {
		error_set(error_r, "it has %zu weights where bits %lld wants %zu", there,
			  (long long)values[LINE_BITS][0], (size_t)1 << values[LINE_BITS][0]);
		return NULL;
	}
	struct model *model = arena_alloc(arena, sizeof(*model));
	*model = (struct model){
		.char_from = (int)values[LINE_CHARS][0],
		.char_to = (int)values[LINE_CHARS][1],
		.word_from = (int)values[LINE_WORDS][0],
		.word_to = (int)values[LINE_WORDS][1],
		.bits = (int)values[LINE_BITS][0],
		.threshold = values[LINE_THRESHOLD][0],
		.bias = values[LINE_BIAS][0],
		.scale = values[LINE_SCALE][0],
		.weights = (const int8_t *)weights,
	};
	return model;
}

const struct model *model_load(const char *file, struct arena *arena, struct error *error_r)
{
	FILE *in = fopen(file, "rb");
	if (!in) {
		error_set(error_r, "%s: %s", file, strerror(errno));
		return NULL;
	}
	char *bytes = xalloc(FILE_MAX + 1);
	size_t len = fread(bytes, 1, FILE_MAX + 1, in);
	bool bad = ferror(in) || len > FILE_MAX;
	fclose(in);
	const struct model *model = NULL;
	if (bad)
		error_set(error_r, "%s: it cannot be read, or is too long", file);
	else if (!(model = model_parse(arena_bytes(arena, bytes, len), len, arena, error_r)))
		error_prefix(error_r, "%s", file);
	free(bytes);
	return model;
}
