/* tests/intake/model_test.c - model files that are damaged are refused; scores do as weights say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "bot/model.h"

enum { PLACES = 1024 };

static const char good[] = "linli-model 1\nname test\nchars 2 3\nwords 1 2\nbits 10\n"
			   "threshold 600000\nbias -1000000\nscale 10000000\n\n";

/* A file of this head and a table of zeros. */
static const char *file_of(struct arena *arena, const char *head, size_t places, size_t *len_r)
{
	char *bytes = arena_alloc(arena, strlen(head) + places + 1);
	memcpy(bytes, head, strlen(head));
	*len_r = strlen(head) + places;
	return bytes;
}

static void refuses_what_is_damaged(void **state)
{
	(void)state;
	static const char *const heads[] = {
		"",
		"linli-model 2\n\n",
		"linli-model 1\nchars 2 3\n\n",
		"linli-model 1\nchars 3 2\nwords 1 2\nbits 10\nthreshold 1\nbias 0\nscale 1\n\n",
		"linli-model 1\nchars 2 3\nwords 1 2\nbits 40\nthreshold 1\nbias 0\nscale 1\n\n",
		"linli-model 1\nchars 2\nwords 1 2\nbits 10\nthreshold 1\nbias 0\nscale 1\n\n",
		"linli-model 1\nchars 2 3 4\nwords 1 2\nbits 10\nthreshold 1\nbias 0\nscale 1\n\n",
		"linli-model 1\nchars 2 3\nwords 1 2\nbits 10\nthreshold 0\nbias 0\nscale 1\n\n",
		"linli-model 1\nchars 2 3\nwords 1 2\nbits 10\nthreshold 1\nbias x\nscale 1\n\n",
	};
	struct arena *arena = arena_new();
	size_t len;
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		struct error error = {.text = ""};
		const char *bytes = file_of(arena, heads[i], PLACES, &len);
		assert_null(model_parse(bytes, len, arena, &error));
		assert_string_not_equal(error.text, "");
	}
	const char *bytes = file_of(arena, good, PLACES, &len);
	assert_non_null(model_parse(bytes, len, arena, NULL));
	/* Every shorter one, and one a byte too long. */
	for (size_t cut = 0; cut < len; cut++)
		assert_null(model_parse(bytes, cut, arena, NULL));
	bytes = file_of(arena, good, PLACES + 1, &len);
	assert_null(model_parse(bytes, len, arena, NULL));
	arena_free(&arena);
}

static void scores_by_its_weights(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	int8_t weights[PLACES] = {0};
	struct model model = {
		.char_from = 2,
		.char_to = 3,
		.word_from = 1,
		.word_to = 2,
		.bits = 10,
		.threshold = 600000,
		.bias = 0,
		.scale = 100000000,
		.weights = weights,
	};
	const char *text = "help me", *folded = text_fold(arena, (char[]){"help me"});
	double before = model_score(&model, arena, text, folded);
	assert_true(before > 0.4999 && before < 0.5001);
	assert_false(model_says(&model, before, 0));
	assert_true(model_says(&model, before, 40));
	struct model_features features = model_features(&model, arena, text, folded);
	/* " help me " has 8 pairs and 7 triples; help, me, help me, and how it begins. */
	assert_int_equal(features.count[MODEL_CHARS], 15);
	assert_int_equal(features.count[MODEL_WORDS], 4);
	weights[features.at[features.count[MODEL_CHARS]]] = 100;
	double after = model_score(&model, arena, text, folded);
	assert_true(after > 0.9);
	assert_true(model_says(&model, after, 0));
	/* Texts of nothing and of one emoji have a score as well. */
	assert_true(model_score(&model, arena, "", "") > 0);
	assert_true(model_score(&model, arena, "\xf0\x9f\x98\x80", " ") < 1);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_damaged),
		cmocka_unit_test(scores_by_its_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
