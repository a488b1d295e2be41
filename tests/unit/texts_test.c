/* Tests locales: what is said, how plurals are chosen, and which mistakes are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "config/locale_read.h"
#include "config/texts.h"
#include "config/yaml.h"

static struct arena *arena;
static char folder[64];

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	snprintf(folder, sizeof folder, "/tmp/linli-texts-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	rmdir(folder);
	arena_free(&arena);
	return 0;
}

static const char *write_file(const char *name, const char *content)
{
	const char *path = arena_printf(arena, "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	return path;
}

static const char *const keys[] = {"hello", "left"};

static const char english[] = "tag: en\nname: English\n"
			      "texts:\n  hello: \"Hello {name}, your code is {code}.\"\n"
			      "  left:\n    one: \"{count} is left\"\n    other: \"{count} are left\"\n"
			      "words:\n  yes: [Yes, OK!]\n";

/* Reads one locale, compares it with the English one, and gives all mistakes as lines. */
static const char *mistakes_of(const char *name, const char *content)
{
	struct mistakes mistakes = {.arena = arena, .file = "en"};
	struct locale model, own;
	const char *file = write_file("en.yaml", english);
	assert_true(locale_read(file, keys, 2, arena, &mistakes, &model));
	assert_int_equal(mistakes.count, 0);
	unlink(file);
	file = write_file(name, content);
	mistakes.file = name;
	if (locale_read(file, keys, 2, arena, &mistakes, &own))
		locale_compare(&own, &model, keys, 2, &mistakes);
	unlink(file);
	char *all = arena_str(arena, "");
	for (size_t i = 0; i < mistakes.count; i++)
		all = arena_printf(arena, "%s%d:%d %s\n", all, mistakes.items[i].line,
				   mistakes.items[i].column, mistakes.items[i].sentence);
	return all;
}

static void locale_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *name, *content, *mistakes;
	} cases[] = {
		{"zh-CN.yaml",
		 "tag: zh-CN\nname: 中文\ntexts:\n  hello: \"{name}，{code}\"\n"
		 "  left: {other: \"还有{count}\"}\nwords:\n  yes: [好, 是]\n",
		 ""},
		{"zh-CN.yaml", "tag: zh-CN\nname: 中文\ntexts:\n  hello: \"{name}，{code}\"\nwords: {yes: [好]}\n",
		 "4:3 the text \"left\" is missing\n"},
		{"zh-CN.yaml",
		 "tag: zh-CN\nname: 中文\ntexts:\n  hello: \"{name}，{cod}\"\n"
		 "  left: {one: \"剩{count}\", other: \"剩{count}\"}\n  more: x\nwords: {no: [不]}\n",
		 "5:15 this language has the form other: only\n"
		 "6:3 the English locale has no text \"more\"\n"
		 "4:3 \"hello\" has the blank {cod} that the English text has not\n"
		 "4:3 \"hello\" lacks the blank {code} of the English text\n"
		 "1:1 the list of words \"yes\" is missing\n"
		 "7:9 the English locale has no list of words \"no\"\n"},
		{"fr.yaml",
		 "tag: fr\nname: Français\ntexts:\n  hello: \"{name} {code\"\n  left: {other: \"{count}\"}\n"
		 "words: {yes: [Oui, oui, \"!\"]}\nextra: 1\n",
		 "7:1 a locale has tag, name, texts and words, not \"extra\"\n"
		 "4:10 a { that begins no {blank}: a blank has small letters, digits and _ only\n"
		 "5:9 the form one: is missing\n"
		 "6:20 this word, once folded, is already in the list\n"
		 "6:25 a word is wanted that has letters or digits\n"
		 "4:3 \"hello\" lacks the blank {code} of the English text\n"
		 "5:3 \"left\" and the English text differ in having plural forms\n"},
		{"de.yaml", "tag: fr\nname: x\ntexts: {hello: \"{name}{code}\", left: {one: \"ein\", other: \"{count}\"}}\nwords: {yes: [ja]}\n",
		 "1:1 the tag \"fr\" and the file's name differ\n"},
		{"de.yaml", "- a\n", "1:1 a locale is a section with keys\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(mistakes_of(cases[i].name, cases[i].content), cases[i].mistakes);
}

static void plural_forms(void **state)
{
	(void)state;
	static const struct {
		const char *tag;
		long number;
		bool one;
	} cases[] = {{"en", 1, true},  {"en", 0, false}, {"en", 2, false}, {"fr", 0, true},
		     {"fr", 1, true},  {"fr", 2, false}, {"zh-CN", 1, false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct locale locale = {.tag = cases[i].tag};
		locale.plain_plural = strcmp(cases[i].tag, "zh-CN") == 0;
		locale.zero_is_one = strcmp(cases[i].tag, "fr") == 0;
		assert_int_equal(plural_is_one(&locale, cases[i].number), cases[i].one);
	}
}

static struct locales *shipped(void)
{
	const char *source = getenv("LINLI_SOURCE");
	struct error error = {{0}};
	struct locales *locales =
		locales_load(arena_printf(arena, "%s/config/locales", source ? source : "."), &error);
	if (!locales)
		fail_msg("%s", error.text);
	return locales;
}

static void shipped_locales_in_their_order(void **state)
{
	(void)state;
	static const struct {
		const char *tag;
		int language;
	} cases[] = {{"zh-CN", 0}, {"zh", 0},     {"zh-Hant-TW", 0}, {"ZH_hans", 0}, {"en", 1},
		     {"en-GB", 1}, {"EN", 1},     {"english", -1},   {"", -1},       {"tlh", -1},
		     {"e", -1}};
	struct locales *locales = shipped();
	assert_true(locales_count(locales) >= 2);
	assert_string_equal(locales_tag(locales, 0), "zh-CN");
	assert_string_equal(locales_tag(locales, 1), "en");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(locales_find(locales, cases[i].tag), cases[i].language);
	locales_free(&locales);
	assert_null(locales);
}

/* Every shipped text in every language, with every blank of the English one given. */
static void every_shipped_text_can_be_said(void **state)
{
	(void)state;
	struct locales *locales = shipped();
	const char *source = getenv("LINLI_SOURCE");
	struct mistakes mistakes = {.arena = arena};
	const struct yaml_node *texts = yaml_get(
		yaml_read_file(arena,
			       arena_printf(arena, "%s/config/locales/en.yaml", source ? source : "."),
			       &mistakes),
		"texts");
	assert_int_equal(texts->count, TEXT_COUNT);
	for (int id = 0; id < TEXT_COUNT; id++) {
		const struct yaml_node *node = yaml_get(texts, text_key((enum text_id)id));
		assert_non_null(node);
		const char *text = node->kind == YAML_MAP ? yaml_get(node, "other")->text : node->text;
		struct blank blanks[16] = {{0}};
		size_t count = 0;
		for (const char *at = text; (at = strchr(at, '{')); at++) {
			size_t len = blank_at(at);
			assert_true(len > 0 && count < 16);
			const char *name = arena_bytes(arena, at + 1, len - 2);
			blanks[count++] = (struct blank){
				.name = name,
				.value = strcmp(name, "count") == 0 ? NULL : "<x>",
				.number = 1,
			};
		}
		for (size_t language = 0; language < locales_count(locales); language++) {
			const char *said = text_say(locales, (int)language, (enum text_id)id, arena,
						    blanks, count);
			assert_true(*said);
			assert_true(text_valid(said, strlen(said)));
			assert_null(strchr(said, '{'));
		}
	}
	assert_int_equal(locale_words(locales, 1, "no such list").count, 0);
	locales_free(&locales);
}

static void a_folder_that_is_not_there(void **state)
{
	(void)state;
	struct error error;
	assert_null(locales_load("/no/such/folder", &error));
	assert_non_null(strstr(error.text, "/no/such/folder"));
	assert_non_null(strstr(error.text, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locale_mistakes),
		cmocka_unit_test(plural_forms),
		cmocka_unit_test(shipped_locales_in_their_order),
		cmocka_unit_test(every_shipped_text_can_be_said),
		cmocka_unit_test(a_folder_that_is_not_there),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
