/* tests/unit/core_random.c - real text messages and random acts against the core: what must hold,
 * holds.
 *
 * The messages are those of ../shared/data (its README names the corpora); without
 * that folder the test is skipped. Every resident's text carries a mark that no
 * group may ever be shown.
 */
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/unit/core_bed.h"

enum { EVENTS = 12000, LINES_MAX = 100000, MINUTE = 60 * 1000 };

static const char mark[] = "QZX77";

struct corpus {
	char **lines;
	size_t count;
};

static uint64_t state_of_chance = 20260302;

static unsigned chance(unsigned below)
{
	state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state_of_chance >> 33) % below;
}

static void corpus_read(struct corpus *corpus, const char *name)
{
	char path[600];
	char *line = NULL;
	size_t room = 0;
	snprintf(path, sizeof(path), "%s/../shared/data/%s", getenv("LINLI_SOURCE"), name);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	while (corpus->count < LINES_MAX && getline(&line, &room, file) > 0) {
		struct json_object *json = json_tokener_parse(line), *text = json;
		if (json_object_is_type(json, json_type_object) &&
		    !json_object_object_get_ex(json, corpus->count % 2 ? "en" : "original", &text))
			text = NULL;
		const char *s = json_object_get_string(text);
		if (s && *s)
			corpus->lines[corpus->count++] = xstrdup(s);
		json_object_put(json);
	}
	free(line);
	fclose(file);
}

static const char *random_text(struct bed *bed, const struct corpus *corpus, bool marked)
{
	static const char *const short_ones[] = {"1",
						 "2",
						 "3",
						 "0",
						 "是",
						 "no",
						 "取消",
						 "cancel",
						 "status",
						 "修改",
						 "接",
						 "退",
						 "到了",
						 "路上",
						 "完成",
						 "继续",
						 "help",
						 "列表",
						 "报到",
						 "take",
						 "帮忙买菜，东区",
						 "灯坏了，西区，今天",
						 "I need someone to carry a box, west",
						 "救命",
						 "需要律师，东区，明天",
						 "START",
						 "english",
						 "中文",
						 "接 六点"};
	const char *line = corpus->lines[chance((unsigned)corpus->count)];
	if (chance(3))
		line = short_ones[chance(sizeof(short_ones) / sizeof(*short_ones))];
	const char *code = chance(4) ? NULL : bed_code(bed);
	if (code)
		return arena_printf(bed->arena, "%s %s", chance(2) ? "接" : line, code);
	/* Short answers stay what they are; whatever is told carries the mark. */
	return marked && text_points(line) > 4 && !strchr(line, ' ') + chance(2)
		       ? arena_printf(bed->arena, "%s %s", line, mark)
		       : arena_str(bed->arena, line);
}

enum { RESIDENTS = 8 };

/* What a resident was asked last wants a digit: most of them give it. */
static const char *asked[RESIDENTS];

static void note_questions(const struct bed *bed)
{
	for (size_t i = 0; i < bed->send_count; i++) {
		const char *to = bed->sends[i].message.to, *text = bed->sends[i].message.text;
		if (strncmp(to, "+86138000000", 12) != 0)
			continue;
		bool place = strstr(text, "0 to skip") || strstr(text, "回0");
		bool digit = strstr(text, "\n1") || strstr(text, "1 yes") || strstr(text, "回1");
		asked[to[13] - '0'] = place ? "0" : digit ? "1" : NULL;
	}
}

static void random_resident(struct bed *bed, const struct corpus *corpus)
{
	char who[24];
	unsigned i = chance(RESIDENTS);
	snprintf(who, sizeof(who), "+86138000000%02u", i);
	const char *answer = asked[i] && chance(8) ? asked[i] : random_text(bed, corpus, true);
	/* Platforms report many as blocked here; they come back. */
	if (!asked[i] && !chance(6))
		answer = "START";
	asked[i] = NULL;
	bed_direct(bed, "sms", who, answer);
}

static void random_message(struct bed *bed, const struct corpus *corpus)
{
	char who[24];
	bool known;
	switch (chance(6)) {
	case 0:
	case 1:
	case 2:
		random_resident(bed, corpus);
		break;
	case 3:
		known = chance(4) != 0;
		snprintf(who, sizeof(who), "%s%u", known ? "v" : "x", chance(5));
		bed_direct(bed, "chat", known && !chance(6) ? "boss" : who,
			   random_text(bed, corpus, true));
		break;
	default:
		snprintf(who, sizeof(who), "v%u", chance(5));
		bed_group(bed, chance(2) ? "g-all" : "g-plain", who,
			  random_text(bed, corpus, false));
		break;
	}
}

/* What became of the sends of the last event that wanted to be told. */
static void random_outcomes(struct bed *bed)
{
	static unsigned long messages;
	struct {
		char ref[128];
		bool card;
	} refs[BED_SENDS];
	size_t count = 0;
	for (size_t i = 0; i < bed->send_count; i++) {
		const char *ref = bed->sends[i].ref;
		if (!ref)
			continue;
		refs[count].card = !strncmp(ref, "card/", 5);
		snprintf(refs[count++].ref, sizeof(refs->ref), "%s", ref);
	}
	for (size_t i = 0; i < count; i++) {
		char id[24];
		snprintf(id, sizeof(id), "p%lu", ++messages);
		struct event event = {.type = EVENT_OUTCOME,
				      .ref = refs[i].ref,
				      .send_id = "1-0-0",
				      .outcome = {.kind = OUTCOME_SENT, .message_id = id}};
		if (!refs[i].card && !chance(5))
			event.outcome = (struct outcome){
				.kind = OUTCOME_REFUSED,
				.refusal = chance(2) ? REFUSAL_BLOCKED : REFUSAL_UNREACHABLE};
		bed_event(bed, &event);
	}
}

static void check_sends(const struct bed *bed)
{
	for (size_t i = 0; i < bed->send_count; i++) {
		const struct message_out *message = &bed->sends[i].message;
		assert_true(text_valid(message->text, strlen(message->text)));
		assert_true(strlen(message->id) <= 48);
		assert_non_null(bed->channels[i]);
		if (!message->group)
			continue;
		if (strstr(message->text, mark) || strstr(message->text, "+86138"))
			fail_msg("a group was shown: %s", message->text);
	}
}

static bool has_due(const struct bed *bed, const char *code)
{
	for (size_t i = 0; i < bed->due_count; i++) {
		const char *name = bed->dues[i].name;
		const char *slash = strchr(name, '/');
		size_t len = strlen(code);
		if (strncmp(name, "draft/", 6) != 0 && !strncmp(slash + 1, code, len) &&
		    (slash[1 + len] == 0 || slash[1 + len] == '/'))
			return true;
	}
	return false;
}

/* Every task that is not over goes on by itself, and nobody is too many. */
static void check_tasks(const struct bed *bed)
{
	for (size_t i = 0; i < bed->document_count; i++) {
		const struct document *document = &bed->documents[i];
		if (strncmp(document->key, "task/", 5) != 0 || !document->body)
			continue;
		struct json_object *json = json_tokener_parse(document->body), *value;
		assert_non_null(json);
		assert_true(json_object_object_get_ex(json, "state", &value));
		const char *state = json_object_get_string(value);
		bool over = !strcmp(state, "closed");
		if (!over && !has_due(bed, document->key + 5))
			fail_msg("%s (%s) has no next step", document->key, state);
		int64_t helpers = json_object_object_get_ex(json, "helpers", &value)
					  ? json_object_get_int64(value)
					  : 0;
		int64_t claims = json_object_object_get_ex(json, "claims", &value)
					 ? (int64_t)json_object_array_length(value)
					 : 0;
		assert_true(claims <= helpers);
		assert_true(strcmp(state, "open") != 0 || claims < helpers);
		assert_true(strcmp(state, "taken") != 0 || claims == helpers);
		if (over)
			assert_null(strstr(document->body, mark));
		json_object_put(json);
	}
}

static void test_random_life(void **state)
{
	(void)state;
	struct corpus corpus = {.lines = xalloc(LINES_MAX * sizeof(char *))};
	corpus_read(&corpus, "nus-sms-zh.jsonl");
	corpus_read(&corpus, "haiti-sms-validation.jsonl");
	corpus_read(&corpus, "nus-sms-en.jsonl");
	if (!corpus.count) {
		free(corpus.lines);
		print_message("no corpora in ../shared/data, skipped\n");
		skip();
	}
	struct bed *bed = bed_new();
	unsigned long sends = 0;
	for (int i = 0; i < EVENTS; i++) {
		random_message(bed, &corpus);
		sends += bed->send_count;
		note_questions(bed);
		check_sends(bed);
		random_outcomes(bed);
		check_sends(bed);
		if (!chance(25))
			bed_pass(bed, (int64_t)chance(40) * MINUTE);
		check_sends(bed);
		if (i % 50 == 0)
			check_tasks(bed);
	}
	bed_pass(bed, (int64_t)30 * 24 * 60 * MINUTE);
	check_tasks(bed);
	size_t tasks = 0;
	for (size_t i = 0; i < bed->document_count; i++)
		tasks += !strncmp(bed->documents[i].key, "task/", 5) && bed->documents[i].body;
	print_message("%lu events, %lu sends, %zu tasks\n", bed->events, sends, tasks);
	/* It was a life: tasks were opened, and everything came to an end by itself. */
	assert_true(tasks > 50 && sends > 1000);
	assert_int_equal(bed->due_count, 0);
	bed_free(&bed);
	for (size_t i = 0; i < corpus.count; i++)
		free(corpus.lines[i]);
	free(corpus.lines);
}

/* Each real message alone, from a stranger: understood or not, it gets one kind answer at most. */
static void test_every_message_alone(void **state)
{
	(void)state;
	struct corpus corpus = {.lines = xalloc(LINES_MAX * sizeof(char *))};
	corpus_read(&corpus, "nus-sms-zh.jsonl");
	corpus_read(&corpus, "nus-sms-en.jsonl");
	if (!corpus.count) {
		free(corpus.lines);
		print_message("no corpora in ../shared/data, skipped\n");
		skip();
	}
	struct bed *bed = bed_new();
	unsigned long alarms = 0, drafts = 0, seen = 0, stopped = 0;
	for (size_t i = 0; i < corpus.count; i += 7, seen++) {
		/* Everybody is new: what is kept of the last one is put away. */
		while (bed->document_count) {
			struct document *last = &bed->documents[--bed->document_count];
			free((char *)last->key);
			free((char *)last->body);
		}
		bed_direct(bed, "sms", "+8613800000001", corpus.lines[i]);
		check_sends(bed);
		const char *me = bed_document(bed, "person/key-+8613800000001");
		alarms += bed_sent(bed, "boss", NULL) != NULL;
		drafts += me && strstr(me, "\"draft\"") != NULL;
		stopped += me && strstr(me, "\"stopped\"") != NULL;
		assert_true(bed->send_count <= 3);
	}
	print_message("%lu strangers' messages: %lu drafts, %lu alarms, %lu stops\n", seen, drafts,
		      alarms, stopped);
	/* These are chats between friends: few ask a neighbourhood for anything. */
	assert_true(alarms * 100 < seen);
	assert_true(drafts * 4 < seen);
	assert_true(stopped * 1000 < seen);
	bed_free(&bed);
	for (size_t i = 0; i < corpus.count; i++)
		free(corpus.lines[i]);
	free(corpus.lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_life),
		cmocka_unit_test(test_every_message_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
