/* bot/due.c - what happens by itself: reminders, leases that end, waiting that lasts too long. */
#include <stdlib.h>
#include <string.h>

#include "bot/core.h"

static void due_claim(struct core *core, const char *code, int64_t id)
{
	struct task *task = task_get(core, code);
	struct claim *claim = NULL;
	for (size_t i = 0; i < task->claim_count; i++)
		if (task->claims[i].id == id)
			claim = &task->claims[i];
	if (!claim || (task->state != TASK_OPEN && task->state != TASK_TAKEN))
		return;
	const struct person *person = person_get(core, claim->person);
	const struct blank blank = {.name = "code", .value = code};
	int64_t reminder = claim->until - core->community->lease_reminder;
	if (core->event->now >= claim->until) {
		tell(core, person, TEXT_LEASE_ENDED, &blank, 1);
		claim_release(core, task, claim);
	} else if (!claim->reminded && core->event->now >= reminder) {
		claim->reminded = true;
		tell(core, person, TEXT_LEASE_REMINDER, &blank, 1);
		claim_due(core, task, claim, claim->until);
	} else {
		claim_due(core, task, claim, claim->reminded ? claim->until : reminder);
	}
}

static void due_draft(struct core *core, const char *key)
{
	struct person *person = person_get(core, key);
	int64_t end = person->draft.asked_at + core->community->draft_wait;
	core->me = person;
	if (!person->draft.stage)
		return;
	if (core->event->now < end) {
		due_set(core, core->event->due, end);
		return;
	}
	draft_drop(core);
	if (!person->stopped)
		tell(core, person, TEXT_DRAFT_FORGOTTEN, NULL, 0);
}

void due_handle(struct core *core)
{
	const char *due = core->event->due;
	const char *slash = due ? strchr(due, '/') : NULL;
	if (!slash)
		return;
	const char *name = slash + 1;
	if (!strncmp(due, "draft/", 6)) {
		due_draft(core, name);
	} else if (!strncmp(due, "task/", 5)) {
		task_waited(core, task_get(core, name));
	} else if (!strncmp(due, "claim/", 6)) {
		const char *second = strchr(name, '/');
		if (second)
			due_claim(core, arena_bytes(core->arena, name, (size_t)(second - name)),
				  strtoll(second + 1, NULL, 10));
	}
}
