/* tests/talks/talks_random.c - many people who do anything, for days; what must hold always is
 * looked at after every step (bot/run/rehearse/watch.c), and in the end nothing is left hanging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "adapters/adapter.h"
#include "base/arena.h"
#include "base/buf.h"
#include "bot/run/rehearse/play.h"
#include "config/config.h"
#include "config/texts.h"

enum {
	RESIDENTS = 9,
	VOLUNTEERS = 6,
	PEOPLE = RESIDENTS + VOLUNTEERS,
	STEPS = 600,
	SEEDS_STANDARD = 6,
	MINUTE = 60 * 1000,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
};

struct crowd {
	struct arena *arena;
	struct play *play;
	struct talk *talk;
	uint64_t dice;
};

static const char *const requests[] = {
	"我想请人帮忙买药，东区3号楼502室，今天",
	"帮忙买点菜，今天下午，西区1号楼101室",
	"水管漏水，急！东区2号楼",
	"想问一下法律问题",
	"需要人帮忙",
	"I need someone to fetch medicine, west block 2 flat 30",
	"please help with shopping tomorrow morning",
	"The tap is broken, urgent, east",
	"help me",
	"灯泡坏了，想请人修，随时，西区5号楼202",
	"我胸口疼",
	"fire in the kitchen",
	"hello",
	"你好",
	"谢谢",
	"？",
	"今天天气不错",
	"what",
	"👍",
	"１",
	"yes please tonight at 8",
};

static const char *const answers[] = {
	"1",        "1",      "1",     "1",          "1",        "2",
	"3",        "4",      "0",     "２",         "一",       "yes",
	"好",       "no",     "不",    "第一个",     "明天上午", "tomorrow at 6",
	"两小时后", "东区",   "west",  "3号楼502室", "状态",     "status",
	"取消",     "cancel", "修改",  "change",     "停",       "STOP",
	"START",    "START",  "开始",  "帮助",       "HELP",     "English",
	"中文",     "没有",   "done?", "9",          "12345",
};

static const char *const verbs[] = {
	"接",        "接",   "接",      "take", "take", "退",   "release", "出发",
	"on my way", "到了", "arrived", "完成", "done", "继续", "keep",    "列表",
	"list",      "关闭", "close",   "报到", "join", "",
};

static uint64_t roll(struct crowd *crowd, size_t sides)
{
	return stage_random(&crowd->dice) % sides;
}

#define PICK(crowd, list) (list)[roll(crowd, sizeof(list) / sizeof(*(list)))]

/* A number of four digits or more from what the bot said lately; or an invented one. */
static const char *some_code(struct crowd *crowd)
{
	const struct play *play = crowd->play;
	for (int tries = 0; play->entry_count && tries < 20; tries++) {
		size_t back = 1 + roll(crowd, play->entry_count < 80 ? play->entry_count : 80);
		const struct entry *entry = &play->entries[play->entry_count - back];
		const char *p = entry->text;
		if (entry->type != ENTRY_HEARD && entry->type != ENTRY_CHANGED)
			continue;
		for (; *p; p++) {
			size_t digits = strspn(p, "0123456789");
			if (digits >= 4)
				return arena_bytes(crowd->arena, p, digits);
			p += digits ? digits - 1 : 0;
		}
	}
	return arena_printf(crowd->arena, "%d", 1000 + (int)roll(crowd, 9000));
}

static const char *some_command(struct crowd *crowd)
{
	const char *verb = PICK(crowd, verbs);
	switch (roll(crowd, 5)) {
	case 0:
		return *verb ? verb : "1";
	case 1:
		return arena_printf(crowd->arena, "%s%s 两小时后", verb, some_code(crowd));
	default:
		return arena_printf(crowd->arena, "%s %s", verb, some_code(crowd));
	}
}

static const struct group *some_group(struct crowd *crowd)
{
	const struct community *community = crowd->play->community;
	return &community->groups[roll(crowd, community->group_count)];
}

/* Presses or answers something of the bot's that stands where the person can see it. */
static bool on_a_message(struct crowd *crowd, struct talk_step *step, const struct group *group)
{
	const struct play *play = crowd->play;
	for (size_t i = play->entry_count; i-- > 0;) {
		const struct entry *entry = &play->entries[i];
		if (entry->type != ENTRY_HEARD || roll(crowd, 3) == 0 ||
		    (group ? entry->group != group : entry->person != step->people[0]))
			continue;
		const struct entry *now = play_now_reads(play, entry);
		if (now->button_count && roll(crowd, 2)) {
			step->button = now->buttons[roll(crowd, now->button_count)].label;
			return true;
		}
		step->about = "*";
		if (group && roll(crowd, 2))
			step->reaction = "👍";
		else
			step->text = PICK(crowd, verbs);
		return step->reaction || *step->text;
	}
	return false;
}

/* What a person who follows would answer; NULL if nothing was asked. */
static const char *sensible(struct crowd *crowd, int person)
{
	static const char *const next[] = {"路上", "到了", "done", "完成", "退回"};
	const struct play *play = crowd->play;
	for (size_t i = play->entry_count; i-- > 0;) {
		const struct entry *entry = &play->entries[i];
		if (entry->person != person || entry->type != ENTRY_HEARD)
			continue;
		if (strstr(entry->text, "\n1 ") || strstr(entry->text, "1 yes"))
			return roll(crowd, 8) ? "1" : "2";
		if (strstr(entry->text, "回1是"))
			return roll(crowd, 4) ? "1" : "2";
		if (strstr(entry->text, "Send START") || strstr(entry->text, "“恢复”"))
			return "START";
		if (strstr(entry->text, "ext send:") || strstr(entry->text, "接下来请发"))
			return PICK(crowd, next);
		if (strstr(entry->text, "KEEP") || strstr(entry->text, "继续"))
			return roll(crowd, 2) ? "keep" : "退回";
		if (strstr(entry->text, "回0") || strstr(entry->text, "0 to skip"))
			return "0";
		return NULL;
	}
	return NULL;
}

static const char *resident_text(struct crowd *crowd, int person)
{
	const char *answer = roll(crowd, 5) ? sensible(crowd, person) : NULL;
	if (answer)
		return answer;
	if (roll(crowd, 12) == 0)
		return some_command(crowd);
	return roll(crowd, 3) ? PICK(crowd, requests) : PICK(crowd, answers);
}

static struct talk_step some_words(struct crowd *crowd)
{
	struct talk_step step = {.type = TALK_SAY, .times = 1, .person_count = 1, .text = ""};
	if (roll(crowd, 2)) {
		const struct group *group = roll(crowd, 3) ? some_group(crowd) : NULL;
		step.people[0] = RESIDENTS + (int)roll(crowd, VOLUNTEERS);
		step.group = group ? group->id : NULL;
		if (roll(crowd, 3) == 0 && on_a_message(crowd, &step, group))
			return step;
		step.button = step.about = step.reaction = NULL;
		const char *answer = group ? NULL : sensible(crowd, step.people[0]);
		step.text = answer           ? answer
			    : roll(crowd, 6) ? some_command(crowd)
					     : PICK(crowd, answers);
	} else {
		step.people[0] = (int)roll(crowd, RESIDENTS);
		step.text = resident_text(crowd, step.people[0]);
		if (roll(crowd, 10) == 0)
			step.times = 3;
	}
	return step;
}

static void burst(struct crowd *crowd)
{
	size_t count = 2 + roll(crowd, 3);
	for (size_t i = 0; i < count; i++) {
		struct talk_step step = some_words(crowd);
		step.block = TALK_AT_ONCE;
		step.block_first = i == 0;
		play_step(crowd->play, &step, i + 1 == count);
	}
}

/* Several take the same task at once: the newest that a group was shown. */
static void race(struct crowd *crowd)
{
	const struct play *play = crowd->play;
	size_t at = play->entry_count;
	while (at-- > 0)
		if (play->entries[at].type == ENTRY_HEARD && play->entries[at].button_count &&
		    play->entries[at].group)
			break;
	if (at == (size_t)-1)
		return;
	const char *digits = play->entries[at].text + strcspn(play->entries[at].text, "0123456789");
	const char *code = arena_bytes(crowd->arena, digits, strspn(digits, "0123456789"));
	size_t first = roll(crowd, VOLUNTEERS);
	for (size_t i = 0; i < 3; i++) {
		struct talk_step step = {.type = TALK_SAY,
					 .times = 1,
					 .person_count = 1,
					 .people = {RESIDENTS + (int)((first + i) % VOLUNTEERS)},
					 .group = play->entries[at].group->id,
					 .text = arena_printf(crowd->arena, "接 %s", code),
					 .block = TALK_AT_ONCE,
					 .block_first = i == 0};
		play_step(crowd->play, &step, i == 2);
	}
}

static void trouble(struct crowd *crowd)
{
	struct talk_step *step = arena_alloc(crowd->arena, sizeof(*step));
	step->type = TALK_FATE;
	step->person_count = 1;
	step->people[0] = (int)roll(crowd, PEOPLE);
	step->outcome.kind = (enum outcome_kind)(1 + roll(crowd, 3));
	step->outcome.refusal = (enum refusal)roll(crowd, 5);
	if (step->outcome.kind == OUTCOME_RETRY)
		step->outcome.retry_ms = (int64_t)roll(crowd, 60) * 1000;
	play_step(crowd->play, step, true);
}

static void pass(struct crowd *crowd, int64_t ms)
{
	struct talk_step step = {.type = TALK_PASS, .duration = ms};
	play_step(crowd->play, &step, true);
}

static void something(struct crowd *crowd)
{
	uint64_t what = roll(crowd, 40);
	if (what < 26) {
		struct talk_step step = some_words(crowd);
		play_step(crowd->play, &step, true);
	} else if (what < 31) {
		burst(crowd);
	} else if (what < 33) {
		race(crowd);
	} else if (what < 35) {
		trouble(crowd);
	} else if (what < 36 && crowd->play->last_channel) {
		struct talk_step step = {.type = TALK_AGAIN};
		play_step(crowd->play, &step, true);
	} else if (what < 37 && roll(crowd, 2)) {
		stage_kill(crowd->play->stage, 1 + (int)roll(crowd, 12));
		burst(crowd);
	} else if (what < 37) {
		struct talk_step step = {.type = TALK_RESTART};
		play_step(crowd->play, &step, true);
	} else if (what < 39) {
		pass(crowd, (int64_t)roll(crowd, 12) * MINUTE);
	} else {
		pass(crowd, (int64_t)roll(crowd, 14) * HOUR);
	}
}

static void fill_people(struct talk *talk, struct arena *arena, const struct config *config)
{
	const struct community *community = &config->communities[0];
	const char *chat = community->groups[0].channel, *phone = NULL;
	for (size_t i = 0; i < config->channel_count && !phone; i++)
		if (adapter_find(config->channels[i].adapter)->can & IS_SMS)
			phone = config->channels[i].name;
	assert_non_null(phone);
	talk->people = arena_alloc(arena, (PEOPLE + 8) * sizeof(*talk->people));
	for (int i = 0; i < PEOPLE; i++) {
		struct talk_person *person = &talk->people[talk->person_count++];
		bool resident = i < RESIDENTS;
		person->name = arena_printf(arena, "%s-%d", resident ? "resident" : "volunteer", i);
		person->addresses[person->address_count++] = (struct talk_address){
			.channel = resident ? phone : chat,
			.address = resident ? arena_printf(arena, "+86138777766%02d", i)
					    : arena_printf(arena, "55%02d", i)};
		/* Volunteers are in every group. */
		for (size_t g = 1; !resident && g < community->group_count; g++)
			if (strcmp(community->groups[g].channel, chat) != 0)
				person->addresses[person->address_count++] = (struct talk_address){
					.channel = community->groups[g].channel,
					.address = arena_printf(arena, "77%02d", i)};
	}
	for (size_t i = 0; i < community->organiser_count && i < 8; i++) {
		struct talk_person *person = &talk->people[talk->person_count++];
		person->name = arena_printf(arena, "organiser-%zu", i);
		person->addresses[person->address_count++] =
			(struct talk_address){.channel = community->organisers[i].channel,
					      .address = community->organisers[i].address};
	}
}

struct hanging {
	struct arena *arena;
	size_t count;
};

static void count_hanging(void *arg, int shard, const struct document *document)
{
	struct hanging *hanging = arg;
	(void)shard;
	if (!document->body || !strstr(document->key, "/task/"))
		return;
	char *body = arena_bytes(hanging->arena, document->body, document->len);
	struct json_object *task = json_tokener_parse(body), *state;
	assert_true(json_object_object_get_ex(task, "state", &state));
	const char *name = json_object_get_string(state);
	hanging->count += strcmp(name, "closed") != 0 && strcmp(name, "disputed") != 0;
	json_object_put(task);
}

/* What happened in all lives together: rules that nothing ever put to the test prove little. */
struct tally {
	size_t posted, taken, late, reopened, confirmed, lost;
};

static bool says(const struct entry *entry, const char *chinese, const char *english)
{
	return entry->type == ENTRY_HEARD &&
	       (strstr(entry->text, chinese) || strstr(entry->text, english));
}

static void count_up(const struct play *play, struct tally *tally)
{
	for (size_t i = 0; i < play->entry_count; i++) {
		const struct entry *entry = &play->entries[i];
		tally->posted += says(entry, "已发布", " is posted");
		tally->taken += says(entry, "您接了", "Yours: ");
		tally->late += says(entry, "先接了一步", "a moment ago");
		tally->reopened += says(entry, "重新找人", "It is open again");
		tally->confirmed += says(entry, "对方确认", "The neighbour says");
		tally->lost += entry->type == ENTRY_LOST;
	}
}

static void live(const struct config *config, const struct locales *locales, uint64_t seed,
		 struct tally *tally)
{
	struct arena *arena = arena_new();
	struct talk talk = {.file = "random", .title = "random", .words_shown = false};
	talk.start = 1772478000000; /* 2026-03-02 19:00 */
	fill_people(&talk, arena, config);
	struct performance performance = {.talk = &talk,
					  .config = config,
					  .community = &config->communities[0],
					  .locales = locales,
					  .seed = seed};
	struct play *play = play_begin(&performance, arena);
	struct crowd crowd = {.arena = arena, .play = play, .talk = &talk, .dice = seed + 77};
	play->loose = true;
	for (int i = 0; i < STEPS && !play->failed; i++)
		something(&crowd);
	/* Then nobody says anything any more. */
	for (int day = 0; day < 40 && !play->failed; day++)
		pass(&crowd, DAY);
	struct hanging hanging = {.arena = arena};
	size_t entries = play->entry_count;
	if (!play->failed)
		memory_each(stage_memory(play->stage), count_hanging, &hanging);
	if (play->failed || hanging.count || getenv("LINLI_SHOW")) {
		struct buf out;
		buf_init(&out, 0);
		print_transcript(play, &out);
		fprintf(stderr, "%s", out.data);
		buf_free(&out);
	}
	count_up(play, tally);
	bool well = play_end(play);
	size_t left = hanging.count;
	arena_free(&arena);
	printf("seed %llu: %zu lines\n", (unsigned long long)seed, entries);
	if (!well || left)
		fail_msg("seed %llu, %zu tasks left hanging", (unsigned long long)seed, left);
}

static void test_days(void **state)
{
	struct error error;
	const char *source = getenv("LINLI_SOURCE"), *seeds = getenv("LINLI_SEEDS");
	const char *one = getenv("LINLI_SEED");
	char path[512];
	(void)state;
	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/config/locales", source);
	struct locales *locales = locales_load(path, &error);
	assert_non_null(locales);
	struct adapter_settings rows[64] = {{0}};
	for (size_t i = 0; adapters[i] && i < 63; i++)
		rows[i] = (struct adapter_settings){.adapter = adapters[i]->name,
						    .own_size = adapters[i]->own_size,
						    .settings = adapters[i]->settings};
	struct mistake *mistakes = NULL;
	size_t count = 0;
	snprintf(path, sizeof(path), "%s/tests/talks/community.yaml", source);
	struct config *config = config_read(path, rows, locales, &mistakes, &count);
	assert_non_null(config);
	struct tally tally = {0};
	uint64_t first = one ? strtoull(one, NULL, 10) : 1;
	uint64_t last = one ? first : seeds ? strtoull(seeds, NULL, 10) : SEEDS_STANDARD;
	for (uint64_t seed = first; seed <= last; seed++)
		live(config, locales, seed, &tally);
	printf("%zu posted, %zu taken, %zu too late, %zu reopened, %zu confirmed, %zu lost\n",
	       tally.posted, tally.taken, tally.late, tally.reopened, tally.confirmed, tally.lost);
	if (!one)
		assert_true(tally.posted && tally.taken && tally.late && tally.reopened &&
			    tally.confirmed && tally.lost);
	config_free(&config);
	locales_free(&locales);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_days)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
