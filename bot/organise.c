/* bot/organise.c - what organisers ask for in a direct message: the open tasks, and closing one. */
#include "bot/core.h"

enum { LIST_MAX = 15 };

static void board_codes(struct core *core, const char *group, struct texts *codes)
{
	const struct board *board = board_get(core, group);
	for (size_t i = 0; i < board->open.count; i++)
		texts_add(core->arena, codes, board->open.items[i]);
}

struct texts open_codes(struct core *core, const struct group *group)
{
	struct texts codes = {.count = 0};
	if (group) {
		board_codes(core, group->id, &codes);
		return codes;
	}
	for (size_t i = 0; i < core->community->group_count; i++)
		board_codes(core, core->community->groups[i].id, &codes);
	if (core->organiser)
		board_codes(core, BOARD_PRIVATE, &codes);
	return codes;
}

/* "12 min", "3 h", "2 d" since it was opened. */
static const char *age(struct core *core, const struct task *task, int language)
{
	long minutes = (long)((core->event->now - task->created_at) / 60000);
	if (minutes < 120)
		return core_say(core, language, TEXT_AGE_MINUTES,
				BLANKS({.name = "number", .number = minutes}));
	if (minutes < 48 * 60)
		return core_say(core, language, TEXT_AGE_HOURS,
				BLANKS({.name = "number", .number = minutes / 60}));
	return core_say(core, language, TEXT_AGE_DAYS,
			BLANKS({.name = "number", .number = minutes / 60 / 24}));
}

void organise_list(struct core *core)
{
	struct texts codes = open_codes(core, core->group);
	int language = reply_language(core);
	if (!core->organiser && !core->me->volunteer) {
		command_do(core, VERB_STATUS, NULL, "");
		return;
	}
	if (!codes.count) {
		say(core, TEXT_LIST_EMPTY, NULL, 0);
		return;
	}
	const char *lines = "";
	for (size_t i = 0; i < codes.count && i < LIST_MAX; i++) {
		const struct task *task = task_get(core, codes.items[i]);
		lines = arena_printf(core->arena, "%s\n%s %s (%s)", lines, task->code,
				     task_line(core, task, language), age(core, task, language));
	}
	say(core, TEXT_LIST,
	    BLANKS({.name = "count", .number = (long)codes.count},
		   {.name = "lines", .value = lines}));
}

void organise_close(struct core *core, const char *code, const char *reason)
{
	struct task *task = task_get(core, code);
	const struct blank blank = {.name = "code", .value = code};
	if (!core->organiser || !task_live(task)) {
		say(core, core->organiser ? TEXT_CLAIM_UNKNOWN : TEXT_NOT_YOURS, &blank, 1);
		return;
	}
	const struct person *resident = person_get(core, task->resident);
	task_close(core, task, END_ORGANISER);
	if (*reason)
		tell(core, resident, TEXT_CLOSED_REASON,
		     BLANKS(blank, {.name = "reason", .value = reason}));
	else
		tell(core, resident, TEXT_CLOSED_PLAIN, &blank, 1);
	say(core, TEXT_CLOSED, &blank, 1);
}
