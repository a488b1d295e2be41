/* bot/danger.c - words of danger: emergency numbers at once, and the organisers know. */
#include "bot/core.h"

static const int64_t again_ms = 5 * 60 * 1000;

static const char *numbers(struct core *core)
{
	const struct texts *list = &core->community->emergency;
	const char *joined = "";
	for (size_t i = 0; i < list->count; i++)
		joined =
			arena_printf(core->arena, "%s%s%s", joined, i ? " / " : "", list->items[i]);
	return joined;
}

bool danger_in(const struct bot *bot, const char *folded)
{
	return words_in(bot, LIST_DANGER, folded) || words_are(bot, LIST_DANGER_WHOLE, folded);
}

void danger_look(struct core *core)
{
	const struct bot *bot = core->bot;
	struct person *me = core->me;
	core->danger = danger_in(bot, core->folded);
	if (!core->danger)
		return;
	/* Told once while it is being taken down; a new outcry later is told again. */
	bool same = me->draft.stage && me->draft.danger;
	int64_t rest = same ? core->community->draft_wait : again_ms;
	if (me->danger_at && core->event->now - me->danger_at < rest)
		return;
	me->danger_at = core->event->now;
	const struct blank told = {
		.name = "told",
		.value = core->community->organiser_count
				 ? core_say(core, reply_language(core), TEXT_DANGER_TOLD, NULL, 0)
				 : "",
	};
	if (core->community->emergency.count)
		say(core, TEXT_DANGER, BLANKS({.name = "numbers", .value = numbers(core)}, told));
	else
		say(core, TEXT_DANGER_PLAIN, &told, 1);
	int language = core->community->language;
	const struct area *area = area_guess(core, core->folded);
	const char *where = area ? area_name(core, area->id, language)
				 : core_say(core, language, TEXT_AREA_UNKNOWN, NULL, 0);
	send_organisers(core,
			core_say(core, language, TEXT_ALERT,
				 BLANKS({.name = "who", .value = neighbour(core, me, language)},
					{.name = "area", .value = where})));
}
