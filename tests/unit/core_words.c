/* tests/unit/core_words.c - what is understood: codes, commands, choices, times, kinds and areas.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bot/core.h"
#include "tests/unit/core_bed.h"

static struct core core_of(struct bed *bed, const struct event *event)
{
	return (struct core){
		.bot = bed->bot, .event = event, .community = &bed_community, .arena = bed->arena};
}

static void test_codes_catch_slips(void **state)
{
	(void)state;
	size_t valid = 0;
	for (int n = 1000; n < 100000; n++) {
		char code[8], other[8];
		snprintf(code, sizeof(code), "%d", n);
		if (!code_valid(code))
			continue;
		valid++;
		size_t len = strlen(code);
		for (size_t i = 0; i < len; i++) {
			for (char digit = '0'; digit <= '9'; digit++) {
				memcpy(other, code, sizeof(other));
				other[i] = digit;
				assert_true(digit == code[i] || !code_valid(other));
			}
			memcpy(other, code, sizeof(other));
			if (i + 1 < len && code[i] != code[i + 1]) {
				other[i] = code[i + 1];
				other[i + 1] = code[i];
				assert_false(code_valid(other));
			}
		}
	}
	assert_int_equal(valid, 900 + 9000);
	assert_false(code_valid(""));
	assert_false(code_valid("12"));
	assert_false(code_valid("0000"));
	assert_false(code_valid("12345678"));
}

static void test_commands(void **state)
{
	static const struct {
		const char *text;
		enum verb verb;
		const char *code, *rest;
	} cases[] = {
		{"接 4711", VERB_CLAIM, "4711", ""},
		{"接4711", VERB_CLAIM, "4711", ""},
		{"４７１１ 接", VERB_CLAIM, "4711", ""},
		{"我接4711，六点到", VERB_CLAIM, "4711", "六点到"},
		{"接任务4711", VERB_CLAIM, "4711", ""},
		{"Claim 4711!", VERB_CLAIM, "4711", ""},
		{"I'll take 4711 at 6", VERB_CLAIM, "4711", "at 6"},
		{"clain 4711", VERB_CLAIM, "4711", ""},
		{"take task no. 4711 please", VERB_CLAIM, "4711", ""},
		{"接", VERB_CLAIM, NULL, ""},
		{"接！", VERB_CLAIM, NULL, ""},
		{"接 六点到", VERB_CLAIM, NULL, "六点到"},
		{"接孩子放学", VERB_NONE, NULL, ""},
		{"接 我妈", VERB_NONE, NULL, ""},
		{"take me to the hospital", VERB_NONE, NULL, ""},
		{"退", VERB_RELEASE, NULL, ""},
		{"can't make it", VERB_RELEASE, NULL, ""},
		{"不好意思，来不了了", VERB_RELEASE, NULL, ""},
		{"Sorry, I can't make it", VERB_RELEASE, NULL, ""},
		{"退回4711", VERB_RELEASE, "4711", ""},
		{"完成 4711 了", VERB_DONE, "4711", ""},
		{"done", VERB_DONE, NULL, ""},
		{"到了", VERB_ARRIVED, NULL, ""},
		{"完成了，谢谢", VERB_DONE, NULL, ""},
		{"接我一下", VERB_NONE, NULL, ""},
		{"finishd", VERB_DONE, NULL, ""},
		{"on my way", VERB_WAY, NULL, ""},
		{"cancel", VERB_CANCEL, NULL, ""},
		{"cancer", VERB_NONE, NULL, ""},
		{"cancer 4711", VERB_CANCEL, "4711", ""},
		{"取消4711", VERB_CANCEL, "4711", ""},
		{"是4711", VERB_YES, "4711", ""},
		{"没有4711", VERB_NO, "4711", ""},
		{"是", VERB_NONE, NULL, ""},
		{"關閉4711 重复", VERB_CLOSE, "4711", "重复"},
		{"報到", VERB_JOIN, NULL, ""},
		{"4711", VERB_CODE, "4711", ""},
		{"13800138000", VERB_NONE, NULL, ""},
		{"接 13800138000", VERB_NONE, NULL, ""},
		{"hello there", VERB_NONE, NULL, ""},
		{"", VERB_NONE, NULL, ""},
	};
	struct bed *bed = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct command command =
			words_parse(bed->bot, bed->arena, text_fold(bed->arena, cases[i].text));
		const char *code = command.code ? command.code : "-";
		if (command.verb != cases[i].verb ||
		    strcmp(code, cases[i].code ? cases[i].code : "-") != 0 ||
		    strcmp(command.rest, cases[i].rest) != 0)
			fail_msg("\"%s\": verb %d code %s rest \"%s\"", cases[i].text,
				 (int)command.verb, code, command.rest);
	}
}

static void test_choices(void **state)
{
	static const struct {
		const char *text;
		int digit;
	} cases[] = {
		{"3", 3},          {"３", 3},         {"3.", 3},      {"三", 3},
		{"选3", 3},        {"選３", 3},       {"第三个", 3},  {"the third", 3},
		{"option 2", 2},   {"number two", 2}, {"1吧", 1},     {"2 please", 2},
		{"0", 0},          {"12", 12},        {"3️⃣", 3}, {"3号楼", -1},
		{"502", -1},       {"三楼", -1},      {"maybe", -1},  {"", -1},
		{"3 oranges", -1},
	};
	struct bed *bed = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int digit = words_digit(bed->bot, text_fold(bed->arena, cases[i].text));
		if (digit != cases[i].digit)
			fail_msg("\"%s\": %d", cases[i].text, digit);
	}
}

/* It is Monday 2026-03-02, ten in the morning. */
static void test_moments(void **state)
{
	static const struct {
		const char *text, *chinese, *english;
	} cases[] = {
		{"六点", "今天18:00", "today 18:00"},
		{"六点半到", "今天18:30", "today 18:30"},
		{"at 6", "今天18:00", "today 18:00"},
		{"11点", "今天11:00", "today 11:00"},
		{"at 11am", "今天11:00", "today 11:00"},
		{"9点", "今天21:00", "today 21:00"},
		{"3点", "今天15:00", "today 15:00"},
		{"18:30", "今天18:30", "today 18:30"},
		{"18：30", "今天18:30", "today 18:30"},
		{"6:15 pm", "今天18:15", "today 18:15"},
		{"晚上七点", "今天19:00", "today 19:00"},
		{"今晚8点", "今天20:00", "today 20:00"},
		{"明早", "明天上午", "tomorrow in the morning"},
		{"明天早上9点", "明天09:00", "tomorrow 09:00"},
		{"明天下午三点一刻", "明天15:15", "tomorrow 15:15"},
		{"tomorrow morning", "明天上午", "tomorrow in the morning"},
		{"tomorrow at 5pm", "明天17:00", "tomorrow 17:00"},
		{"tonight", "今天晚上", "today in the evening"},
		{"两小时后", "今天12:00", "today 12:00"},
		{"兩個小時後", "今天12:00", "today 12:00"},
		{"半小时后到", "今天10:30", "today 10:30"},
		{"半个小时后", "今天10:30", "today 10:30"},
		{"一个半小时后", "今天11:30", "today 11:30"},
		{"20分钟后", "今天10:20", "today 10:20"},
		{"in 2h", "今天12:00", "today 12:00"},
		{"in two hours", "今天12:00", "today 12:00"},
		{"in half an hour", "今天10:30", "today 10:30"},
		{"in an hour", "今天11:00", "today 11:00"},
		{"in 45 minutes", "今天10:45", "today 10:45"},
		{"后天", "周三", "Wed"},
		{"周六上午", "周六上午", "Sat in the morning"},
		{"on Saturday", "周六", "Sat"},
		{"周一", "今天", "today"},
		{"下周一", "3月9日", "3/9"},
		{"next friday", "3月13日", "3/13"},
		{"马上", "尽快", "as soon as possible"},
		{"随时", "时间不限", "any time"},
		{"今天", "今天", "today"},
	};
	static const char *const none[] = {"3号楼502", "two bottles of milk", "我去",
					   "a 6 pack", "买三斤土豆",          ""};
	struct bed *bed = *state;
	const struct event event = {.now = 1772416800000, .utc_offset = 8 * 3600};
	struct core core = core_of(bed, &event);
	struct moment moment;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (!moment_find(&core, cases[i].text, &moment, NULL))
			fail_msg("\"%s\": not understood", cases[i].text);
		const char *chinese = moment_say(&core, 0, moment);
		const char *english = moment_say(&core, 1, moment);
		if (strcmp(chinese, cases[i].chinese) != 0 ||
		    strcmp(english, cases[i].english) != 0)
			fail_msg("\"%s\": %s, %s", cases[i].text, chinese, english);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		if (moment_find(&core, none[i], &moment, NULL))
			fail_msg("\"%s\": %s", none[i], moment_say(&core, 1, moment));
}

static void test_kinds_and_areas(void **state)
{
	static const struct {
		const char *text, *kind, *area;
	} cases[] = {
		{"帮忙买菜，东区", "shopping", "east"},
		{"幫忙買菜，東區", "shopping", "east"},
		{"leaking tap in the west", "repair", "west"},
		{"我在13号楼，漏水了", "repair", "west"},
		{"我在３号楼，漏水了", "repair", "east"},
		{"从东区搬到西区", "moving", NULL},
		{"buyer's remorse", NULL, NULL},
		{"westminster", NULL, NULL},
		{"需要律师", "legal", NULL},
	};
	struct bed *bed = *state;
	const struct event event = {.now = 0};
	struct core core = core_of(bed, &event);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *folded = text_fold(bed->arena, cases[i].text);
		const struct kind *kind = kind_guess(&core, folded);
		const struct area *area = area_guess(&core, folded);
		if (strcmp(kind ? kind->id : "-", cases[i].kind ? cases[i].kind : "-") != 0 ||
		    strcmp(area ? area->id : "-", cases[i].area ? cases[i].area : "-") != 0)
			fail_msg("\"%s\": %s, %s", cases[i].text, kind ? kind->id : "-",
				 area ? area->id : "-");
	}
}

static void test_reactions(void **state)
{
	struct bed *bed = *state;
	assert_true(words_reaction(bed->bot, bed->arena, "👍"));
	assert_true(words_reaction(bed->bot, bed->arena, "👍🏽"));
	assert_true(words_reaction(bed->bot, bed->arena, "+1"));
	assert_true(words_reaction(bed->bot, bed->arena, "thumbsup"));
	assert_false(words_reaction(bed->bot, bed->arena, "👎"));
	assert_false(words_reaction(bed->bot, bed->arena, "😂"));
	assert_false(words_reaction(bed->bot, bed->arena, NULL));
}

static void test_outgoing_round_trip(void **state)
{
	struct bed *bed = *state;
	const struct outgoing was = {
		.message = {.id = "7-0-1",
			    .to = "+8613800000001",
			    .text = "“是”\n\"\\",
			    .group = true,
			    .about = "9",
			    .edit = "8",
			    .buttons = {{"接", "claim:4711"}, {"不", "x"}},
			    .button_count = 2},
		.community = "bed",
		.ref = "card/4711/all",
		.replaces = "r",
		.not_after = 1772416800001,
		.made_at = 1772416800000,
	};
	struct outgoing is;
	size_t len;
	char *payload = outgoing_encode(&was, bed->arena, &len);
	assert_int_equal(outgoing_decode(payload, len, bed->arena, &is), 0);
	assert_string_equal(is.message.text, was.message.text);
	assert_string_equal(is.message.buttons[1].data, "x");
	assert_int_equal(is.message.button_count, 2);
	assert_true(is.message.group);
	assert_string_equal(is.ref, was.ref);
	assert_int_equal(is.not_after, was.not_after);
	assert_int_equal(outgoing_decode("{\"id\":3}", 8, bed->arena, &is), -1);
	assert_int_equal(outgoing_decode("nonsense", 8, bed->arena, &is), -1);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_catch_slips),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_kinds_and_areas),
		cmocka_unit_test(test_reactions),
		cmocka_unit_test(test_outgoing_round_trip),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
