/* bot/claims.c - what volunteers do with a task: take it, keep it, give it back, get it done. */
#include <string.h>

#include "bot/core.h"

enum { HANDLE_POINTS = 12, HANDLE_DIGITS = 5, PROMISE_POINTS = 40, LATE_MAX = 100 };

static const int64_t week_ms = 7LL * 24 * 60 * 60 * 1000;

static size_t digits_in(const char *s)
{
	size_t count = 0;
	for (; *s; s++)
		count += *s >= '0' && *s <= '9';
	return count;
}

/* The name the group knows, unless it tells too much; otherwise a neutral one. */
static const char *handle_of(struct core *core)
{
	struct person *me = core->me;
	const char *name = core->group ? core->event->message.name : NULL;
	if (name && *text_fold(core->arena, name) &&
	    digits_in(text_fold(core->arena, name)) < HANDLE_DIGITS && !strpbrk(name, "\n\r\t@"))
		me->handle = text_cut(core->arena, name, HANDLE_POINTS);
	if (!me->handle)
		me->handle = core_say(core, person_language(core, me), TEXT_VOLUNTEER,
				      BLANKS({.name = "number", .number = (long)me->number}));
	return me->handle;
}

/* One word both know; in two languages, a number is what both can say. */
static const char *safety_of(struct core *core, const struct person *resident)
{
	int language = person_language(core, resident);
	struct word_list words = locale_words(core->bot->locales, language, "safety");
	uint64_t draw = core_random(core);
	if (words.count && language == person_language(core, core->me))
		return words.words[draw % words.count];
	return arena_printf(core->arena, "%u", (unsigned)(100 + draw % 900));
}

static void promise_read(struct core *core, const struct task *task, struct claim *claim,
			 const char *rest)
{
	bool alone;
	/* "At 6" for a task of tomorrow is tomorrow. */
	core->when_from = task->when.at;
	claim->promise = (struct moment){.part = PART_NONE};
	claim->promise_words = NULL;
	if (!*rest)
		return;
	/* From the text as written: folding loses the colon of a clock. */
	bool found = moment_find(core, *core->text ? core->text : rest, &claim->promise, &alone);
	if (!found && digits_in(rest) < HANDLE_DIGITS)
		claim->promise_words = text_cut(core->arena, rest, PROMISE_POINTS);
}

/* The same as the helper should read it: what was understood, or the own words. */
static const char *promise_said(struct core *core, const struct claim *claim, int language)
{
	if (!claim->promise.part && !claim->promise_words)
		return "";
	const char *said = claim->promise.part ? moment_say(core, language, claim->promise)
					       : claim->promise_words;
	return core_say(core, language, TEXT_DETAILS_SAID, BLANKS({.name = "said", .value = said}));
}

static const char *promise_say(struct core *core, const struct claim *claim, int language)
{
	if (claim->promise.part)
		return core_say(core, language, TEXT_PROMISE_AT,
				BLANKS({.name = "when",
					.value = moment_say(core, language, claim->promise)}));
	if (claim->promise_words)
		return core_say(core, language, TEXT_PROMISE_SAID,
				BLANKS({.name = "words", .value = claim->promise_words}));
	return "";
}

void claim_extend(struct core *core, const struct task *task, struct claim *claim)
{
	const struct community *community = core->community;
	int64_t from = core->event->now;
	if (claim->promise.part == PART_CLOCK && claim->promise.at > from)
		from = claim->promise.at < from + week_ms ? claim->promise.at : from + week_ms;
	claim->until = from + community->lease;
	claim->reminded = false;
	int64_t reminder = claim->until - community->lease_reminder;
	claim_due(core, task, claim, reminder > core->event->now ? reminder : core->event->now + 1);
}

void claim_details(struct core *core, const struct task *task, const struct claim *claim,
		   const struct person *person)
{
	int language = person_language(core, person);
	const struct person *resident = person_get(core, task->resident);
	const char *place = task->place && *task->place
				    ? core_say(core, language, TEXT_DETAILS_PLACE,
					       BLANKS({.name = "place", .value = task->place}))
				    : "";
	const char *text =
		core_say(core, language, TEXT_DETAILS,
			 BLANKS({.name = "code", .value = task->code},
				{.name = "summary", .value = task_line(core, task, language)},
				{.name = "who", .value = neighbour(core, resident, language)},
				{.name = "words", .value = task->words ? task->words : ""},
				{.name = "place", .value = place},
				{.name = "said", .value = promise_said(core, claim, language)},
				{.name = "safety", .value = claim->safety}));
	static const struct {
		enum text_id label;
		const char *verb;
	} row[] = {{TEXT_BUTTON_WAY, "way"},
		   {TEXT_BUTTON_ARRIVED, "arrived"},
		   {TEXT_BUTTON_DONE, "done"},
		   {TEXT_BUTTON_RELEASE, "release"}};
	struct buttons buttons = {.count = 0};
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		button_add(core, &buttons, core_say(core, language, row[i].label, NULL, 0),
			   arena_printf(core->arena, "%s:%s", row[i].verb, task->code));
	send_person(core, person,
		    &(struct post){.text = text,
				   .buttons = &buttons,
				   .ref = arena_printf(core->arena, "details/%s/%s", task->code,
						       person->key)});
}

static void claim_tell_resident(struct core *core, const struct task *task,
				const struct claim *claim, enum text_id id)
{
	const struct person *resident = person_get(core, task->resident);
	int language = person_language(core, resident);
	const char *text =
		core_say(core, language, id,
			 BLANKS({.name = "code", .value = task->code},
				{.name = "handle", .value = claim->handle},
				{.name = "promise", .value = promise_say(core, claim, language)},
				{.name = "safety", .value = claim->safety}));
	send_person(core, resident,
		    &(struct post){.text = text,
				   .ref = arena_printf(core->arena, "told/%s/%s", task->code,
						       resident->key)});
}

/* Why this task is not to be had, said; true if so. */
static bool claim_refused(struct core *core, struct task *task, const char *code)
{
	const struct person *me = core->me;
	const struct kind *kind = kind_find(core, task->kind);
	const struct blank blank = {.name = "code", .value = code};
	bool kept_private = kind && kind->sensitive && !core->organiser;
	if (!task->state || (task_live(task) && kept_private))
		say(core, TEXT_CLAIM_UNKNOWN, &blank, 1);
	else if (task->resident && !strcmp(task->resident, me->key))
		say(core, TEXT_CLAIM_OWN, &blank, 1);
	else if (!core->group && !me->volunteer && !core->organiser)
		say(core, core->community->join_open ? TEXT_JOIN_FIRST : TEXT_JOIN_CLOSED, NULL, 0);
	else if (task->state == TASK_OPEN)
		return false;
	else if (texts_have(&task->late, me->key))
		return true; /* told once */
	else if (task->state == TASK_TAKEN)
		say(core, TEXT_CLAIM_LATE,
		    BLANKS(blank, {.name = "names",
				   .value = claim_names(core, task, reply_language(core))}));
	else
		say(core, TEXT_CLAIM_CLOSED, &blank, 1);
	if (task->state > TASK_OPEN && task->state != TASK_CLOSED && task->late.count < LATE_MAX)
		texts_add(core->arena, &task->late, me->key);
	return true;
}

/* A claim by who holds it already: a new time, or just once more. */
static void claim_again(struct core *core, struct task *task, struct claim *claim, const char *rest)
{
	if (!*rest) {
		say(core, TEXT_CLAIM_YOURS, BLANKS({.name = "code", .value = task->code}));
		return;
	}
	promise_read(core, task, claim, rest);
	claim_extend(core, task, claim);
	say(core, TEXT_CLAIM_TIME,
	    BLANKS({.name = "code", .value = task->code},
		   {.name = "promise", .value = promise_say(core, claim, reply_language(core))}));
	claim_tell_resident(core, task, claim, TEXT_CLAIMED_TIME);
}

void claim_take(struct core *core, const char *code, const char *rest)
{
	struct person *me = core->me;
	if (!code_valid(code)) {
		say(core, TEXT_CLAIM_UNKNOWN, BLANKS({.name = "code", .value = code}));
		return;
	}
	struct task *task = task_get(core, code);
	struct claim *mine = task_claim_of(task, me->key);
	if (mine && task_live(task)) {
		claim_again(core, task, mine, rest);
		return;
	}
	if (claim_refused(core, task, code))
		return;
	me->volunteer = true;
	task->claims =
		arena_grow(core->arena, task->claims, task->claim_count, sizeof(*task->claims));
	struct claim *claim = &task->claims[task->claim_count++];
	*claim = (struct claim){
		.id = ++task->last_claim,
		.person = me->key,
		.handle = handle_of(core),
		.group = core->group ? core->group->id : NULL,
		.safety = safety_of(core, person_get(core, task->resident)),
	};
	promise_read(core, task, claim, rest);
	texts_add(core->arena, &me->claims, code);
	if (task_held(task) >= (size_t)task->helpers) {
		task->state = TASK_TAKEN;
		task_due(core, task, 0);
	}
	claim_extend(core, task, claim);
	claim_details(core, task, claim, me);
	cards_update(core, task, NEWS_CLAIMED);
	claim_tell_resident(core, task, claim, TEXT_CLAIMED);
}

void claim_release(struct core *core, struct task *task, struct claim *claim)
{
	claim_tell_resident(core, task, claim, TEXT_REOPENED);
	claim_drop(core, task, claim);
	task_reopen(core, task);
}

static void claim_step(struct core *core, struct task *task, struct claim *claim,
		       enum claim_state state, enum text_id resident, enum text_id mine)
{
	const struct blank code = {.name = "code", .value = task->code};
	bool news = claim->state != (int)state;
	claim->state = state;
	claim_extend(core, task, claim);
	if (news)
		claim_tell_resident(core, task, claim, resident);
	say(core, mine, &code, 1);
}

static void claim_done(struct core *core, struct task *task, struct claim *claim)
{
	claim->state = CLAIM_DONE;
	task->state = TASK_DONE;
	for (size_t i = 0; i < task->claim_count; i++)
		claim_due(core, task, &task->claims[i], 0);
	task_due(core, task, core->event->now + core->community->confirm_wait);
	cards_update(core, task, NEWS_CHANGED);
	request_ask_done(core, task, claim);
	say(core, TEXT_DONE_THANKS, BLANKS({.name = "code", .value = task->code}));
}

void claim_handle(struct core *core, enum verb verb, const char *code, const char *rest)
{
	struct task *task = task_get(core, code);
	struct claim *claim = task_claim_of(task, core->me->key);
	const struct blank blank = {.name = "code", .value = code};
	bool over = task->state == TASK_DONE || task->state == TASK_CLOSED;
	if (!claim || (over && verb != VERB_CODE)) {
		say(core, over ? TEXT_CLAIM_CLOSED : TEXT_NOT_YOURS, &blank, 1);
		return;
	}
	switch (verb) {
	case VERB_RELEASE:
		say(core, TEXT_RELEASED, &blank, 1);
		claim_release(core, task, claim);
		break;
	case VERB_WAY:
		if (*rest)
			promise_read(core, task, claim, rest);
		claim_step(core, task, claim, CLAIM_WAY, TEXT_ON_WAY, TEXT_WAY_NOTED);
		break;
	case VERB_ARRIVED:
		claim_step(core, task, claim, CLAIM_ARRIVED, TEXT_ARRIVED, TEXT_ARRIVED_NOTED);
		break;
	case VERB_DONE:
		claim_done(core, task, claim);
		break;
	case VERB_KEEP:
		claim_extend(core, task, claim);
		say(core, TEXT_KEPT, &blank, 1);
		break;
	default:
		claim->unreached = false;
		claim_details(core, task, claim, core->me);
		if (core->group)
			say(core, TEXT_CLAIM_YOURS, &blank, 1);
		break;
	}
}

void claim_waiting(struct core *core)
{
	for (size_t i = 0; i < core->me->claims.count; i++) {
		struct task *task = task_get(core, core->me->claims.items[i]);
		struct claim *claim = task_claim_of(task, core->me->key);
		if (!claim || !claim->unreached)
			continue;
		claim->unreached = false;
		claim_details(core, task, claim, core->me);
	}
}
