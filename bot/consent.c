/* bot/consent.c - STOP, START and HELP, before anything else is looked at.
 *
 * Words that carriers oblige a sender to honour: CTIA Messaging Principles and
 * Best Practices, 5.1.3; TD and T are the Chinese carriers'. Only a message that
 * is nothing but such a word counts: "STOP 12345" does not.
 */
#include <string.h>

#include "bot/core.h"

void consent_stop(struct core *core)
{
	struct person *me = core->me;
	bool part = me->requests.count || me->claims.count;
	draft_drop(core);
	if (me->stopped)
		return;
	me->stopped = true;
	say(core, part ? TEXT_STOPPED_TASKS : TEXT_STOPPED, NULL, 0);
}

static void consent_help(struct core *core)
{
	if (core->me->volunteer || core->organiser)
		say(core, core->organiser ? TEXT_HELP_ORGANISER : TEXT_HELP_VOLUNTEER, NULL, 0);
	else
		say(core, TEXT_HELP, NULL, 0);
}

/* "?" and its full-width form, which folding would leave nothing of. */
static bool is_question_mark(const char *text)
{
	text += strspn(text, " ");
	size_t len = strspn(text, "?") ? strspn(text, "?") : !strncmp(text, "？", 3) ? 3 : 0;
	return len && !text[len + strspn(text + len, " ")];
}

bool consent_handle(struct core *core)
{
	const struct bot *bot = core->bot;
	struct person *me = core->me;
	/* A bare CANCEL on SMS is the carriers' word, unless there is something to cancel. */
	bool idle = !me->draft.stage && !me->requests.count && !me->claims.count;
	bool carrier = core->channel && core->channel->can & IS_SMS && idle;
	if (words_are(bot, LIST_STOP, core->folded) ||
	    (carrier && words_are(bot, LIST_STOP_SMS, core->folded))) {
		consent_stop(core);
		return true;
	}
	if (me->stopped && words_are(bot, LIST_START, core->folded)) {
		me->stopped = false;
		say(core, TEXT_STARTED, NULL, 0);
		return true;
	}
	if (words_are(bot, LIST_HELP, core->folded) || words_are(bot, LIST_START, core->folded) ||
	    is_question_mark(core->text)) {
		consent_help(core);
		question_again(core);
		return true;
	}
	return false;
}
