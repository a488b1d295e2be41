/* bot/model.c - takes a text apart into hashed features and sums up their weights. */
#include "bot/model.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { OUTSIDE_MAX = 8, LENGTH_STEPS = 12 };

/* FNV-1a, 32 bits; the upper half is mixed in where the table is small. */
static const uint32_t fnv_basis = 2166136261u, fnv_prime = 16777619u;

static uint32_t hash_byte(uint32_t hash, unsigned char byte)
{
	return (hash ^ byte) * fnv_prime;
}

/* Each family begins elsewhere, so that "a" the word is not "a" the character. */
static uint32_t hash_begin(enum model_family family, int order)
{
	return hash_byte(hash_byte(fnv_basis, (unsigned char)family), (unsigned char)order);
}

static uint32_t place(const struct model *model, uint32_t hash)
{
	hash ^= hash >> 15;
	hash *= 0x2c1b3c6du;
	hash ^= hash >> 12;
	return hash & ((1u << model->bits) - 1);
}

static void add(struct model_features *features, const struct model *model,
		enum model_family family, uint32_t hash)
{
	size_t total = 0;
	for (int i = 0; i < MODEL_FAMILIES; i++)
		total += features->count[i];
	features->at[total] = place(model, hash);
	features->count[family]++;
}

static size_t point_bytes(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* `padded`: one blank before and after, the empty text is one blank. */
static void add_chars(struct model_features *features, const struct model *model,
		      const char *padded, size_t len)
{
	for (size_t start = 0; start < len; start += point_bytes((unsigned char)padded[start])) {
		uint32_t hash = hash_begin(MODEL_CHARS, 0);
		size_t at = start;
		for (int order = 1; order <= model->char_to && at < len; order++) {
			size_t end = at + point_bytes((unsigned char)padded[at]);
			for (; at < end && at < len; at++)
				hash = hash_byte(hash, (unsigned char)padded[at]);
			if (order >= model->char_from)
				add(features, model, MODEL_CHARS, hash);
		}
	}
}

/* A word more on the way from `at`; beyond the last one stands one mark. */
static const char *hash_word(const char *at, uint32_t *hash)
{
	for (; *at && *at != ' '; at++)
		*hash = hash_byte(*hash, (unsigned char)*at);
	*hash = hash_byte(*hash, ' ');
	return *at ? at + 1 : NULL;
}

static void add_words(struct model_features *features, const struct model *model,
		      const char *folded)
{
	for (int order = model->word_from; order && order <= model->word_to; order++) {
		for (const char *start = folded; start && *start; start = strchr(start, ' ')) {
			start += *start == ' ';
			uint32_t hash = hash_begin(MODEL_WORDS, order);
			const char *at = start;
			int words = 0;
			if (order > 1 && start == folded) {
				/* How it begins is a feature of its own. */
				uint32_t first = hash_byte(hash, '^');
				const char *next = start;
				for (int i = 1; i < order && next; i++)
					next = hash_word(next, &first);
				add(features, model, MODEL_WORDS, first);
			}
			for (; words < order && at; words++)
				at = hash_word(at, &hash);
			if (words == order)
				add(features, model, MODEL_WORDS, hash);
		}
	}
}

static void add_outside_one(struct model_features *features, const struct model *model, int what,
			    int step)
{
	add(features, model, MODEL_OUTSIDE, hash_begin(MODEL_OUTSIDE, what * LENGTH_STEPS + step));
}

static void add_outside(struct model_features *features, const struct model *model,
			const char *text)
{
	enum { LENGTH, QUESTION, QUESTION_END, CAPITALS, DIGITS, COMMA, EXCLAIM };
	size_t points = 0, upper = 0, lower = 0, digits = 0, commas = 0;
	bool question = false, question_end = false, exclaim = false;
	int32_t point;
	for (size_t n; (n = text_next(text, &point)); text += n, points++) {
		bool asks = point == '?' || point == 0xff1f;
		question = question || asks;
		if (point != ' ')
			question_end = asks;
		exclaim = exclaim || point == '!' || point == 0xff01;
		upper += point >= 'A' && point <= 'Z';
		lower += point >= 'a' && point <= 'z';
		digits += point >= '0' && point <= '9';
		commas += point == ',' || point == 0xff0c || point == '.' || point == 0x3002;
	}
	int step = 0;
	for (size_t most = 4; points > most && step < LENGTH_STEPS - 1; most = most * 3 / 2 + 1)
		step++;
	add_outside_one(features, model, LENGTH, step);
	add_outside_one(features, model, QUESTION, question);
	add_outside_one(features, model, QUESTION_END, question_end);
	add_outside_one(features, model, CAPITALS, upper > lower ? 2 : upper > 0);
	add_outside_one(features, model, DIGITS, digits > 3 ? 2 : digits > 0);
	add_outside_one(features, model, COMMA, commas > 3 ? 3 : (int)commas);
	add_outside_one(features, model, EXCLAIM, exclaim);
}

struct model_features model_features(const struct model *model, struct arena *arena,
				     const char *text, const char *folded)
{
	size_t len = strlen(folded);
	const char *padded = arena_printf(arena, " %s ", folded);
	size_t most = (len + 2) * (size_t)(model->char_to - model->char_from + 1) +
		      (len + 2) * (size_t)(model->word_to + 1) + OUTSIDE_MAX;
	struct model_features features = {.at = arena_alloc(arena, most * sizeof(*features.at))};
	add_chars(&features, model, padded, len + 2);
	add_words(&features, model, folded);
	add_outside(&features, model, text);
	return features;
}

double model_value(enum model_family family, size_t count)
{
	static const double share[] = {
		[MODEL_CHARS] = 1.0, [MODEL_WORDS] = 1.0, [MODEL_OUTSIDE] = 0.5};
	return count ? share[family] / sqrt((double)count) : 0;
}

double model_score(const struct model *model, struct arena *arena, const char *text,
		   const char *folded)
{
	struct model_features features = model_features(model, arena, text, folded);
	const uint32_t *at = features.at;
	double sum = 0;
	for (int family = 0; family < MODEL_FAMILIES; family++) {
		int64_t weights = 0;
		for (size_t i = 0; i < features.count[family]; i++)
			weights += model->weights[*at++];
		sum += (double)weights *
		       model_value((enum model_family)family, features.count[family]);
	}
	return 1 / (1 + exp(-((double)model->bias / 1e6 + sum * (double)model->scale / 1e9)));
}

bool model_says(const struct model *model, double score, int64_t percent)
{
	return score * 1e6 >= (double)(percent ? percent * 10000 : model->threshold);
}
