/* bot/outcome.c - what became of sends that asked to be told: "<what>/<code>/<whom>". */
#include <string.h>

#include "bot/core.h"

static void card_outcome(struct core *core, const char *code, const char *group)
{
	const struct outcome *outcome = &core->event->outcome;
	int language = core->community->language;
	if (outcome->kind == OUTCOME_SENT)
		card_sent(core, code, group, outcome->message_id);
	else if (outcome->kind == OUTCOME_REFUSED && task_live(task_get(core, code)))
		send_organisers(core, core_say(core, language, TEXT_CARD_FAILED,
					       BLANKS({.name = "code", .value = code},
						      {.name = "group", .value = group})));
}

/* The winner cannot be written to: the group is asked, or the task opens again. */
static void details_outcome(struct core *core, const char *code, const char *key)
{
	struct task *task = task_get(core, code);
	struct claim *claim = task_claim_of(task, key);
	if (core->event->outcome.kind != OUTCOME_REFUSED)
		return;
	if (!claim || !task_live(task) || claim->unreached)
		return;
	const struct group *group = group_find(core, claim->group);
	if (!group) {
		claim_release(core, task, claim);
		return;
	}
	claim->unreached = true;
	send_group(
		core, group,
		&(struct post){.text = core_say(core, group->language, TEXT_WRITE_FIRST,
						BLANKS({.name = "handle", .value = claim->handle},
						       {.name = "code", .value = code}))});
}

static void told_outcome(struct core *core, const char *code, const char *key)
{
	struct task *task = task_get(core, code);
	(void)key;
	if (core->event->outcome.kind != OUTCOME_REFUSED)
		return;
	for (size_t i = 0; task_live(task) && i < task->claim_count; i++)
		tell(core, person_get(core, task->claims[i].person), TEXT_RESIDENT_UNREACHED,
		     BLANKS({.name = "code", .value = code}));
}

void outcome_handle(struct core *core)
{
	static const struct {
		const char *prefix;
		void (*handle)(struct core *core, const char *code, const char *whom);
	} rows[] = {
		{"card/", card_outcome}, {"details/", details_outcome}, {"told/", told_outcome}};
	const char *ref = core->event->ref;
	const struct outcome *outcome = &core->event->outcome;
	if (core->event->sender_key && outcome->kind == OUTCOME_REFUSED &&
	    outcome->refusal == REFUSAL_BLOCKED) {
		struct person *person = person_get(core, core->event->sender_key);
		person->stopped = person->blocked = true;
	}
	for (size_t i = 0; ref && i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].prefix);
		const char *slash =
			strncmp(ref, rows[i].prefix, len) ? NULL : strchr(ref + len, '/');
		if (slash)
			rows[i].handle(
				core,
				arena_bytes(core->arena, ref + len, (size_t)(slash - ref) - len),
				slash + 1);
	}
}
