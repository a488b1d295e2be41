/* bot/requests.c - what residents do with their tasks: ask, change, cancel, say that it was done.
 */
#include <string.h>

#include "bot/core.h"

enum { WORDS_POINTS = 600 };

static const int64_t week_ms = 7LL * 24 * 60 * 60 * 1000;

void request_ask_done(struct core *core, struct task *task, const struct claim *claim)
{
	struct person *resident = person_get(core, task->resident);
	int language = person_language(core, resident);
	struct question question = {
		.kind = QUESTION_DONE, .code = task->code, .at = core->event->now};
	question_put(core, resident, &question);
	struct buttons buttons = {.count = 0};
	button_add(core, &buttons, core_say(core, language, TEXT_BUTTON_YES, NULL, 0),
		   arena_printf(core->arena, "yes:%s", task->code));
	button_add(core, &buttons, core_say(core, language, TEXT_BUTTON_NO, NULL, 0),
		   arena_printf(core->arena, "no:%s", task->code));
	const char *text = core_say(core, language, TEXT_ASK_DONE,
				    BLANKS({.name = "code", .value = task->code},
					   {.name = "handle", .value = claim->handle}));
	send_person(core, resident, &(struct post){.text = text, .buttons = &buttons});
}

static void request_confirm(struct core *core, struct task *task)
{
	const struct blank code = {.name = "code", .value = task->code};
	if (!task->claim_count) {
		say(core, TEXT_STATUS_OPEN, &code, 1);
		return;
	}
	task_close(core, task, END_CONFIRMED);
	say(core, TEXT_CONFIRMED, &code, 1);
}

static void request_dispute(struct core *core, struct task *task)
{
	const struct blank code = {.name = "code", .value = task->code};
	if (task->state != TASK_DONE) {
		say(core, TEXT_STATUS_TAKEN,
		    BLANKS(code, {.name = "names",
				  .value = claim_names(core, task, reply_language(core))}));
		return;
	}
	int language = core->community->language;
	task->state = TASK_DISPUTED;
	question_drop(core->me, task->code);
	task_due(core, task, core->event->now + week_ms);
	say(core, TEXT_DISPUTED, &code, 1);
	for (size_t i = 0; i < task->claim_count; i++)
		tell(core, person_get(core, task->claims[i].person), TEXT_DISPUTED_HELPER, &code,
		     1);
	send_organisers(
		core,
		core_say(core, language, TEXT_DISPUTE,
			 BLANKS(code, {.name = "summary", .value = task_line(core, task, language)},
				{.name = "names", .value = claim_names(core, task, language)})));
}

static void request_status(struct core *core, const struct task *task)
{
	const struct blank code = {.name = "code", .value = task->code};
	const struct blank names = {.name = "names",
				    .value = claim_names(core, task, reply_language(core))};
	if (task->state == TASK_OPEN)
		say(core, TEXT_STATUS_OPEN, &code, 1);
	else if (task->state == TASK_TAKEN)
		say(core, TEXT_STATUS_TAKEN, BLANKS(code, names));
	else
		say(core, TEXT_STATUS_DONE, BLANKS(code, names));
}

void request_change(struct core *core, const char *code, const char *text)
{
	struct task *task = task_get(core, code);
	const struct blank blank = {.name = "code", .value = code};
	question_drop(core->me, code);
	if (!task_live(task)) {
		say(core, TEXT_CLAIM_CLOSED, &blank, 1);
		return;
	}
	task->words =
		text_cut(core->arena,
			 arena_printf(core->arena, "%s / %s", task->words ? task->words : "", text),
			 WORDS_POINTS);
	const struct area *area = area_guess(core, core->folded);
	struct moment moment;
	if (area)
		task->area = area->id;
	if (moment_find(core, text, &moment, NULL))
		task->when = moment;
	task->urgent = task->urgent || words_in(core->bot, LIST_URGENT, core->folded);
	cards_update(core, task, NEWS_CHANGED);
	for (size_t i = 0; i < task->claim_count; i++) {
		struct claim *claim = &task->claims[i];
		const struct person *person = person_get(core, claim->person);
		tell(core, person, TEXT_CHANGED_HELPER,
		     BLANKS(blank, {.name = "words", .value = text}));
	}
	say(core, TEXT_CHANGED, &blank, 1);
}

static void request_ask_change(struct core *core, const struct task *task, const char *rest)
{
	if (*rest) {
		request_change(core, task->code, rest);
		return;
	}
	struct question question = {
		.kind = QUESTION_CHANGE, .code = task->code, .at = core->event->now};
	question_put(core, core->me, &question);
	say(core, TEXT_ASK_CHANGED, BLANKS({.name = "code", .value = task->code}));
}

void request_handle(struct core *core, enum verb verb, const char *code, const char *rest)
{
	struct task *task = task_get(core, code);
	const struct blank blank = {.name = "code", .value = code};
	bool mine = task->resident && !strcmp(task->resident, core->me->key);
	if (!mine || !task_live(task)) {
		say(core, TEXT_NOT_YOURS, &blank, 1);
		return;
	}
	switch (verb) {
	case VERB_CANCEL:
		task_close(core, task, END_CANCELLED);
		say(core, TEXT_CANCELLED, &blank, 1);
		break;
	case VERB_CHANGE:
		request_ask_change(core, task, rest);
		break;
	case VERB_YES:
	case VERB_DONE:
		request_confirm(core, task);
		break;
	case VERB_NO:
		request_dispute(core, task);
		break;
	default:
		request_status(core, task);
		break;
	}
}
