/* tests/talks/test_talk.c - the language of talks: patterns, what they catch, and every mistake
 * told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "bot/run/rehearse/talk.h"

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
		const char *name, *value; /* what is caught */
	} cases[] = {
		{"hello", "hello", true, NULL, NULL},
		{"hello", " hello\n", true, NULL, NULL},
		{"hello", "hello you", false, NULL, NULL},
		{"*", "", true, NULL, NULL},
		{"*买药*", "好的，买药，3号楼", true, NULL, NULL},
		{"*买药*", "好的，买菜", false, NULL, NULL},
		{"*one*two*", "one line\nand two", true, NULL, NULL},
		{"*{code}*", "编号 4710，3号楼", true, "code", "4710"},
		{"*{code}*", "3号楼，编号4710", true, "code", "4710"},
		{"*{code}*", "3号楼，12人", false, NULL, NULL},
		{"{code} *{code}", "4710 and 4710", true, "code", "4710"},
		{"{code} *{code}", "4710 and 4711", false, NULL, NULL},
		{"*word: <word>.*", "Your word: river. Bye", true, "word", "river"},
		{"100\\*", "100*", true, NULL, NULL},
		{"100\\*", "1000", false, NULL, NULL},
		{"a*b*c", "abbbc", true, NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_new();
		struct talk_variables caught = {.arena = arena};
		if (talk_match(cases[i].pattern, cases[i].text, &caught) != cases[i].fits)
			fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].text);
		if (cases[i].name) {
			assert_int_equal(caught.count, 1);
			assert_string_equal(caught.items[0].name, cases[i].name);
			assert_string_equal(caught.items[0].value, cases[i].value);
		}
		arena_free(&arena);
	}
}

static void test_filling(void **state)
{
	struct arena *arena = arena_new();
	struct talk_variable code = {"code", "4719"};
	struct talk_variables caught = {.arena = arena, .items = &code, .count = 1};
	const char *unknown = NULL;
	static const struct {
		const char *text, *filled;
	} cases[] = {
		{"接 {code}", "接 4719"},
		{"接 {code+1}", "接 4710"},
		{"接 {code+100}", "接 4819"},
		{"接 {code wide}", "接 ４７１９"},
		{"接 {code+1 wide}", "接 ４７１０"},
		{"\\{code}", "{code}"},
		{"a {b", "a {b"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(talk_fill(cases[i].text, &caught, arena, &unknown),
				    cases[i].filled);
	assert_null(talk_fill("take {other}", &caught, arena, &unknown));
	assert_string_equal(unknown, "other");
	/* What was caught before is fixed, and not a pattern itself. */
	assert_true(talk_match("*{code}*", "code 4719!", &caught));
	assert_false(talk_match("*{code}*", "code 4710!", &caught));
	assert_true(talk_match("*{code+1}*", "code 4710!", &caught));
	code.value = "47*9";
	assert_false(talk_match("{code}", "4719", &caught));
	arena_free(&arena);
}

static char *write_talk(const char *content)
{
	char *file = strdup("/tmp/linli-talk-XXXXXX");
	int fd = mkstemp(file);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
	return file;
}

static struct talk read_talk(struct arena *arena, const char *content)
{
	struct talk talk;
	struct error error;
	char *file = write_talk(content);
	assert_int_equal(talk_read(&talk, file, arena, &error), 0);
	unlink(file);
	free(file);
	return talk;
}

#define HEAD                                                                                       \
	"title: t\nstart: 2026-03-02 19:00\npeople:\n  Ann: phone +441, chat a.1, language en\n"   \
	"  Bob Lee: chat 7\n"

static void test_statements(void **state)
{
	struct arena *arena = arena_new();
	struct talk talk =
		read_talk(arena, HEAD "# a remark\n"
				      "Ann: hello: you\n"
				      "Ann by chat:\n    two\n    lines\n"
				      "at once:\n"
				      "  Bob Lee in east, quoting \"*x*\": take\n"
				      "  Ann in east presses [Take] on \"*x*\"\n"
				      "bot → one of Ann, Bob Lee (winner), at 07:05: *yes*\n"
				      "bot → the others (loser): *no*\n"
				      "in any order:\n"
				      "  bot -> east, with [Take]: a\n"
				      "2 hours pass\n"
				      "until 07:00\n"
				      "every text to winner is refused: blocked\n"
				      "the next text to Ann must wait 30 seconds\n"
				      "card {code} in east, without buttons: *full*\n"
				      "only Ann, Bob Lee have seen: *502*\n"
				      "-- a night: passes\n"
				      "bot says nothing\n"
				      "Ann，你好\n");
	(void)state;
	assert_int_equal(talk.mistake_count, 1); /* the last line is no statement */
	assert_int_equal(talk.mistakes[0].line, 26);
	assert_int_equal(talk.person_count, 4);
	assert_int_equal(talk.people[0].address_count, 2);
	assert_string_equal(talk.people[0].language, "en");
	const struct talk_step *step = talk.steps;
	assert_string_equal(step[0].text, "hello: you");
	assert_string_equal(step[1].text, "two\nlines");
	assert_string_equal(step[1].channel, "chat");
	assert_int_equal(step[2].block, TALK_AT_ONCE);
	assert_true(step[2].block_first);
	assert_string_equal(step[2].group, "east");
	assert_string_equal(step[2].about, "*x*");
	assert_false(step[3].block_first);
	assert_string_equal(step[3].button, "Take");
	assert_int_equal(step[4].pick, TALK_SOME_OF);
	assert_int_equal(step[4].person_count, 2);
	assert_int_equal(step[4].minute_of_day, 425);
	assert_int_equal(step[4].alias, 2);
	assert_int_equal(step[5].pick, TALK_THE_OTHERS);
	assert_string_equal(step[6].label, "Take");
	assert_int_equal(step[7].duration, 7200000);
	assert_int_equal(step[8].type, TALK_UNTIL);
	assert_int_equal(step[9].outcome.refusal, REFUSAL_BLOCKED);
	assert_int_equal(step[9].people[0], 2);
	assert_int_equal(step[10].outcome.retry_ms, 30000);
	assert_true(step[11].no_buttons);
	assert_int_equal(step[12].type, TALK_SEEN);
	assert_int_equal(step[13].type, TALK_NOTE);
	assert_int_equal(step[14].type, TALK_SILENCE);
	assert_int_equal(talk.step_count, 15);
	arena_free(&arena);
}

static void test_mistakes(void **state)
{
	struct arena *arena = arena_new();
	struct talk talk = read_talk(arena, "start: tomorrow\n" /* 1 */
					    "people:\n"
					    "  Ann: telephone\n"     /* 3, twice: and no address */
					    "  Ann: phone +441\n"    /* 4 */
					    "Bob: hello\n"           /* 5 */
					    "bot: hello\n"           /* 6 */
					    "3 moons pass\n"         /* 7 */
					    "at once:\n"             /* 8 */
					    "    bot → Ann: hello\n" /* 9 */
					    "Ann reacts 👍\n"         /* 10 */
					    "the next text to Ann is refused: badly\n" /* 11 */
					    "until 25:00\n"                            /* 12 */
					    "Ann:\n");                                 /* 13 */
	static const int lines[] = {1, 3, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 1, 1};
	(void)state;
	for (size_t i = 0; i < talk.mistake_count; i++)
		if (i < sizeof(lines) / sizeof(*lines) && talk.mistakes[i].line != lines[i])
			fail_msg("line %d: %s", talk.mistakes[i].line, talk.mistakes[i].sentence);
	assert_int_equal(talk.mistake_count, sizeof(lines) / sizeof(*lines));
	arena_free(&arena);
}

static void test_unreadable(void **state)
{
	struct arena *arena = arena_new();
	struct talk talk;
	struct error error;
	(void)state;
	assert_int_equal(talk_read(&talk, "/nonexistent/a.talk", arena, &error), -1);
	assert_non_null(strstr(error.text, "/nonexistent/a.talk"));
	char *file = write_talk("title: \xff\xfe\n");
	assert_int_equal(talk_read(&talk, file, arena, &error), -1);
	unlink(file);
	free(file);
	arena_free(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),   cmocka_unit_test(test_filling),
		cmocka_unit_test(test_statements), cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_unreadable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
