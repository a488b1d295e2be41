/* bot/intake.c - whether a free text is a request, and the first look at it. */
#include <string.h>

#include "bot/core.h"

enum { REQUESTS_MAX = 9 };

/* The open task of this person that says the same; NULL. */
static const char *same_open(struct core *core)
{
	for (size_t i = 0; i < core->me->requests.count; i++) {
		const struct task *task = task_get(core, core->me->requests.items[i]);
		if (task->words && !strcmp(text_fold(core->arena, task->words), core->folded))
			return task->code;
	}
	return NULL;
}

static bool wants_something(const struct core *core)
{
	/* Who names an area and a door wants somebody to come there. */
	return core->danger || kind_guess(core, core->folded) ||
	       (area_guess(core, core->folded) && draft_place_said(core, core->folded)) ||
	       words_in(core->bot, LIST_ASKING, core->folded);
}

void intake_text(struct core *core)
{
	const struct bot *bot = core->bot;
	if (words_small_talk(bot, core->folded)) {
		bool greeting = words_begin(bot, LIST_GREETING, core->folded);
		say(core, greeting ? TEXT_HELLO : TEXT_WELCOME, NULL, 0);
		return;
	}
	const char *same = same_open(core);
	if (same) {
		say(core, TEXT_REQUEST_SAME, BLANKS({.name = "code", .value = same}));
		return;
	}
	if (!wants_something(core)) {
		say(core, TEXT_UNCLEAR, NULL, 0);
		return;
	}
	if (core->me->requests.count >= REQUESTS_MAX) {
		say(core, TEXT_REQUEST_MANY, NULL, 0);
		return;
	}
	core->me->draft = (struct draft){.stage = STAGE_KIND};
	draft_note(core, core->text);
	draft_next(core);
}
