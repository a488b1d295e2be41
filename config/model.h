/* config/model.h - a linear model as it lies in a file, read and checked.
 *
 * A head of lines "<name> <numbers>", an empty line, then one signed byte for
 * each of 2^bits hashed features. What the features are: bot/model.h. Made by
 * tools/intake/train.c. Plain data, read-only once read.
 */
#ifndef CONFIG_MODEL_H
#define CONFIG_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct arena;

enum { MODEL_CHARS_MAX = 6, MODEL_WORDS_MAX = 3, MODEL_BITS_LEAST = 10, MODEL_BITS_MOST = 20 };

struct model {
	int char_from, char_to; /* orders of the n-grams of characters */
	int word_from, word_to; /* and of words; both 0: none */
	int bits;
	int64_t threshold; /* millionths, of the score: from here on it is a request */
	int64_t bias;      /* millionths */
	int64_t scale;     /* thousand-millionths: what a weight of 1 is worth */
	const int8_t *weights;
};

/* Bytes are borrowed by the model, NULL if they are no such file. */
const struct model *model_parse(const char *bytes, size_t len, struct arena *arena,
				struct error *error_r) MUST_CHECK;
/* The same from a file, kept in the arena. */
const struct model *model_load(const char *file, struct arena *arena,
			       struct error *error_r) MUST_CHECK;

#endif
