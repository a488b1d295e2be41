/* bot/groups.c - what is written in a group chat: mostly not for us, and then we keep silent. */
#include <string.h>

#include "bot/core.h"

/* Being in a group of volunteers makes a volunteer; nothing else is kept of a passer-by. */
static void remember(struct core *core)
{
	struct person *me = core->me;
	const struct message_in *message = &core->event->message;
	me->volunteer = true;
	if (me->address)
		return;
	me->channel = core->event->channel;
	me->address = message->direct ? message->direct : message->sender;
	me->number = (int64_t)(10 + core_random(core) % 90);
	language_guess(core);
}

static void group_claim(struct core *core, const char *code, const char *rest)
{
	if (code && !flood_handle(core))
		claim_take(core, code, rest);
}

/* A thumb up on a task that is over only says thanks. */
static void group_reaction(struct core *core, const char *code)
{
	int state = code ? (int)task_get(core, code)->state : TASK_NONE;
	if (state == TASK_OPEN || state == TASK_TAKEN)
		group_claim(core, code, "");
}

/* A reply to a card: the code is known, so a word is enough, and talk about it is left alone. */
static bool group_quote(struct core *core, const struct command *command)
{
	const char *about = core->event->message.about;
	const char *code = about ? card_code(board_get(core, core->group->id), about) : NULL;
	if (!code || command->code)
		return false;
	if (command->verb && command->verb != VERB_CLAIM) {
		if (!flood_handle(core))
			command_do(core, command->verb, code, command->rest);
		return true;
	}
	if (command->verb == VERB_CLAIM) {
		group_claim(core, code, command->rest);
		return true;
	}
	enum list list =
		words_begin(core->bot, LIST_CLAIM, core->folded) ? LIST_CLAIM : LIST_ACCEPT;
	size_t len = words_at(core->bot, list, core->folded, core->folded);
	const char *rest = core->folded + len + strspn(core->folded + len, " ");
	struct moment moment;
	bool alone = true;
	bool time = *rest && moment_find(core, rest, &moment, &alone);
	if (len && (!*rest || (time && alone) || list == LIST_CLAIM))
		group_claim(core, code, rest);
	else
		return false;
	return true;
}

/* A command without quoting: word and code, or the bare word of taking. */
static void group_text(struct core *core)
{
	struct command command = words_parse(core->bot, core->arena, core->folded);
	if (group_quote(core, &command) || question_answer(core))
		return;
	if (command.verb == VERB_CLAIM && !command.code) {
		if (!flood_handle(core))
			command_do(core, VERB_CLAIM, NULL, command.rest);
		return;
	}
	if (!command.code || command.verb == VERB_CODE)
		return;
	/* "接 2024 届新生" is talk; a code nobody has with nothing behind it is a slip. */
	bool known = code_valid(command.code) && task_get(core, command.code)->state != TASK_NONE;
	bool slip = command.verb == VERB_CLAIM && !*command.rest;
	if ((known || slip) && !flood_handle(core))
		command_do(core, command.verb, command.code, command.rest);
}

void group_handle(struct core *core)
{
	const struct message_in *message = &core->event->message;
	if (message->kind == MESSAGE_RECEIPT)
		return;
	remember(core);
	core->organiser = organiser_is(core, core->event->channel, message->sender) ||
			  organiser_is(core, core->event->channel, message->direct);
	if (message->kind == MESSAGE_BUTTON) {
		const char *colon = message->button ? strchr(message->button, ':') : NULL;
		core->text = core->folded = "";
		if (colon && !strncmp(message->button, "claim:", 6))
			group_claim(core, colon + 1, "");
	} else if (message->kind == MESSAGE_REACTION) {
		bool hand = words_reaction(core->bot, core->arena, message->text);
		core->text = core->folded = "";
		if (hand && message->about)
			group_reaction(core,
				       card_code(board_get(core, core->group->id), message->about));
	} else if (*core->folded) {
		group_text(core);
	}
}
