/* bot/intake.c - whether a free text is a request, and the first look at it. */
#include <string.h>

#include "bot/core.h"
#include "bot/model.h"

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

/* What else it can be about: the question that waits, the task held, or the own request. */
static void not_understood(struct core *core)
{
	const struct person *me = core->me;
	const struct texts *codes = me->claims.count ? &me->claims : &me->requests;
	const char *list = "";
	size_t sends = core->commit->send_count;
	question_again(core);
	if (core->commit->send_count > sends)
		return;
	for (size_t i = 0; i < codes->count; i++)
		list = arena_printf(core->arena, "%s%s%s", list, i ? " / " : "", codes->items[i]);
	const struct blank blank = {.name = "codes", .value = list};
	if (me->claims.count)
		say(core, TEXT_UNCLEAR_HOLDER, &blank, 1);
	else if (me->requests.count)
		say(core, TEXT_UNCLEAR_REQUEST, &blank, 1);
	else
		say(core, TEXT_UNCLEAR, NULL, 0);
}

static bool model_wants(const struct core *core)
{
	const struct model *model = core->community->intake_model;
	return model && model_says(model, model_score(model, core->arena, core->text, core->folded),
				   core->community->intake_threshold);
}

bool intake_wants(const struct core *core)
{
	/* Who names an area and a door wants somebody to come there. */
	return core->danger || kind_guess(core, core->folded) ||
	       (area_guess(core, core->folded) && draft_place_said(core, core->folded)) ||
	       words_in(core->bot, LIST_ASKING, core->folded) || model_wants(core);
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
	if (!intake_wants(core)) {
		not_understood(core);
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
