/* bot/step.c - one event in, one commit out; who handles it. */
#include <stdlib.h>
#include <string.h>

#include "bot/core.h"

enum { TEXT_POINTS = 1000 };

struct bot *bot_new(const struct locales *locales, const struct community *communities,
		    size_t community_count, const struct bot_channel *channels,
		    size_t channel_count)
{
	struct bot *bot = xalloc(sizeof(*bot));
	*bot = (struct bot){
		.locales = locales,
		.communities = communities,
		.community_count = community_count,
		.channels = channels,
		.channel_count = channel_count,
	};
	lexicon_load(&bot->lexicon, locales);
	return bot;
}

void bot_free(struct bot **bot)
{
	if (!*bot)
		return;
	lexicon_clear(&(*bot)->lexicon);
	free(*bot);
	*bot = NULL;
}

static void step_message(struct core *core)
{
	const struct event *event = core->event;
	const struct message_in *message = &event->message;
	if (!event->sender_key || !message->sender || !event->channel)
		return;
	core->channel = core_channel(core, event->channel);
	if (message->group) {
		core->group = group_at(core, event->channel, message->group);
		if (!core->group)
			return; /* a chat that nobody told us to serve */
	}
	/* Nobody's wish is longer; what is read costs no more than this. */
	core->text = message->text ? text_cut(core->arena, message->text, TEXT_POINTS) : "";
	core->folded = text_fold(core->arena, core->text);
	core->me = person_get(core, event->sender_key);
	if (core->group)
		group_handle(core);
	else
		direct_handle(core);
}

enum step_result bot_step(const struct bot *bot, const struct event *event, struct view *view,
			  struct arena *arena, struct commit *commit_r)
{
	struct core core = {
		.bot = bot,
		.event = event,
		.view = view,
		.arena = arena,
		.commit = commit_r,
		.random = event->seed,
		.text = "",
		.folded = "",
	};
	*commit_r = (struct commit){.entry = NULL};
	view_begin(view);
	for (size_t i = 0; i < bot->community_count; i++)
		if (event->community && !strcmp(bot->communities[i].id, event->community))
			core.community = &bot->communities[i];
	if (!core.community)
		return STEP_DONE;
	if (event->type == EVENT_MESSAGE)
		step_message(&core);
	else if (event->type == EVENT_DUE)
		due_handle(&core);
	else if (event->type == EVENT_OUTCOME)
		outcome_handle(&core);
	if (core.need) {
		*commit_r = (struct commit){.entry = NULL};
		return STEP_NEED;
	}
	documents_write(&core);
	view_reads(view, arena, commit_r);
	return STEP_DONE;
}
