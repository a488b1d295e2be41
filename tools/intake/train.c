/* tools/intake/train.c - makes config/intake/NAME.model from labelled texts, and measures it.
 *
 *     intake_train RECIPE OUT FILE…      OUT "-": only measure
 *
 * A line of a FILE is a JSON string (no request), an object with `text` or `en`
 * and `labels` (a request if "request" is among them), or one with `text` and
 * `kind` (a request; kind null: none). The texts do not enter the model, only
 * weights do. Measured in five folds: every text is judged by a model that has
 * not seen it, at a threshold chosen on the other folds.
 */
#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "tools/intake/learn.h"

enum { FOLDS = 5, WEIGHT_MOST = 127 };

struct recipe {
	const char *name, *source;
	struct model shape;
	struct learning learning;
	double false_share; /* threshold: at most this many of the others; 0: the best F1 */
};

static const struct recipe recipes[] = {
	{
		.name = "haiti",
		.source = "the direct messages of the validation split of the public Disaster "
			  "Response Messages data set (English translations)",
		.shape = {.char_from = 3, .char_to = 6, .word_from = 1, .word_to = 2, .bits = 18},
		.learning = {.cost = 1, .request_cost = 1, .likelihood = 0.5, .rounds = 15},
	},
	{
		.name = "everyday",
		.source = "tests/intake/examples, and the NUS SMS Corpus 2015-03-09 as what is no "
			  "request",
		.shape = {.char_from = 1, .char_to = 4, .word_from = 1, .word_to = 2, .bits = 17},
		.learning = {.cost = 3, .request_cost = 30, .likelihood = 0, .rounds = 8},
		.false_share = 0.004,
	},
};

struct examples {
	struct example *items;
	size_t count, requests;
};

static int by_place(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Places that come twice, in one family or two, become one with the sum. */
static void take_apart(struct example *example, const struct model *shape, struct arena *arena,
		       const char *text)
{
	struct model_features features = model_features(shape, arena, text, text_fold(arena, text));
	size_t total = 0;
	for (int family = 0; family < MODEL_FAMILIES; family++)
		total += features.count[family];
	example->at = xalloc((total + 1) * sizeof(*example->at));
	example->value = xalloc((total + 1) * sizeof(*example->value));
	uint32_t *at = features.at;
	for (int family = 0; family < MODEL_FAMILIES; at += features.count[family++]) {
		size_t count = features.count[family];
		double value = model_value((enum model_family)family, count);
		qsort(at, count, sizeof(*at), by_place);
		for (size_t i = 0; i < count; i++) {
			bool again = i && at[i] == at[i - 1];
			example->count += !again;
			example->at[example->count - 1] = at[i];
			example->value[example->count - 1] += (float)value;
		}
	}
}

/* The text of a line and whether it is a request; NULL if it is none of the three. */
static const char *read_line(struct json_object *line, int *request_r)
{
	struct json_object *text = NULL, *labels = NULL, *kind = NULL;
	*request_r = 0;
	if (json_object_is_type(line, json_type_string))
		return json_object_get_string(line);
	if (!json_object_is_type(line, json_type_object))
		return NULL;
	if (!json_object_object_get_ex(line, "text", &text))
		json_object_object_get_ex(line, "en", &text);
	if (json_object_object_get_ex(line, "labels", &labels)) {
		for (size_t i = 0; i < json_object_array_length(labels); i++)
			*request_r |= !strcmp(
				"request",
				json_object_get_string(json_object_array_get_idx(labels, i)));
	} else if (json_object_object_get_ex(line, "kind", &kind)) {
		*request_r = kind != NULL;
	} else {
		return NULL;
	}
	return text ? json_object_get_string(text) : NULL;
}

static int read_file(struct examples *examples, const struct model *shape, const char *file)
{
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t size = 0, number = 0;
	int status = in ? 0 : -1;
	struct arena *arena = arena_new();
	while (in && !status && getline(&line, &size, in) >= 0) {
		struct json_object *object = json_tokener_parse(line);
		int request;
		const char *text = read_line(object, &request);
		number++;
		if (text) {
			/* Doubling at powers of two. */
			if (!(examples->count & (examples->count - 1)))
				examples->items =
					xrealloc(examples->items, (examples->count * 2 + 1) *
									  sizeof(*examples->items));
			struct example *example = &examples->items[examples->count++];
			*example = (struct example){.request = request};
			examples->requests += (size_t)request;
			take_apart(example, shape, arena, text);
		} else {
			fprintf(stderr, "intake_train: %s:%zu: no example\n", file, number);
			status = -1;
		}
		json_object_put(object);
		arena_clear(arena);
	}
	if (!in)
		fprintf(stderr, "intake_train: %s cannot be read\n", file);
	else
		fclose(in);
	free(line);
	arena_free(&arena);
	return status;
}

static int by_score(const void *a, const void *b)
{
	double x = (*(struct example *const *)a)->score, y = (*(struct example *const *)b)->score;
	return (x < y) - (x > y);
}

/* The threshold that is best on all folds but one (-1: on all). */
static double choose(const struct examples *examples, const struct recipe *recipe, int without)
{
	const struct example **order = xalloc((examples->count + 1) * sizeof(*order));
	size_t count = 0, requests = 0, right = 0;
	double best = -1, threshold = 0;
	for (size_t i = 0; i < examples->count; i++) {
		if (examples->items[i].fold == without)
			continue;
		requests += (size_t)examples->items[i].request;
		order[count++] = &examples->items[i];
	}
	qsort(order, count, sizeof(*order), by_score);
	for (size_t i = 0; i < count; i++) {
		right += (size_t)order[i]->request;
		double wrong = (double)(i + 1 - right) / (double)(count - requests);
		double worth = recipe->false_share > 0
				       ? (wrong <= recipe->false_share ? (double)right : -1)
				       : 2.0 * (double)right / (double)(i + 1 + requests);
		if (worth <= best)
			continue;
		best = worth;
		threshold = i + 1 < count ? (order[i]->score + order[i + 1]->score) / 2
					  : order[i]->score;
	}
	free(order);
	return threshold;
}

struct measure {
	size_t requests, others, right, wrong;
};

static void deal_folds(struct examples *examples, uint64_t seed)
{
	for (size_t i = 0; i < examples->count; i++) {
		/* Knuth's MMIX generator. */
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		examples->items[i].fold = (int)((seed >> 33) % FOLDS);
	}
}

static struct measure cross_validate(struct examples *examples, const struct recipe *recipe,
				     double *weights)
{
	struct measure m = {0, 0, 0, 0};
	double bias;
	for (int fold = 0; fold < FOLDS; fold++) {
		learn(examples->items, examples->count, fold, recipe->shape.bits, &recipe->learning,
		      weights, &bias);
		for (size_t i = 0; i < examples->count; i++)
			if (examples->items[i].fold == fold)
				examples->items[i].score =
					judge(&examples->items[i], weights, bias);
	}
	for (int fold = 0; fold < FOLDS; fold++) {
		double threshold = choose(examples, recipe, fold);
		for (size_t i = 0; i < examples->count; i++) {
			const struct example *example = &examples->items[i];
			if (example->fold != fold)
				continue;
			bool said = example->score >= threshold;
			m.requests += (size_t)example->request;
			m.others += !example->request;
			m.right += said && example->request;
			m.wrong += said && !example->request;
		}
	}
	return m;
}

static void print_measure(FILE *out, const struct measure *m)
{
	double precision =
		(double)m->right / (double)(m->right + m->wrong ? m->right + m->wrong : 1);
	double recall = (double)m->right / (double)(m->requests ? m->requests : 1);
	double both = precision + recall;
	fprintf(out,
		"five folds, of %zu requests and %zu others: precision %.4f recall %.4f F1 %.4f "
		"false %.5f\n",
		m->requests, m->others, precision, recall,
		both > 0 ? 2 * precision * recall / both : 0,
		(double)m->wrong / (double)(m->others ? m->others : 1));
}

/* Eight bits for each weight; the threshold is a score, so it goes through the logistic function.
 */
static int write_model(const char *file, const struct recipe *recipe, const double *weights,
		       double bias, double threshold, const struct measure *m)
{
	FILE *out = fopen(file, "wb");
	if (!out) {
		fprintf(stderr, "intake_train: %s cannot be written\n", file);
		return -1;
	}
	size_t places = (size_t)1 << recipe->shape.bits;
	double most = 1e-9;
	for (size_t p = 0; p < places; p++)
		most = fmax(most, fabs(weights[p]));
	int64_t scale = (int64_t)ceil(most / WEIGHT_MOST * 1e9);
	double score = fmin(fmax(1 / (1 + exp(-threshold)), 1e-6), 1 - 1e-6);
	fprintf(out, "linli-model 1\nname %s\ntrained on %s\nmeasured in ", recipe->name,
		recipe->source);
	print_measure(out, m);
	fprintf(out, "chars %d %d\nwords %d %d\nbits %d\nthreshold %lld\nbias %lld\nscale %lld\n\n",
		recipe->shape.char_from, recipe->shape.char_to, recipe->shape.word_from,
		recipe->shape.word_to, recipe->shape.bits, (long long)lround(score * 1e6),
		(long long)lround(bias * 1e6), (long long)scale);
	for (size_t p = 0; p < places; p++)
		fputc((unsigned char)(int8_t)lround(weights[p] * 1e9 / (double)scale), out);
	return fclose(out) ? -1 : 0;
}

static void forget(struct examples *examples)
{
	for (size_t i = 0; i < examples->count; i++) {
		free(examples->items[i].at);
		free(examples->items[i].value);
	}
	free(examples->items);
}

static int train(const struct recipe *recipe, const char *out, struct examples *examples)
{
	double *weights = xalloc(((size_t)1 << recipe->shape.bits) * sizeof(*weights)), bias;
	deal_folds(examples, 5);
	struct measure measure = cross_validate(examples, recipe, weights);
	double threshold = choose(examples, recipe, -1);
	int status = 0;
	print_measure(stdout, &measure);
	if (strcmp(out, "-") != 0) {
		learn(examples->items, examples->count, -1, recipe->shape.bits, &recipe->learning,
		      weights, &bias);
		status = write_model(out, recipe, weights, bias, threshold, &measure);
	}
	free(weights);
	return status;
}

int main(int argc, char **argv)
{
	const struct recipe *recipe = NULL;
	struct examples examples = {.items = NULL};
	int status = 0;
	for (size_t i = 0; argc > 3 && i < sizeof(recipes) / sizeof(*recipes); i++)
		if (!strcmp(argv[1], recipes[i].name))
			recipe = &recipes[i];
	if (!recipe) {
		fprintf(stderr, "usage: intake_train haiti|everyday OUT|- FILE...\n");
		return 2;
	}
	for (int i = 3; i < argc && !status; i++)
		status = read_file(&examples, &recipe->shape, argv[i]);
	if (!status && (!examples.requests || examples.requests == examples.count)) {
		fprintf(stderr, "intake_train: both requests and others are needed\n");
		status = -1;
	}
	if (!status)
		status = train(recipe, argv[2], &examples);
	forget(&examples);
	return status ? 1 : 0;
}
