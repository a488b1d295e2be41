/* bot/flood.c - too many messages from one address: one warning, then silence until it calms. */
#include "bot/core.h"

bool flood_handle(struct core *core)
{
	struct person *me = core->me;
	const struct community *community = core->community;
	if (!community->flood_count || !community->flood_window)
		return false;
	if (core->event->now - me->flood_from >= community->flood_window) {
		me->flood_from = core->event->now;
		me->flood_count = 0;
	}
	/* Counting stops at the warning, so that silence costs no more writes. */
	if (me->flood_count > community->flood_count)
		return !core->danger;
	me->flood_count++;
	if (me->flood_count <= community->flood_count)
		return false;
	if (!core->danger && !core->group)
		say(core, TEXT_FLOOD, NULL, 0);
	return !core->danger;
}
