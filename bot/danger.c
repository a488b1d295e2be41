/* bot/danger.c - words of danger: emergency numbers at once, and the organisers know. */
#include "bot/core.h"

static const char *numbers(struct core *core)
{
	const struct texts *list = &core->community->emergency;
	const char *joined = "";
	for (size_t i = 0; i < list->count; i++)
		joined =
			arena_printf(core->arena, "%s%s%s", joined, i ? " / " : "", list->items[i]);
	return joined;
}

void danger_look(struct core *core)
{
	const struct bot *bot = core->bot;
	struct person *me = core->me;
	core->danger = words_in(bot, LIST_DANGER, core->folded) ||
		       words_are(bot, LIST_DANGER_WHOLE, core->folded);
	if (!core->danger)
		return;
	int64_t since = core->event->now - me->danger_at;
	if (me->danger_at && since < core->community->draft_wait)
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
