/* bot/tasks.c - a task from its opening to its end, and who is told on the way. */
#include <string.h>

#include "bot/core.h"

static const int64_t week_ms = 7LL * 24 * 60 * 60 * 1000;

bool task_live(const struct task *task)
{
	return task->state != TASK_NONE && task->state != TASK_CLOSED;
}

size_t task_held(const struct task *task)
{
	return task->claim_count;
}

struct claim *task_claim_of(const struct task *task, const char *person)
{
	for (size_t i = 0; i < task->claim_count; i++)
		if (!strcmp(task->claims[i].person, person))
			return &task->claims[i];
	return NULL;
}

void task_due(struct core *core, const struct task *task, int64_t at)
{
	due_set(core, arena_printf(core->arena, "task/%s", task->code), at);
}

void claim_due(struct core *core, const struct task *task, const struct claim *claim, int64_t at)
{
	due_set(core, arena_printf(core->arena, "claim/%s/%lld", task->code, (long long)claim->id),
		at);
}

/* Tells the organisers of a task that no group is shown, or that is due to an alert. */
static void task_open_private(struct core *core, const struct task *task)
{
	int language = core->community->language;
	const struct blank code = {.name = "code", .value = task->code};
	const struct blank line = {.name = "summary", .value = task_line(core, task, language)};
	if (!task->card_count)
		send_organisers(core,
				core_say(core, language, TEXT_PRIVATE_TASK, BLANKS(code, line)));
	else if (task->danger)
		send_organisers(core,
				core_say(core, language, TEXT_ALERT_TASK, BLANKS(code, line)));
}

void task_open(struct core *core)
{
	struct person *me = core->me;
	const struct draft *draft = &me->draft;
	const struct kind *kind = kind_find(core, draft->kind);
	const char *code = code_draw(core);
	if (!code) {
		say(core, TEXT_NO_CODE, NULL, 0);
		return;
	}
	struct task *task = task_get(core, code);
	*task = (struct task){
		.code = code,
		.state = TASK_OPEN,
		.kind = draft->kind,
		.area = draft->area,
		.when = draft->when,
		.urgent = draft->urgent,
		.danger = draft->danger,
		.helpers = kind && kind->helpers > 0 ? kind->helpers : 1,
		.created_at = core->event->now,
		.resident = me->key,
		.words = draft->words,
		.place = draft->place,
	};
	texts_add(core->arena, &me->requests, code);
	cards_post(core, task);
	task_due(core, task, core->event->now + core->community->unfilled);
	say(core, task->card_count ? TEXT_POSTED : TEXT_POSTED_PRIVATE,
	    BLANKS({.name = "code", .value = code}));
	task_open_private(core, task);
	draft_drop(core);
}

void claim_drop(struct core *core, struct task *task, struct claim *claim)
{
	texts_remove(&person_get(core, claim->person)->claims, task->code);
	claim_due(core, task, claim, 0);
	question_drop(person_get(core, claim->person), task->code);
	size_t at = (size_t)(claim - task->claims);
	memmove(claim, claim + 1, (task->claim_count - at - 1) * sizeof(*claim));
	task->claim_count--;
}

void task_reopen(struct core *core, struct task *task)
{
	task->state = TASK_OPEN;
	task->told = false;
	/* Who came too late before may hear it again. */
	task->late.count = 0;
	cards_update(core, task, NEWS_REOPENED);
	task_due(core, task, core->event->now + core->community->unfilled);
	if (!task->card_count)
		task_open_private(core, task);
}

static void tell_claimants(struct core *core, const struct task *task, enum task_end end)
{
	for (size_t i = 0; i < task->claim_count; i++) {
		const struct person *person = person_get(core, task->claims[i].person);
		const struct blank code = {.name = "code", .value = task->code};
		if (end == END_CONFIRMED)
			tell(core, person, TEXT_THANKED, &code, 1);
		else if (end == END_UNCONFIRMED)
			tell(core, person, TEXT_CLOSED_QUIET, &code, 1);
		else
			tell(core, person, TEXT_CALLED_OFF, &code, 1);
	}
}

void task_close(struct core *core, struct task *task, enum task_end end)
{
	if (!task_live(task))
		return;
	task->state = TASK_CLOSED;
	task->end = end;
	task->closed_at = core->event->now;
	tell_claimants(core, task, end);
	cards_update(core, task, NEWS_CLOSED);
	task_due(core, task, 0);
	while (task->claim_count)
		claim_drop(core, task, &task->claims[task->claim_count - 1]);
	struct person *resident = person_get(core, task->resident);
	texts_remove(&resident->requests, task->code);
	question_drop(resident, task->code);
	/* What is left rests only so that the code is not used again. */
	task->words = task->place = task->resident = NULL;
	task->late.count = 0;
}

static void task_unfilled(struct core *core, struct task *task)
{
	const struct person *resident = person_get(core, task->resident);
	int language = core->community->language;
	task->told = true;
	send_organisers(core, core_say(core, language, TEXT_UNFILLED,
				       BLANKS({.name = "code", .value = task->code},
					      {.name = "summary",
					       .value = task_line(core, task, language)})));
	tell(core, resident, TEXT_STILL_LOOKING, BLANKS({.name = "code", .value = task->code}));
	int64_t end = task->created_at + week_ms;
	task_due(core, task, end > core->event->now ? end : core->event->now + week_ms);
}

/* What happens when nothing happened for as long as the state allows. */
void task_waited(struct core *core, struct task *task)
{
	const struct person *resident = task->resident ? person_get(core, task->resident) : NULL;
	const struct blank code = {.name = "code", .value = task->code};
	if (!resident)
		return;
	switch (task->state) {
	case TASK_OPEN:
		if (!task->told) {
			task_unfilled(core, task);
		} else {
			tell(core, resident, TEXT_EXPIRED, &code, 1);
			task_close(core, task, END_EXPIRED);
		}
		break;
	case TASK_DONE:
	case TASK_DISPUTED:
		task_close(core, task, END_UNCONFIRMED);
		break;
	default:
		break;
	}
}
