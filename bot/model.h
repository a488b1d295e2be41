/* bot/model.h - how much a text reads like a request: a linear model over hashed n-grams.
 *
 * Features of a text: n-grams of the characters of its folded form (a blank
 * before and after), n-grams of its words (runs between blanks, a mark at both
 * ends), and a few of its outside (length, question mark, capitals, digits,
 * how many lines). Each is hashed into 2^bits places; within each of the three
 * families a feature counts 1 / sqrt(number of the family). The score is the
 * logistic function of the sum of weights. Pure; the same bytes give the same
 * score on every machine up to the last digits of exp().
 */
#ifndef BOT_MODEL_H
#define BOT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/model.h"

struct arena;

enum model_family { MODEL_CHARS, MODEL_WORDS, MODEL_OUTSIDE, MODEL_FAMILIES };

/* Places in the table, the families one after the other. */
struct model_features {
	uint32_t *at;
	size_t count[MODEL_FAMILIES];
};

/* `folded` is text_fold() of `text`. Only the shape of the model is looked at, not its weights. */
struct model_features model_features(const struct model *model, struct arena *arena,
				     const char *text, const char *folded);
/* What one feature of a family counts. */
double model_value(enum model_family family, size_t count);
/* 0 … 1 */
double model_score(const struct model *model, struct arena *arena, const char *text,
		   const char *folded);
/* The threshold that applies: `percent` of a community's setting, 0: the model's own. */
bool model_says(const struct model *model, double score, int64_t percent);

#endif
