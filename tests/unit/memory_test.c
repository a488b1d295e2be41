/* Tests arenas, buffers and error sentences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

static void arena_hands_out_zeroed_aligned_memory(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 3000; size += 7) {
			unsigned char *p = arena_alloc(arena, size);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xA5, size);
		}
		arena_clear(arena);
	}
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

static void arena_keeps_what_was_handed_out(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const char *first = arena_str(arena, "first");
	char *big = arena_alloc(arena, 100 * 1000);
	memset(big, 'x', 100 * 1000);
	const char *bytes = arena_bytes(arena, "a\0b", 3);
	const char *printed = arena_printf(arena, "%s-%d", first, 42);
	assert_string_equal(first, "first");
	assert_memory_equal(bytes, "a\0b", 4);
	assert_string_equal(printed, "first-42");
	assert_null(arena_str(arena, NULL));
	arena_free(&arena);
}

static void arena_grows_arrays(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	int *items = NULL;
	for (size_t n = 0; n < 5000; n++) {
		items = arena_grow(arena, items, n, sizeof *items);
		items[n] = (int)n * 3;
	}
	for (size_t n = 0; n < 5000; n++)
		assert_int_equal(items[n], (int)n * 3);
	arena_free(&arena);
}

static void buf_is_always_ended(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 0);
	assert_string_equal(buf.data, "");
	for (int i = 0; i < 1000; i++) {
		buf_printf(&buf, "%d,", i);
		assert_int_equal(strlen(buf.data), buf.len);
	}
	buf_clear(&buf);
	buf_str(&buf, "hello");
	buf_char(&buf, '!');
	buf_add(&buf, NULL, 0);
	buf_drop(&buf, 2);
	assert_string_equal(buf.data, "llo!");
	buf_drop(&buf, 100);
	assert_string_equal(buf.data, "");
	assert_false(buf.full);
	buf_free(&buf);
}

static void buf_stops_at_its_ceiling(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 8);
	buf_str(&buf, "12345678");
	assert_false(buf.full);
	buf_char(&buf, '9');
	assert_true(buf.full);
	assert_string_equal(buf.data, "12345678");
	buf_clear(&buf);
	buf_printf(&buf, "%s", "123456789");
	assert_true(buf.full);
	assert_string_equal(buf.data, "");
	/* Full stays full, so that a later shorter piece cannot slip in behind a hole. */
	buf_str(&buf, "x");
	assert_string_equal(buf.data, "");
	buf_free(&buf);
}

static void error_sentences(void **state)
{
	(void)state;
	struct error error;
	assert_int_equal(error_set(&error, "port %d: %s", 80, "in use"), -1);
	assert_string_equal(error.text, "port 80: in use");
	assert_int_equal(error_prefix(&error, "web at %s", "::"), -1);
	assert_string_equal(error.text, "web at ::: port 80: in use");
	assert_int_equal(error_set(NULL, "nobody hears"), -1);
	assert_int_equal(error_prefix(NULL, "nobody hears"), -1);
}

static void long_error_sentences_end_at_a_whole_character(void **state)
{
	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		char text[1000] = "";
		memset(text, 'a', (size_t)shift);
		for (int i = 0; i < 200; i++)
			strcat(text, "里");
		struct error error;
		error_set(&error, "%s", text);
		size_t len = strlen(error.text);
		assert_in_range(len, sizeof error.text - 4, sizeof error.text - 1);
		assert_int_equal((len - (size_t)shift) % 3, 0);
		assert_memory_equal(error.text, text, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_hands_out_zeroed_aligned_memory),
		cmocka_unit_test(arena_keeps_what_was_handed_out),
		cmocka_unit_test(arena_grows_arrays),
		cmocka_unit_test(buf_is_always_ended),
		cmocka_unit_test(buf_stops_at_its_ceiling),
		cmocka_unit_test(error_sentences),
		cmocka_unit_test(long_error_sentences_end_at_a_whole_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
