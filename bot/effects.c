/* bot/effects.c - what a step does: sends, due events, and the words in them. */
#include <string.h>

#include "bot/core.h"

enum { SEND_ID_MAX = 40, MINUTE = 60 * 1000, DAY = 24 * 60 * MINUTE };

uint64_t core_random(struct core *core)
{
	/* splitmix64: the event's seed makes every draw repeatable. */
	uint64_t z = core->random += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

const struct bot_channel *core_channel(const struct core *core, const char *name)
{
	for (size_t i = 0; name && i < core->bot->channel_count; i++)
		if (!strcmp(core->bot->channels[i].name, name))
			return &core->bot->channels[i];
	return NULL;
}

char *core_say(struct core *core, int language, enum text_id id, const struct blank *blanks,
	       size_t count)
{
	return text_say(core->bot->locales, language, id, core->arena, blanks, count);
}

static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

/* The event's id in the letters a send id may have; hashed where that would lose something. */
static const char *send_stem(struct core *core)
{
	const char *id = core->event->id;
	size_t len = strlen(id);
	bool clean = len > 0 && len <= SEND_ID_MAX;
	for (size_t i = 0; i < len; i++) {
		char c = id[i];
		bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || c == '-';
		clean = clean && good;
	}
	return clean ? id : arena_printf(core->arena, "e%016llx", (unsigned long long)hash(id));
}

static void send_put(struct core *core, struct message_out *message, const struct post *post,
		     const char *channel)
{
	const struct bot_channel *known = core_channel(core, channel);
	if (!known || !message->to)
		return;
	struct commit *commit = core->commit;
	message->id = arena_printf(core->arena, "%s-%zu", send_stem(core), commit->send_count);
	message->text =
		known->text_max ? text_cut(core->arena, post->text, known->text_max) : post->text;
	if (post->about && known->can & CAN_QUOTE)
		message->about = post->about;
	message->edit = post->edit;
	if (post->buttons && known->can & CAN_BUTTON) {
		memcpy(message->buttons, post->buttons->items, sizeof(message->buttons));
		message->button_count = post->buttons->count;
	}
	struct outgoing outgoing = {
		.message = *message,
		.community = core->community->id,
		.ref = post->ref,
		.replaces = post->replaces,
		.made_at = core->event->now,
		.not_after = core->event->now + DAY,
	};
	commit->sends =
		arena_grow(core->arena, commit->sends, commit->send_count, sizeof(*commit->sends));
	struct send *send = &commit->sends[commit->send_count++];
	*send = (struct send){.id = message->id, .channel = known->name, .lane = LANE_CONVERSATION};
	send->payload = outgoing_encode(&outgoing, core->arena, &send->len);
}

void send_group(struct core *core, const struct group *group, const struct post *post)
{
	struct message_out message = {.to = group->address, .group = true};
	send_put(core, &message, post, group->channel);
}

void send_address(struct core *core, const char *channel, const char *address,
		  const struct post *post)
{
	struct message_out message = {.to = address};
	send_put(core, &message, post, channel);
}

void send_person(struct core *core, const struct person *person, const struct post *post)
{
	send_address(core, person->channel, person->address, post);
}

void send_organisers(struct core *core, const char *text)
{
	for (size_t i = 0; i < core->community->organiser_count; i++) {
		const struct organiser *organiser = &core->community->organisers[i];
		send_address(core, organiser->channel, organiser->address,
			     &(struct post){.text = text});
	}
}

void reply_buttons(struct core *core, const char *text, const struct buttons *buttons)
{
	const struct message_in *message = &core->event->message;
	struct post post = {.text = text, .buttons = buttons};
	if (core->group) {
		/* A button or reaction has no message of its own to quote. */
		post.about = message->kind == MESSAGE_TEXT ? message->id : NULL;
		send_group(core, core->group, &post);
	} else {
		send_address(core, core->event->channel,
			     message->direct ? message->direct : message->sender, &post);
	}
}

void reply(struct core *core, const char *text)
{
	reply_buttons(core, text, NULL);
}

void say(struct core *core, enum text_id id, const struct blank *blanks, size_t count)
{
	reply(core, core_say(core, reply_language(core), id, blanks, count));
}

void tell(struct core *core, const struct person *person, enum text_id id,
	  const struct blank *blanks, size_t count)
{
	if (person->blocked)
		return;
	const char *text = core_say(core, person_language(core, person), id, blanks, count);
	send_person(core, person, &(struct post){.text = text});
}

void due_set(struct core *core, const char *name, int64_t at)
{
	struct commit *commit = core->commit;
	for (size_t i = 0; i < commit->due_count; i++) {
		if (!strcmp(commit->dues[i].name, name)) {
			commit->dues[i].at = at;
			return;
		}
	}
	commit->dues =
		arena_grow(core->arena, commit->dues, commit->due_count, sizeof(*commit->dues));
	commit->dues[commit->due_count++] = (struct due_write){.name = name, .at = at};
}

void button_add(struct core *core, struct buttons *buttons, const char *label, const char *data)
{
	if (buttons->count == MESSAGE_BUTTONS_MAX)
		return;
	buttons->items[buttons->count++] = (struct message_button){
		.label = arena_str(core->arena, label), .data = arena_str(core->arena, data)};
}
