/* Tests UTF-8 text: what is valid, how it is cleaned, measured, folded and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/text_variants.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void validity(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		bool valid;
		const char *cleaned;
	} cases[] = {
		{"", 0, true, ""},
		{"help", 4, true, "help"},
		{"邻里", 6, true, "邻里"},
		{"😀", 4, true, "😀"},
		{"a\0b", 3, false, "ab"},
		{"\xFF", 1, false, "\uFFFD"},
		{"\xC0\xAF", 2, false, "\uFFFD\uFFFD"},           /* over-long / */
		{"\xE0\x80\x80", 3, false, "\uFFFD\uFFFD\uFFFD"}, /* over-long NUL */
		{"\xED\xA0\x80", 3, false, "\uFFFD\uFFFD\uFFFD"}, /* surrogate */
		{"\xF4\x90\x80\x80", 4, false, "\uFFFD\uFFFD\uFFFD\uFFFD"}, /* past U+10FFFF */
		{"\xE9\x82", 2, false, "\uFFFD\uFFFD"},           /* cut short */
		{"\xE9\x82x", 3, false, "\uFFFD\uFFFDx"},
		{"a\tb\nc\rd\x1B[1m", 11, true, "a\tb\ncd[1m"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(text_valid(cases[i].bytes, cases[i].len), cases[i].valid);
		char *cleaned = text_clean(arena, cases[i].bytes, cases[i].len);
		assert_string_equal(cleaned, cases[i].cleaned);
		assert_true(text_valid(cleaned, strlen(cleaned)));
	}
}

static void lengths(void **state)
{
	(void)state;
	assert_int_equal(text_points(""), 0);
	assert_int_equal(text_points("a邻😀"), 3);
	assert_int_equal(text_utf16_units("a邻😀"), 4);
	int32_t point;
	assert_int_equal(text_next("", &point), 0);
	assert_int_equal(text_next("邻里", &point), 3);
	assert_int_equal(point, 0x90BB);
	assert_int_equal(text_next("\xE9\x82", &point), 1);
	assert_int_equal(point, 0xFFFD);
}

static const struct {
	const char *typed, *folded;
} folds[] = {
	{"", ""},
	{"   ", ""},
	{"　ＨＥＬＰ！！ ", "help"},
	{"Help!", "help"},
	{"help,please", "help please"},
	{"help  ,  please...", "help please"},
	{"STRASSE Straße", "strasse strasse"},
	{"接單１２３４", "接单1234"},
	{"接单 1️⃣2️⃣", "接单 12"},
	{"✅接👍🏽单❤️", "接 单"},
	{"👨‍👩‍👧", ""},
	{"🇨🇳 你好", "你好"},
	{"我要幫忙，買藥！", "我要帮忙 买药"},
	{"請問醫院在哪裡？", "请问医院在哪里"},
	{"3號樓2單元", "3号楼2单元"},
	{"晚上７：３０", "晚上7 30"},
	{"三个人", "三个人"},
	{"〇二", "〇二"},
	{"ﬁre", "fire"},
	{"e\u0301", "\u00E9"},
	{"re\u00ADquest\u200B", "request"},
	{"a\u00A0b\u3000c\td\ne", "a b c d e"},
	{"td退订", "td退订"},
	{"ＴＤ退訂", "td退订"},
	{"“好的”", "好的"},
	{"ÉCOLE", "école"},
	{"bad\xFF\xC3", "bad"},
	{"①", "1"},
	{"\uE000x\U0001FAE8", "x"}, /* private use, and newer than the tables */
};

static void folding(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof folds / sizeof folds[0]; i++) {
		const char *folded = text_fold(arena, folds[i].typed);
		assert_string_equal(folded, folds[i].folded);
		/* Folding what is folded changes nothing. */
		assert_string_equal(text_fold(arena, folded), folded);
	}
}

static void variants_are_sorted_and_settled(void **state)
{
	(void)state;
	size_t count = sizeof text_variants / sizeof text_variants[0];
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || text_variants[i - 1].traditional < text_variants[i].traditional);
		assert_true(text_is_han((int32_t)text_variants[i].traditional));
		assert_true(text_is_han((int32_t)text_variants[i].simplified));
		for (size_t j = 0; j < count; j++)
			assert_int_not_equal(text_variants[i].simplified,
					     text_variants[j].traditional);
	}
}

static void cutting(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t points;
		const char *cut;
	} cases[] = {
		{"hello", 5, "hello"},
		{"hello", 9, "hello"},
		{"hello", 4, "hel…"},
		{"hello", 1, "…"},
		{"hello", 0, ""},
		{"", 0, ""},
		{"请到东区", 3, "请到…"},
		{"ae\u0301x", 3, "a…"},            /* the accent stays with its letter */
		{"👨‍👩‍👧abc", 5, "…"}, /* one family is five points */
		{"👨‍👩‍👧abc", 6, "👨‍👩‍👧…"},
		{"🇨🇳🇨🇳", 3, "🇨🇳…"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *cut = text_cut(arena, cases[i].text, cases[i].points);
		assert_string_equal(cut, cases[i].cut);
		assert_true(text_points(cut) <= cases[i].points);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validity),	cmocka_unit_test(lengths),
		cmocka_unit_test(folding),	cmocka_unit_test(variants_are_sorted_and_settled),
		cmocka_unit_test(cutting),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
