/* tests/unit/sms.c - parts and pieces of SMS, and the numbers that providers give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <utf8proc.h>

#include "adapters/sms/sms.h"
#include "base/arena.h"

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

static char *times(const char *s, size_t count)
{
	size_t len = strlen(s);
	char *text = arena_alloc(arena, len * count + 1);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * len, s, len);
	return text;
}

static char *joined(const char *a, const char *b)
{
	return arena_printf(arena, "%s%s", a, b);
}

/* 3GPP TS 23.038 6.2.1 and 6.2.1.1, in the order of their codes. */
static const char table_one[] = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
				"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
static const char table_two[] = "\f^{}\\[~]|€";

static void the_alphabet_is_exact(void **state)
{
	(void)state;
	struct sms_size one = sms_measure(table_one), two = sms_measure(table_two);
	assert_int_equal(one.coding, SMS_GSM7);
	assert_int_equal(one.units, 127); /* 128 codes less the escape */
	assert_int_equal(two.coding, SMS_GSM7);
	assert_int_equal(two.units, 2 * 10);

	size_t in_alphabet = 0;
	for (int32_t point = 1; point < 0x30000; point++) {
		utf8proc_uint8_t text[5] = {0};
		if (point >= 0xD800 && point < 0xE000)
			continue;
		utf8proc_encode_char(point, text);
		in_alphabet += sms_measure((char *)text).coding == SMS_GSM7;
	}
	assert_int_equal(in_alphabet, 137);
}

static void measures(void **state)
{
	(void)state;
	const struct {
		const char *text;
		enum sms_coding coding;
		size_t units, parts;
	} cases[] = {
		{"", SMS_GSM7, 0, 1},
		{"help", SMS_GSM7, 4, 1},
		{times("a", 160), SMS_GSM7, 160, 1},
		{times("a", 161), SMS_GSM7, 161, 2},
		{times("a", 306), SMS_GSM7, 306, 2},
		{times("a", 307), SMS_GSM7, 307, 3},
		{times("€", 80), SMS_GSM7, 160, 1},
		{times("€", 81), SMS_GSM7, 162, 2},
		/* 76 pairs fit in 153 septets and one septet stays empty */
		{times("€", 152), SMS_GSM7, 304, 2},
		{times("€", 153), SMS_GSM7, 306, 3},
		{"接单 17", SMS_UCS2, 5, 1},
		{"tab\there", SMS_UCS2, 8, 1},
		{"`", SMS_UCS2, 1, 1},
		{times("接", 70), SMS_UCS2, 70, 1},
		{times("接", 71), SMS_UCS2, 71, 2},
		{times("接", 134), SMS_UCS2, 134, 2},
		{times("接", 135), SMS_UCS2, 135, 3},
		{times("😀", 35), SMS_UCS2, 70, 1},
		/* 33 pairs in 67 units: the 34th does not end the part in its middle */
		{times("😀", 66), SMS_UCS2, 132, 2},
		{times("😀", 67), SMS_UCS2, 134, 3},
		/* a family is eleven units, six fit */
		{times("👨‍👩‍👧‍👦", 12), SMS_UCS2, 132, 2},
		{times("👨‍👩‍👧‍👦", 13), SMS_UCS2, 143, 3},
		{"caf\xc3", SMS_UCS2, 4, 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sms_size size = sms_measure(cases[i].text);
		if (size.coding != cases[i].coding || size.units != cases[i].units ||
		    size.parts != cases[i].parts)
			fail_msg("case %zu: coding %d, %zu units, %zu parts", i, (int)size.coding,
				 size.units, size.parts);
	}
}

static bool is_boundary(const char *text, size_t at)
{
	utf8proc_int32_t state = 0, before = -1, point;
	for (size_t i = 0;;) {
		utf8proc_ssize_t n =
			utf8proc_iterate((const utf8proc_uint8_t *)text + i, -1, &point);
		if (n < 0)
			return true; /* only asked of valid text */
		bool boundary = before < 0 || !point ||
				utf8proc_grapheme_break_stateful(before, point, &state);
		if (i == at)
			return boundary;
		if (!point || i > at)
			return false;
		before = point;
		i += (size_t)n;
	}
}

/* What holds of every text. `clusters`: none of its clusters is longer than a part. */
static void check_split(const char *text, size_t parts_max, bool clusters)
{
	char **pieces = sms_split(arena, text, parts_max);
	size_t at = 0;
	for (size_t i = 0; pieces[i]; i++) {
		size_t len = strlen(pieces[i]);
		assert_true(len > 0);
		assert_int_equal(strncmp(pieces[i], text + at, len), 0);
		assert_true(sms_measure(pieces[i]).parts <= parts_max);
		at += len;
		if (clusters)
			assert_true(is_boundary(text, at));
	}
	assert_int_equal(at, strlen(text));
}

static void splits_where_a_reader_would(void **state)
{
	(void)state;
	const char *zh50 = times("一二三四五六七八九十", 5), *en = times("abcdefghi ", 14);
	const struct {
		const char *text;
		size_t parts_max;
		const char *first;
	} cases[] = {
		{joined(zh50, "一二三。四五六七八九十一二三四五六七八九十"), 1,
		 joined(zh50, "一二三。")},
		{joined(zh50, "一二三！”四五六七八九十一二三四五六七八九十"), 1,
		 joined(zh50, "一二三！”")},
		{joined(zh50, "一二三，四五六七八九十一二三四五六七八九十"), 1,
		 joined(zh50, "一二三，")},
		{joined(zh50, "一二三四电话13800001111123456789一二三四五"), 1,
		 joined(zh50, "一二三四电话")},
		{joined(en, "abc. abcdefghijk abcdefghijklmn"), 1, joined(en, "abc. ")},
		{joined(en, "3.5 abcdefghijk abcdefghijklmn"), 1, joined(en, "3.5 abcdefghijk ")},
		{joined(en, "line\nabcdefghijk abcdefghijklmn"), 1, joined(en, "line\n")},
		{times("a", 200), 1, times("a", 160)},
		{times("接", 200), 1, times("接", 70)},
		{times("接", 200), 2, times("接", 134)},
		{times("😀", 40), 1, times("😀", 35)},
		{times("€", 90), 1, times("€", 80)},
		/* no point near the end: a full stop at a tenth of it does not count */
		{joined("一二三。", times("接", 100)), 1, joined("一二三。", times("接", 66))},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char **pieces = sms_split(arena, cases[i].text, cases[i].parts_max);
		if (strcmp(pieces[0], cases[i].first) != 0)
			fail_msg("case %zu: first piece is '%s'", i, pieces[0]);
		check_split(cases[i].text, cases[i].parts_max, true);
	}
	assert_null(sms_split(arena, "", 1)[0]);
	assert_string_equal(sms_split(arena, "hi", 1)[0], "hi");
	/* nought is read as one */
	assert_int_equal(sms_measure(sms_split(arena, times("a", 500), 0)[0]).parts, 1);
}

static void a_giant_cluster_is_cut_between_code_points(void **state)
{
	(void)state;
	const char *text = joined("a", times("\u0301", 300));
	char **pieces = sms_split(arena, text, 1);
	for (size_t i = 0; pieces[i]; i++)
		assert_true(utf8proc_codepoint_valid((unsigned char)pieces[i][0]) ||
			    (pieces[i][0] & 0xC0) == 0xC0);
	check_split(text, 1, false);
	check_split(text, 3, false);
}

static uint32_t roll(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	return *seed ^= *seed << 5;
}

static void any_text_comes_back_whole(void **state)
{
	(void)state;
	static const char *const bits[] = {
		"a",  "b ", "€",  "[",    "接", "单",
		"。", ". ", "\n", "\r\n", "😀",  "👨‍👩‍👧‍👦",
		"é",  "🇨🇳", "각", "𠮷",   "`",  "Ω",
		"，", "!",  "“",  "”",    "17", "\xf0\x9f",
	};
	uint32_t seed = 20261124;
	for (int round = 0; round < 3000; round++) {
		char text[2048] = "";
		size_t len = 0, count = roll(&seed) % 150, kinds = 1 + roll(&seed) % 24;
		for (size_t i = 0; i < count; i++) {
			const char *bit = bits[roll(&seed) % kinds];
			memcpy(text + len, bit, strlen(bit));
			len += strlen(bit);
		}
		check_split(text, 1 + roll(&seed) % 5, false);
		arena_clear(arena);
	}
}

static size_t check_corpus(const char *name)
{
	char path[4096], *line = NULL;
	size_t room = 0, count = 0;
	snprintf(path, sizeof path, "%s/../shared/data/%s", getenv("LINLI_SOURCE"), name);
	FILE *file = fopen(path, "r");
	if (!file)
		return 0;
	while (getline(&line, &room, file) > 0) {
		struct json_object *json = json_tokener_parse(line);
		if (!json)
			continue;
		const char *text = json_object_get_string(json);
		for (size_t parts_max = 1; parts_max < 4; parts_max++)
			check_split(text, parts_max, true);
		count++;
		json_object_put(json);
		arena_clear(arena);
	}
	free(line);
	fclose(file);
	return count;
}

static void real_messages_come_back_whole(void **state)
{
	(void)state;
	if (!getenv("LINLI_SOURCE"))
		skip();
	size_t zh = check_corpus("nus-sms-zh.jsonl"), en = check_corpus("nus-sms-en.jsonl");
	if (!zh && !en) {
		print_message("no ../shared/data beside the tree: real messages are not tried\n");
		skip();
	}
	print_message("%zu Chinese and %zu English messages\n", zh, en);
	assert_true(zh > 30000 && en > 50000);
}

static void numbers_become_e164(void **state)
{
	(void)state;
	static const struct {
		const char *number, *code, *want;
	} cases[] = {
		{"+8613800001111", "86", "+8613800001111"},
		{"+8613800001111", NULL, "+8613800001111"},
		{"+86 138-0000 1111", "86", "+8613800001111"},
		{"8613800001111", "86", "+8613800001111"},
		{"8613800001111", "+86", "+8613800001111"},
		{"8613800001111", NULL, "+8613800001111"},
		{"008613800001111", "86", "+8613800001111"},
		{"13800001111", "86", "+8613800001111"},
		{"01082345678", "86", "+861082345678"},
		{"1082345678", "86", "+861082345678"},
		{"861082345678", "86", "+861082345678"},
		{"4917012345678", "86", "+4917012345678"},
		{"(415) 867-5309", "1", "+14158675309"},
		{"14158675309", "1", "+14158675309"},
		{"0114917012345678", "1", "+4917012345678"},
		{"9123456789", "91", "+919123456789"},
		{"919123456789", "91", "+919123456789"},
		{"65123456", "65", "+6565123456"},
		{"6565123456", "65", "+6565123456"},
		{"0612345678", "39", "+390612345678"},
		{"07700900123", "44", "+447700900123"},
		{"10086", "86", "10086"},
		{"500", NULL, "500"},
		{"1069000012345678", "86", "1069000012345678"},
		{"LINLI", "86", "LINLI"},
		{"My Shop 24", "86", "My Shop 24"},
		{"+12345", "86", NULL},
		{"+0123456789", "86", NULL},
		{"+1234567890123456", "86", NULL},
		{"012345678", NULL, NULL},
		{"123456789012345678901", "86", NULL},
		{"whatsapp:+8613800001111", "86", NULL},
		{"+8chars61e", "86", NULL},
		{"", "86", NULL},
		{"   ", "86", NULL},
		{"+", "86", NULL},
		{"++8613800001111", "86", NULL},
		{"8613800001111;1", "86", NULL},
		{"接单", "86", NULL},
		{NULL, "86", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got = sms_number(arena, cases[i].number, cases[i].code);
		if ((!got != !cases[i].want) || (got && strcmp(got, cases[i].want) != 0))
			fail_msg("case %zu: %s", i, got ? got : "NULL");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_alphabet_is_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(measures, setup, teardown),
		cmocka_unit_test_setup_teardown(splits_where_a_reader_would, setup, teardown),
		cmocka_unit_test_setup_teardown(a_giant_cluster_is_cut_between_code_points, setup,
						teardown),
		cmocka_unit_test_setup_teardown(any_text_comes_back_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(real_messages_come_back_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_become_e164, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
