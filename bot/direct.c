/* bot/direct.c - a message that somebody wrote to us alone, in the order in which it is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "bot/core.h"

static const int64_t month_ms = 30LL * 24 * 60 * 60 * 1000;

static void remember(struct core *core)
{
	struct person *me = core->me;
	const struct message_in *message = &core->event->message;
	me->channel = core->event->channel;
	me->address = message->direct ? message->direct : message->sender;
	if (!me->number)
		me->number = (int64_t)(10 + core_random(core) % 90);
	if (core->event->now - me->seen_at > month_ms)
		me->seen_at = core->event->now;
}

/* "answer:<when it was asked>:<n>", or "<verb>:<code>" */
static void direct_button(struct core *core, const char *data)
{
	const char *colon = strchr(data, ':');
	if (!colon)
		return;
	if (strncmp(data, "answer:", 7) != 0) {
		enum verb verb = words_verb(data, (size_t)(colon - data));
		core->text = core->folded = "";
		if (code_valid(colon + 1))
			command_do(core, verb, colon + 1, "");
		return;
	}
	const struct draft *draft = &core->me->draft;
	char *digit;
	if (draft->stage && strtoll(colon + 1, &digit, 10) == draft->asked_at && *digit == ':') {
		core->text = core->folded = digit + 1;
		draft_answer(core, digit + 1);
		return;
	}
	say(core, TEXT_BUTTON_OLD, NULL, 0);
	question_again(core);
}

/* "七点半到", from who holds one task: the time of that one. */
static bool time_of_holder(struct core *core)
{
	struct person *me = core->me;
	struct moment moment;
	bool alone;
	if (me->claims.count != 1 || me->draft.stage ||
	    !moment_find(core, core->text, &moment, &alone) || !alone)
		return false;
	command_do(core, VERB_CLAIM, me->claims.items[0], core->text);
	return true;
}

static void direct_text(struct core *core)
{
	if (consent_handle(core))
		return;
	danger_look(core);
	if (flood_handle(core))
		return;
	struct person *me = core->me;
	if (me->stopped && !me->requests.count && !me->claims.count)
		return;
	struct command command = words_parse(core->bot, core->arena, core->folded);
	size_t sends = core->commit->send_count;
	claim_waiting(core);
	if (core->commit->send_count > sends && (!command.verb || command.verb == VERB_CODE))
		return;
	if (language_command(core) || question_answer(core))
		return;
	if (!core->danger && command_run(core, &command))
		return;
	if (question_text(core) || time_of_holder(core) || me->stopped)
		return;
	if (me->draft.stage)
		draft_answer(core, core->text);
	else
		intake_text(core);
}

void direct_handle(struct core *core)
{
	const struct message_in *message = &core->event->message;
	core->organiser = organiser_is(core, core->event->channel, message->sender) ||
			  organiser_is(core, core->event->channel, message->direct);
	if (message->kind == MESSAGE_RECEIPT) {
		if (message->receipt == RECEIPT_BLOCKED)
			core->me->stopped = core->me->blocked = true;
		return;
	}
	if (message->kind == MESSAGE_REACTION)
		return;
	core->me->blocked = false;
	remember(core);
	language_guess(core);
	if (message->kind == MESSAGE_BUTTON) {
		if (message->button && !flood_handle(core))
			direct_button(core, message->button);
	} else if (*core->text || message->latitude != 0 || message->longitude != 0) {
		direct_text(core);
	}
}
