/* bot/questions.c - what is asked of a person besides the draft, and the short answers to it. */
#include <string.h>

#include "bot/core.h"

enum { QUESTIONS_MAX = 12 };

void question_put(struct core *core, struct person *person, const struct question *question)
{
	if (question->code)
		question_drop(person, question->code);
	if (person->question_count >= QUESTIONS_MAX) {
		person->question_count = QUESTIONS_MAX - 1;
		memmove(person->questions, person->questions + 1,
			person->question_count * sizeof(*question));
	}
	person->questions = arena_grow(core->arena, person->questions, person->question_count,
				       sizeof(*person->questions));
	person->questions[person->question_count++] = *question;
}

static void question_remove(struct person *person, size_t at)
{
	memmove(&person->questions[at], &person->questions[at + 1],
		(person->question_count - at - 1) * sizeof(*person->questions));
	person->question_count--;
}

void question_drop(struct person *person, const char *code)
{
	for (size_t i = person->question_count; i-- > 0;)
		if (person->questions[i].code && !strcmp(person->questions[i].code, code))
			question_remove(person, i);
}

static bool same_place(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The one asked last where this message was written; those too old are forgotten. */
static struct question *question_top(struct core *core)
{
	struct person *me = core->me;
	const char *place = core->group ? core->group->id : NULL;
	for (size_t i = me->question_count; i-- > 0;) {
		struct question *question = &me->questions[i];
		bool old = core->event->now - question->at > core->community->draft_wait;
		if (old && question->kind != QUESTION_DONE)
			question_remove(me, i);
		else if (same_place(place, question->group))
			return question;
	}
	return NULL;
}

static void pick_done(struct core *core, const struct question *question, const char *code)
{
	struct question was = *question;
	question_remove(core->me, (size_t)(question - core->me->questions));
	command_do(core, (enum verb)was.verb, code, was.rest ? was.rest : "");
}

static bool pick_answer(struct core *core, const struct question *question, int digit)
{
	if (digit >= 1 && (size_t)digit <= question->options.count) {
		pick_done(core, question, question->options.items[digit - 1]);
		return true;
	}
	if (texts_have(&question->options, core->folded)) {
		pick_done(core, question, arena_str(core->arena, core->folded));
		return true;
	}
	return false;
}

/* "Yes, it is done", said without being asked again: right if it fits exactly one request. */
static bool late_answer(struct core *core)
{
	bool yes = words_politely(core->bot, LIST_YES, core->folded);
	const char *fits = NULL;
	size_t count = 0;
	if (core->group || core->me->draft.stage ||
	    (!yes && !words_politely(core->bot, LIST_NO, core->folded)))
		return false;
	for (size_t i = 0; i < core->me->requests.count; i++) {
		const struct task *task = task_get(core, core->me->requests.items[i]);
		if (task->state != TASK_DONE && task->state != TASK_DISPUTED)
			continue;
		fits = task->code;
		count++;
	}
	if (count == 1)
		command_do(core, yes ? VERB_YES : VERB_NO, fits, "");
	return count == 1;
}

bool question_answer(struct core *core)
{
	const struct question *question = question_top(core);
	const struct draft *draft = &core->me->draft;
	if (!question)
		return late_answer(core);
	if (!core->group && draft->stage && draft->asked_at > question->at)
		return false;
	int digit = words_digit(core->bot, core->folded);
	if (question->kind == QUESTION_PICK)
		return pick_answer(core, question, digit);
	if (question->kind != QUESTION_DONE)
		return false;
	bool yes = digit == 1 || words_politely(core->bot, LIST_YES, core->folded);
	bool no = digit == 2 || (!yes && words_politely(core->bot, LIST_NO, core->folded));
	if (!yes && !no)
		return false;
	command_do(core, yes ? VERB_YES : VERB_NO, question->code, "");
	question_again(core);
	return true;
}

bool question_text(struct core *core)
{
	const struct question *question = question_top(core);
	if (!question || question->kind != QUESTION_CHANGE)
		return false;
	request_change(core, question->code, core->text);
	return true;
}

/* Asks again what still waits, so that the next "1" has one meaning that the person sees. */
void question_again(struct core *core)
{
	if (core->group)
		return;
	struct question *question = question_top(core);
	if (question && question->kind == QUESTION_DONE) {
		struct task *task = task_get(core, question->code);
		if (task->claim_count)
			request_ask_done(core, task, &task->claims[0]);
	} else if (core->me->draft.stage) {
		draft_next(core);
	}
}

void question_pick(struct core *core, enum verb verb, const char *rest, const struct texts *codes)
{
	int language = reply_language(core);
	struct question question = {
		.kind = QUESTION_PICK,
		.verb = (int)verb,
		.rest = *rest ? rest : NULL,
		.group = core->group ? core->group->id : NULL,
		.at = core->event->now,
	};
	const char *lines = "";
	for (size_t i = 0; i < codes->count && i < 9; i++) {
		texts_add(core->arena, &question.options, codes->items[i]);
		lines = arena_printf(core->arena, "%s\n%zu: %s %s", lines, i + 1, codes->items[i],
				     task_line(core, task_get(core, codes->items[i]), language));
	}
	/* An older choice at the same place would make a digit mean two things. */
	for (size_t i = core->me->question_count; i-- > 0;)
		if (core->me->questions[i].kind == QUESTION_PICK &&
		    same_place(core->me->questions[i].group, question.group))
			question_remove(core->me, i);
	question_put(core, core->me, &question);
	say(core, TEXT_PICK, BLANKS({.name = "lines", .value = lines}));
}
