/* tests/unit/core_tasks.c - claims, leases, consent and danger, event by event on the bare core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "bot/core.h"
#include "tests/unit/core_bed.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static int set_up(void **state)
{
	*state = bed_new();
	return 0;
}

static int tear_down(void **state)
{
	struct bed *bed = *state;
	bed_free(&bed);
	return 0;
}

static void expect(const struct bed *bed, const char *to, const char *part)
{
	const char *text = bed_sent(bed, to, NULL);
	if (!text)
		fail_msg("nothing to %s (wanted: %s)", to, part);
	if (!strstr(text, part))
		fail_msg("to %s: \"%s\" (wanted: %s)", to, text, part);
}

static void expect_nothing(const struct bed *bed, const char *to)
{
	const char *text = bed_sent(bed, to, NULL);
	if (text)
		fail_msg("to %s: \"%s\" (wanted: nothing)", to, text);
}

/* A posted task of a resident; its code. */
static const char *posted(struct bed *bed, const char *text)
{
	static char code[8];
	bed_direct(bed, "sms", "+8613800000001", text);
	bed_direct(bed, "sms", "+8613800000001", "0");
	bed_direct(bed, "sms", "+8613800000001", "1");
	const char *found = bed_code(bed);
	assert_non_null(found);
	snprintf(code, sizeof(code), "%s", found);
	return code;
}

static const char *with(const char *word, const char *code)
{
	static char text[64];
	snprintf(text, sizeof(text), "%s %s", word, code);
	return text;
}

static void test_card_tells_little(void **state)
{
	struct bed *bed = *state;
	posted(bed, "我家在东区五零二室旁边，帮忙买菜，今天，密码盒在门口");
	/* "室" says the place already: the 0 re-asked the confirmation, the 1 posted. */
	expect(bed, "g-all", "买菜，东区，今天");
	expect_nothing(bed, "g-plain");
	for (size_t i = 0; i < bed->send_count; i++)
		if (bed->sends[i].message.group) {
			assert_null(strstr(bed->sends[i].message.text, "五零二"));
			assert_null(strstr(bed->sends[i].message.text, "密码"));
		}
}

static void test_exactly_as_many_as_needed(void **state)
{
	struct bed *bed = *state;
	const char *code = posted(bed, "帮忙搬，东区，今天");
	size_t winners = 0, told = 0;
	for (int i = 0; i < 8; i++) {
		char name[8];
		size_t count;
		snprintf(name, sizeof(name), "v%d", i);
		bed_group(bed, "g-all", name, with("接", code));
		bed_sent(bed, name, &count);
		winners += count;
		bed_group(bed, "g-all", name, with("接", code));
		const char *late = bed_sent(bed, "g-all", NULL);
		told += late && strstr(late, "被v0，v1先接");
	}
	assert_int_equal(winners, 2);
	/* Told once: the second try of the same person was met with silence. */
	assert_int_equal(told, 0);
}

static void test_late_is_told_once(void **state)
{
	struct bed *bed = *state;
	const char *code = posted(bed, "帮忙买菜，东区，今天");
	bed_group(bed, "g-all", "v0", with("接", code));
	bed_group(bed, "g-all", "v1", with("接", code));
	expect(bed, "g-all", "被v0先接了一步");
	bed_group(bed, "g-all", "v1", with("接", code));
	assert_int_equal(bed->send_count, 0);
	bed_group(bed, "g-all", "v2", "接");
	expect(bed, "g-all", "被v0先接了一步");
}

static void test_promise_reaches_resident(void **state)
{
	struct bed *bed = *state;
	const char *code = posted(bed, "帮忙买菜，东区，明天");
	bed_group(bed, "g-all", "v0", "接 六点到");
	expect(bed, "v0", "您说：明天18:00");
	expect(bed, "+8613800000001", "明天18:00到");
	bed_direct(bed, "chat", "v0", "等我下班就来");
	expect_nothing(bed, "+8613800000001");
	bed_group(bed, "g-all", "v0", with("接", code));
	expect(bed, "g-all", "已经是您的了");
	/* The lease begins when the help was promised. */
	bed_pass(bed, 24 * HOUR_MS);
	assert_non_null(
		strstr(bed_document(bed, arena_printf(bed->arena, "task/%s", code)), "\"taken\""));
	bed_pass(bed, 11 * HOUR_MS);
	assert_non_null(
		strstr(bed_document(bed, arena_printf(bed->arena, "task/%s", code)), "\"open\""));
}

static void test_lease(void **state)
{
	struct bed *bed = *state;
	const char *code = posted(bed, "帮忙买菜，东区，今天");
	bed_group(bed, "g-all", "v0", with("接", code));
	bed_pass(bed, 90 * MINUTE_MS);
	expect(bed, "v0", "您还在办吗");
	bed_direct(bed, "chat", "v0", "继续");
	expect(bed, "v0", "给您留着");
	bed_pass(bed, 89 * MINUTE_MS);
	bed_pass(bed, 2 * MINUTE_MS);
	expect(bed, "v0", "您还在办吗");
	bed_pass(bed, 30 * MINUTE_MS);
	expect(bed, "v0", "已重新找人");
	expect(bed, "+8613800000001", "来不了了");
	expect(bed, "g-all", "需1人");
}

static void test_stop_means_stop(void **state)
{
	static const char *const words[] = {
		"STOP", "stop.",    "ＳＴＯＰ", "Unsubscribe", "退订",    "退訂", "TD",
		"t",    "取消订阅", "revoke",   "OPT OUT",     "STOPALL", "End"};
	static const char *const others[] = {"STOP 12345", "please stop by", "the end", "退订单",
					     "do not stop"};
	struct bed *bed = *state;
	char who[16];
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		snprintf(who, sizeof(who), "+86138%zu", i);
		bed_direct(bed, "sms", who, "帮忙买菜，东区");
		bed_direct(bed, "sms", who, words[i]);
		assert_int_equal(bed->send_count, 1);
		assert_non_null(strstr(bed_sent(bed, who, NULL), "退订"));
		bed_direct(bed, "sms", who, words[i]);
		assert_int_equal(bed->send_count, 0);
		bed_direct(bed, "sms", who, "你好");
		assert_int_equal(bed->send_count, 0);
		bed_pass(bed, HOUR_MS); /* the draft is gone: nothing comes of it */
		assert_int_equal(bed->send_count, 0);
		bed_direct(bed, "sms", who, i % 2 ? "START" : "恢复");
		expect(bed, who, "欢迎回来");
		bed->send_count = 0;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		snprintf(who, sizeof(who), "+86139%zu", i);
		bed_direct(bed, "sms", who, others[i]);
		assert_null(
			strstr(bed_document(bed, arena_printf(bed->arena, "person/key-%s", who)),
			       "stopped"));
	}
}

static void test_stop_keeps_the_task(void **state)
{
	struct bed *bed = *state;
	const char *code = posted(bed, "帮忙买菜，东区，今天");
	bed_direct(bed, "sms", "+8613800000001", "退订");
	bed_group(bed, "g-all", "v0", with("接", code));
	expect(bed, "+8613800000001", "v0接了");
	bed_direct(bed, "chat", "v0", "完成");
	expect(bed, "+8613800000001", "是吗");
	bed_direct(bed, "sms", "+8613800000001", "是");
	expect(bed, "v0", "非常感谢");
	bed_direct(bed, "sms", "+8613800000001", "帮忙买菜，东区");
	assert_int_equal(bed->send_count, 0);
}

static void test_danger_comes_first(void **state)
{
	static const char *const texts[] = {"救命！",
					    "我家着火了",
					    "老人胸口疼",
					    "There is a fire",
					    "my father has CHEST PAIN",
					    "有人持刀",
					    "煤氣洩漏 冒烟",
					    "she can't breathe",
					    "FIRE!!!"};
	static const char *const harmless[] = {"fire away", "老人想聊天", "冒险",
					       "police station road", "I am dying to see it"};
	struct bed *bed = *state;
	char who[16];
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		snprintf(who, sizeof(who), "+86138%zu", i);
		bed_direct(bed, "sms", who, texts[i]);
		assert_string_equal(bed->sends[0].message.to, who);
		if (!strstr(bed->sends[0].message.text, "110 / 119"))
			fail_msg("%s: %s", texts[i], bed->sends[0].message.text);
		assert_non_null(bed_sent(bed, "boss", NULL));
		assert_null(strstr(bed_sent(bed, "boss", NULL), texts[i]));
		bed_direct(bed, "sms", who, texts[i]);
		expect_nothing(bed, "boss");
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
		bed_direct(bed, "sms", "+86139", harmless[i]);
		expect_nothing(bed, "boss");
	}
}

static void test_flood_never_silences_danger(void **state)
{
	struct bed *bed = *state;
	size_t answered = 0;
	for (int i = 0; i < 40; i++) {
		bed_direct(bed, "sms", "+86138", "哈哈哈");
		answered += bed->send_count;
	}
	assert_int_equal(answered, 20 + 1);
	bed_direct(bed, "sms", "+86138", "救命");
	assert_non_null(bed_sent(bed, "boss", NULL));
	bed_direct(bed, "sms", "+86138", "退订");
	expect(bed, "+86138", "已退订");
	bed_direct(bed, "sms", "+86138", "恢复");
	bed_pass(bed, 11 * MINUTE_MS);
	bed_direct(bed, "sms", "+86138", "你好");
	assert_int_equal(bed->send_count, 1);
}

static void test_group_talk_is_left_alone(void **state)
{
	static const char *const talk[] = {
		"大家早上好", "谁去买菜",   "完成",           "好的",     "1",
		"2",          "退",         "到了",           "路上堵",   "接我一下",
		"接孩子去了", "stop",       "退订",           "取消",     "帮助",
		"help",       "救命啊哈哈", "接 2024 届新生", "done",     "I take my tea with milk",
		"yes",        "4711",       "列表",           "明天六点",
	};
	struct bed *bed = *state;
	posted(bed, "帮忙买菜，东区，今天");
	for (size_t i = 0; i < sizeof(talk) / sizeof(*talk); i++) {
		bed_group(bed, "g-all", "v0", talk[i]);
		if (bed->send_count)
			fail_msg("\"%s\" was answered: \"%s\"", talk[i],
				 bed->sends[0].message.text);
	}
}

static void test_choice_survives_time(void **state)
{
	struct bed *bed = *state;
	posted(bed, "帮忙买菜，东区，今天");
	posted(bed, "灯坏了要修，西区，今天");
	bed_group(bed, "g-all", "v0", "接");
	expect(bed, "g-all", "是哪一个");
	const char *first = strstr(bed_sent(bed, "g-all", NULL), "1: ");
	char code[8];
	snprintf(code, sizeof(code), "%.4s", first + 3);
	bed_group(bed, "g-all", "v1", with("接", code));
	assert_non_null(bed_sent(bed, "v1", NULL));
	bed_group(bed, "g-all", "v0", "1");
	expect(bed, "g-all", "被v1先接了一步");
	bed_group(bed, "g-all", "v0", "1");
	assert_int_equal(bed->send_count, 0);
}

static void test_closed_task_forgets(void **state)
{
	struct bed *bed = *state;
	const char *code = posted(bed, "帮忙买菜，东区，今天，钥匙在花盆下");
	bed_group(bed, "g-all", "v0", with("接", code));
	bed_direct(bed, "chat", "v0", "完成");
	bed_pass(bed, 13 * HOUR_MS);
	expect(bed, "v0", "已结束");
	const char *body = bed_document(bed, arena_printf(bed->arena, "task/%s", code));
	assert_non_null(strstr(body, "unconfirmed"));
	assert_null(strstr(body, "花盆"));
	assert_null(strstr(body, "key-"));
	bed_group(bed, "g-all", "v1", with("接", code));
	expect(bed, "g-all", "已经结束");
}

static void test_same_number_twice_opens_one(void **state)
{
	struct bed *bed = *state;
	const char *code = posted(bed, "帮忙买菜，东区，今天");
	bed_direct(bed, "sms", "+8613800000001", "帮忙买菜，东区。今天！");
	expect(bed, "+8613800000001", code);
	expect(bed, "+8613800000001", "已登记");
}

/* English sentences of one part use only letters that every SMS has. */
static void test_english_fits_plain_sms(void **state)
{
	struct bed *bed = *state;
	static const struct blank blanks[] = {
		{.name = "code", .value = "4711"},
		{.name = "codes", .value = "4711"},
		{.name = "handle", .value = "Sarah"},
		{.name = "promise", .value = ""},
		{.name = "safety", .value = "river"},
		{.name = "names", .value = "Sarah"},
		{.name = "summary", .value = "Shopping, East"},
		{.name = "numbers", .value = "110 / 119 / 120"},
		{.name = "count", .number = 2},
		{.name = "number", .number = 37},
		{.name = "options", .value = ""},
		{.name = "other", .value = "other"},
		{.name = "how", .value = "take 4711"},
		{.name = "words", .value = "milk"},
		{.name = "place", .value = "502"},
		{.name = "who", .value = "a neighbour"},
		{.name = "when", .value = "today"},
		{.name = "clock", .value = "18:00"},
		{.name = "weekday", .value = "Sat"},
		{.name = "month", .number = 3},
		{.name = "day", .number = 9},
		{.name = "lines", .value = ""},
		{.name = "reason", .value = "double"},
		{.name = "area", .value = "East"},
		{.name = "said", .value = ""},
		{.name = "told", .value = ""},
		{.name = "group", .value = "all"},
	};
	static const char odd[] = "\"{}[]~^|\\`";
	for (int id = 0; id < TEXT_COUNT; id++) {
		char *english = text_say(bed->locales, 1, (enum text_id)id, bed->arena, blanks,
					 sizeof(blanks) / sizeof(*blanks));
		for (const char *c = english; *c; c++)
			if ((unsigned char)*c >= 0x80 || strchr(odd + 5, *c))
				fail_msg("%s: letter %02x", english, (unsigned char)*c);
		if (strlen(english) > 160)
			fail_msg("%zu letters: %s", strlen(english), english);
		char *chinese = text_say(bed->locales, 0, (enum text_id)id, bed->arena, blanks,
					 sizeof(blanks) / sizeof(*blanks));
		/* The details carry the request itself. */
		if (id != TEXT_DETAILS && text_utf16_units(chinese) > 70)
			fail_msg("%zu units: %s", text_utf16_units(chinese), chinese);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_card_tells_little),
		CASE(test_exactly_as_many_as_needed),
		CASE(test_late_is_told_once),
		CASE(test_promise_reaches_resident),
		CASE(test_lease),
		CASE(test_stop_means_stop),
		CASE(test_stop_keeps_the_task),
		CASE(test_danger_comes_first),
		CASE(test_flood_never_silences_danger),
		CASE(test_group_talk_is_left_alone),
		CASE(test_choice_survives_time),
		CASE(test_closed_task_forgets),
		CASE(test_same_number_twice_opens_one),
		CASE(test_english_fits_plain_sms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
