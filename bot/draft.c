/* bot/draft.c - taking a request down: what is missing is asked, one question at a time. */
#include <string.h>

#include "bot/core.h"

enum { WORDS_POINTS = 600, PLACE_POINTS = 120, OPTIONS_MAX = 32, DOOR_DIGITS = 3 };

static const int64_t day_ms = 24 * 60 * 60 * 1000;

struct options {
	const char *labels[OPTIONS_MAX];
	size_t count;
};

static const char *draft_due(struct core *core)
{
	return arena_printf(core->arena, "draft/%s", core->me->key);
}

void draft_drop(struct core *core)
{
	if (core->me->draft.stage)
		due_set(core, draft_due(core), 0);
	core->me->draft = (struct draft){.stage = STAGE_NONE};
}

static const char *noted(struct core *core, const char *text)
{
	if (!core->noted)
		return text;
	core->noted = false;
	return arena_printf(core->arena, "%s%s",
			    core_say(core, reply_language(core), TEXT_NOTED, NULL, 0), text);
}

/* "502室" and "3号楼502" say where exactly; "3号楼" alone is a house with many doors. */
bool draft_place_said(const struct core *core, const char *folded)
{
	if (words_in(core->bot, LIST_PLACE, folded))
		return true;
	for (const char *at = folded; *at; at++) {
		size_t len = words_at(core->bot, LIST_HOUSE, folded, at);
		if (len && strspn(at + len + strspn(at + len, " "), "0123456789") >= DOOR_DIGITS)
			return true;
	}
	return false;
}

/* Adds what a text says to the draft; only what is still missing is looked for. */
void draft_note(struct core *core, const char *text)
{
	struct draft *draft = &core->me->draft;
	const char *folded = text_fold(core->arena, text);
	if (*text)
		draft->words = draft->words && *draft->words
				       ? arena_printf(core->arena, "%s / %s", draft->words, text)
				       : text;
	if (draft->words)
		draft->words = text_cut(core->arena, draft->words, WORDS_POINTS);
	draft->last = folded;
	const struct kind *kind = draft->kind ? NULL : kind_guess(core, folded);
	if (kind)
		draft->kind = kind->id;
	const struct area *area = draft->area ? NULL : area_guess(core, folded);
	if (area)
		draft->area = area->id;
	if (!draft->when.part)
		moment_find(core, text, &draft->when, NULL);
	draft->urgent = draft->urgent || core->danger || words_in(core->bot, LIST_URGENT, folded);
	draft->danger = draft->danger || core->danger;
	const struct message_in *message = &core->event->message;
	if (message->latitude != 0 || message->longitude != 0)
		draft->place = arena_printf(core->arena, "%.5f,%.5f", message->latitude,
					    message->longitude);
	else if (!draft->place && draft_place_said(core, folded))
		draft->place = ""; /* said already, and the helper gets the words */
}

static void ask(struct core *core, enum text_id question, const struct options *options,
		const char *summary)
{
	struct draft *draft = &core->me->draft;
	struct buttons buttons = {.count = 0};
	const char *lines = "";
	draft->asked_at = core->event->now;
	for (size_t i = 0; i < options->count; i++) {
		lines = arena_printf(core->arena, "%s%s%zu %s", lines, i ? "\n" : "", i + 1,
				     options->labels[i]);
		if (options->count <= MESSAGE_BUTTONS_MAX)
			button_add(core, &buttons, options->labels[i],
				   arena_printf(core->arena, "answer:%lld:%zu",
						(long long)draft->asked_at, i + 1));
	}
	int language = reply_language(core);
	const struct blank blanks[] = {
		{.name = "options", .value = lines},
		{.name = "summary", .value = summary},
		{.name = "other", .value = kind_name(core, NULL, language)},
	};
	const char *text =
		core_say(core, language, question, blanks, sizeof(blanks) / sizeof(*blanks));
	reply_buttons(core, noted(core, text), &buttons);
	due_set(core, draft_due(core), core->event->now + core->community->draft_wait);
}

static void option(struct options *options, const char *label)
{
	if (options->count < OPTIONS_MAX)
		options->labels[options->count++] = label;
}

static void option_text(struct core *core, struct options *options, enum text_id id)
{
	option(options, core_say(core, reply_language(core), id, NULL, 0));
}

static void ask_kind(struct core *core)
{
	struct options options = {.count = 0};
	for (size_t i = 0; i < core->community->kind_count; i++)
		option(&options,
		       kind_name(core, core->community->kinds[i].id, reply_language(core)));
	ask(core, TEXT_ASK_KIND, &options, NULL);
}

static void ask_area(struct core *core)
{
	struct options options = {.count = 0};
	for (size_t i = 0; i < core->community->area_count; i++)
		option(&options,
		       area_name(core, core->community->areas[i].id, reply_language(core)));
	ask(core, TEXT_ASK_AREA, &options, NULL);
}

static void ask_when(struct core *core)
{
	static const enum text_id choices[] = {TEXT_WHEN_NOW, TEXT_CHOICE_TODAY,
					       TEXT_CHOICE_TOMORROW, TEXT_WHEN_ANY};
	struct options options = {.count = 0};
	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
		option_text(core, &options, choices[i]);
	ask(core, TEXT_ASK_WHEN, &options, NULL);
}

static void ask_place(struct core *core)
{
	ask(core, TEXT_ASK_PLACE, &(struct options){.count = 0}, NULL);
}

static void ask_confirm(struct core *core)
{
	const struct draft *draft = &core->me->draft;
	const struct task task = {.kind = draft->kind,
				  .area = draft->area,
				  .when = draft->when,
				  .urgent = draft->urgent};
	int language = reply_language(core);
	const char *summary = task_line(core, &task, language);
	if (draft->place && *draft->place)
		summary = arena_printf(core->arena, "%s%s%s", summary,
				       core_say(core, language, TEXT_COMMA, NULL, 0), draft->place);
	struct options options = {.count = 0};
	option_text(core, &options, TEXT_BUTTON_POST);
	option_text(core, &options, TEXT_BUTTON_CHANGE);
	option_text(core, &options, TEXT_BUTTON_DROP);
	ask(core, TEXT_ASK_CONFIRM, &options, summary);
}

static void ask_change(struct core *core)
{
	static const enum text_id choices[] = {TEXT_CHANGE_KIND, TEXT_CHANGE_AREA, TEXT_CHANGE_WHEN,
					       TEXT_CHANGE_PLACE, TEXT_CHANGE_WORDS};
	struct options options = {.count = 0};
	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
		option_text(core, &options, choices[i]);
	ask(core, TEXT_ASK_CHANGE, &options, NULL);
}

static void ask_words(struct core *core)
{
	ask(core, TEXT_ASK_WORDS, &(struct options){.count = 0}, NULL);
}

static void (*const asks[])(struct core *core) = {
	[STAGE_KIND] = ask_kind,   [STAGE_AREA] = ask_area,       [STAGE_WHEN] = ask_when,
	[STAGE_PLACE] = ask_place, [STAGE_CONFIRM] = ask_confirm, [STAGE_CHANGE] = ask_change,
	[STAGE_WORDS] = ask_words,
};

void draft_next(struct core *core)
{
	struct draft *draft = &core->me->draft;
	const struct community *community = core->community;
	if (!draft->kind && community->kind_count == 1)
		draft->kind = community->kinds[0].id;
	if (!draft->area && community->area_count == 1)
		draft->area = community->areas[0].id;
	/* Nobody in danger is asked to sort it. */
	if (!draft->kind && draft->danger)
		draft->kind = "";
	int asked = draft->stage;
	if (draft->stage != STAGE_CHANGE && draft->stage != STAGE_WORDS) {
		if (!draft->kind && community->kind_count)
			draft->stage = STAGE_KIND;
		else if (!draft->area && community->area_count)
			draft->stage = STAGE_AREA;
		else if (!draft->when.part && !draft->urgent)
			draft->stage = STAGE_WHEN;
		else if (!draft->place)
			draft->stage = STAGE_PLACE;
		else
			draft->stage = STAGE_CONFIRM;
	}
	/* A new question shows by itself that the last text was heard. */
	core->noted = core->noted && asked == (int)draft->stage;
	asks[draft->stage](core);
}

/* Each answers true when the text was an answer to its question. */
static bool answer_kind(struct core *core, const char *text, int digit)
{
	struct draft *draft = &core->me->draft;
	(void)text;
	if (digit < 0 || (size_t)digit > core->community->kind_count)
		return false;
	draft->kind = digit ? core->community->kinds[digit - 1].id : "";
	return true;
}

static bool answer_area(struct core *core, const char *text, int digit)
{
	struct draft *draft = &core->me->draft;
	const struct area *area = area_guess(core, text_fold(core->arena, text));
	if (!area && digit >= 1 && (size_t)digit <= core->community->area_count)
		area = &core->community->areas[digit - 1];
	if (!area)
		return false;
	draft->area = area->id;
	return true;
}

static bool answer_when(struct core *core, const char *text, int digit)
{
	struct draft *draft = &core->me->draft;
	const struct moment choices[] = {
		{PART_NOW, core->event->now},
		{PART_DAY, core->event->now},
		{PART_DAY, core->event->now + day_ms},
		{PART_ANY, core->event->now},
	};
	if (digit >= 1 && digit <= 4) {
		draft->when = choices[digit - 1];
		return true;
	}
	bool alone;
	if (moment_find(core, text, &draft->when, &alone))
		return alone;
	/* Not understood: the helper reads it in the words. A question to us is no answer. */
	if (digit < 0 && !words_question(core->bot, text, text_fold(core->arena, text)))
		draft->when = choices[3];
	return false;
}

static bool answer_place(struct core *core, const char *text, int digit)
{
	struct draft *draft = &core->me->draft;
	const char *folded = text_fold(core->arena, text);
	bool none = digit == 0 || words_are(core->bot, LIST_SKIP, folded);
	if (!none && !draft_place_said(core, folded)) {
		struct moment moment;
		bool alone;
		if (moment_find(core, text, &moment, &alone) && alone) {
			draft->when = moment;
			return true;
		}
		/* "Who will come?" is where nobody lives; "who to ask: 302" may be. */
		if (!strpbrk(folded, "0123456789") && words_question(core->bot, text, folded))
			return false;
	}
	draft->place = none ? "" : text_cut(core->arena, text, PLACE_POINTS);
	return true;
}

static bool answer_confirm(struct core *core, const char *text, int digit)
{
	const char *folded = text_fold(core->arena, text);
	if (digit == 1 || words_politely(core->bot, LIST_YES, folded) ||
	    words_politely(core->bot, LIST_POST, folded)) {
		task_open(core);
		return true;
	}
	if (digit == 2 || words_are(core->bot, LIST_CHANGE, folded)) {
		core->me->draft.stage = STAGE_CHANGE;
		return true;
	}
	if (digit == 3 || words_politely(core->bot, LIST_NO, folded)) {
		draft_drop(core);
		say(core, TEXT_DRAFT_DROPPED, NULL, 0);
		return true;
	}
	return digit >= 0;
}

static bool answer_change(struct core *core, const char *text, int digit)
{
	struct draft *draft = &core->me->draft;
	(void)text;
	draft->stage = STAGE_CONFIRM;
	if (digit == 1)
		draft->kind = NULL;
	else if (digit == 2)
		draft->area = NULL;
	else if (digit == 3) {
		draft->when = (struct moment){.part = PART_NONE};
		draft->urgent = false;
	} else if (digit == 4)
		draft->place = NULL;
	else if (digit == 5)
		draft->stage = STAGE_WORDS;
	return digit >= 0;
}

static bool answer_words(struct core *core, const char *text, int digit)
{
	struct draft *draft = &core->me->draft;
	(void)digit;
	draft->stage = STAGE_CONFIRM;
	draft->words = NULL;
	draft_note(core, text);
	return true;
}

static bool (*const answers[])(struct core *core, const char *text, int digit) = {
	[STAGE_KIND] = answer_kind,       [STAGE_AREA] = answer_area,
	[STAGE_WHEN] = answer_when,       [STAGE_PLACE] = answer_place,
	[STAGE_CONFIRM] = answer_confirm, [STAGE_CHANGE] = answer_change,
	[STAGE_WORDS] = answer_words,
};

/* Who goes on after an answer may have changed their mind: what is said now counts. */
static void draft_correct(struct core *core, const char *text, const char *folded)
{
	struct draft *draft = &core->me->draft;
	const struct area *area = area_guess(core, folded);
	if (area)
		draft->area = area->id;
	moment_find(core, text, &draft->when, NULL);
	if (draft->place && *draft->place && draft_place_said(core, folded))
		draft->place = text_cut(core->arena, text, PLACE_POINTS);
}

void draft_answer(struct core *core, const char *text)
{
	struct draft *draft = &core->me->draft;
	const char *folded = text_fold(core->arena, text);
	int digit = words_digit(core->bot, folded);
	/* The same text again, by a retry or by impatience, says nothing new. */
	bool again = draft->last && !strcmp(draft->last, folded) && digit < 0;
	bool pleasantry = words_small_talk(core->bot, folded);
	bool skips = draft->stage == STAGE_CONFIRM;
	if (!again && (skips || !pleasantry) && !answers[draft->stage](core, text, digit) &&
	    digit < 0 && !pleasantry && *folded) {
		draft_correct(core, text, folded);
		draft_note(core, text);
		core->noted = true;
	}
	if (draft->stage) {
		draft->last = digit < 0 ? folded : draft->last;
		draft_next(core);
	} else {
		question_again(core);
	}
}
