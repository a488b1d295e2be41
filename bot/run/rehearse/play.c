/* bot/run/rehearse/play.c - plays a talk, step by step. */
#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/log.h"
#include "bot/run/rehearse/play.h"

enum { DAY_MS = 24 * 3600 * 1000, BREATH_MS = 1000 };

struct entry *play_entry(struct play *play, enum entry_type type)
{
	play->entries =
		arena_grow(play->arena, play->entries, play->entry_count, sizeof(*play->entries));
	struct entry *entry = &play->entries[play->entry_count++];
	*entry = (struct entry){
		.type = type,
		.at = play->stage ? stage_now(play->stage) : play->talk->start,
		.person = TALK_NOBODY,
		.step = play->step,
	};
	return entry;
}

void play_fail(struct play *play, const char *format, ...)
{
	va_list args;
	if (play->failed)
		return;
	play->failed = true;
	va_start(args, format);
	const char *sentence = arena_vprintf(play->arena, format, args);
	va_end(args);
	struct entry *entry = play_entry(play, ENTRY_FAILURE);
	int line = play->step ? play->step->line : 1;
	entry->text = arena_printf(play->arena, "%s:%d: %s", play->talk->file, line, sentence);
}

int play_person(const struct play *play, int person)
{
	return person == TALK_NOBODY ? TALK_NOBODY : play->alias[person];
}

static const struct group *find_group(const struct play *play, const char *id)
{
	for (size_t i = 0; id && i < play->community->group_count; i++)
		if (!strcmp(play->community->groups[i].id, id))
			return &play->community->groups[i];
	return NULL;
}

static const struct talk_address *address_on(const struct talk_person *person, const char *channel)
{
	for (size_t i = 0; i < person->address_count; i++)
		if (!channel || !strcmp(person->addresses[i].channel, channel))
			return &person->addresses[i];
	return NULL;
}

/* The speaker of a step, once aliases are known. */
static int speaker(struct play *play, const struct talk_step *step)
{
	int person = play_person(play, step->people[0]);
	if (person == TALK_NOBODY)
		play_fail(play, "nobody is %s yet", play->talk->people[step->people[0]].name);
	return person;
}

static const char *spoken_text(struct play *play, const struct talk_step *step)
{
	const char *unknown = NULL;
	const char *text =
		talk_fill(step->text ? step->text : "", &play->variables, play->arena, &unknown);
	if (!text)
		play_fail(play, "nothing was caught as {%s} yet", unknown);
	return text;
}

/* Fills what the message hangs on: a quote, a button, a reaction. */
static bool attach(struct play *play, const struct talk_step *step, int person,
		   const struct group *group, struct message_in *message, struct entry *entry)
{
	if (!step->about && !step->button)
		return true;
	const struct entry *about =
		play_find(play, person, group, step->about, step->button, step->old_button);
	if (!about && !play->loose) {
		play_fail(play, step->button ? "there is no such button to press"
					     : "there is no such message of the bot there");
	}
	if (!about)
		return false;
	message->about = about->message_id;
	entry->about = play_now_reads(play, about)->text;
	for (size_t i = 0; step->button && i < about->button_count; i++)
		if (talk_match(step->button, about->buttons[i].label, &play->variables))
			message->button = about->buttons[i].data;
	message->kind = step->button     ? MESSAGE_BUTTON
			: step->reaction ? MESSAGE_REACTION
					 : MESSAGE_TEXT;
	return true;
}

static void say(struct play *play, const struct talk_step *step)
{
	int index = speaker(play, step);
	const char *text = index == TALK_NOBODY ? NULL : spoken_text(play, step);
	if (!text)
		return;
	const struct talk_person *person = &play->talk->people[index];
	const struct group *group = find_group(play, step->group);
	const struct talk_address *address =
		address_on(person, group ? group->channel : step->channel);
	if (!address) {
		play_fail(play, "%s is not on that channel", person->name);
		return;
	}
	struct message_in message = {
		.kind = MESSAGE_TEXT,
		.id = arena_printf(play->arena, "in-%zu", ++play->message_count),
		.sender = address->address,
		.group = group ? group->address : NULL,
		.name = person->name,
		.text = step->reaction ? step->reaction : text,
		.language = person->language,
		.sent_at = stage_now(play->stage),
	};
	struct entry entry = {0};
	if (!attach(play, step, index, group, &message, &entry))
		return;
	struct entry *said = play_entry(play, ENTRY_SAID);
	said->person = index;
	said->group = group;
	said->channel = address->channel;
	said->text = message.text;
	said->about = entry.about;
	if (step->button)
		said->remark = arena_printf(play->arena, "presses [%s]", step->button);
	else if (step->reaction)
		said->remark = arena_printf(play->arena, "reacts %s", step->reaction);
	else if (step->times > 1)
		said->remark = arena_printf(play->arena, "delivered %d times", step->times);
	if (step->button)
		message.text = NULL;
	play->last = message;
	play->last_channel = address->channel;
	stage_say(play->stage, address->channel, &message, step->times);
}

static void again(struct play *play)
{
	if (!play->last_channel) {
		play_fail(play, "nobody has said anything yet");
		return;
	}
	struct entry *entry = play_entry(play, ENTRY_NOTE);
	entry->text = "the platform delivers the same message again";
	stage_say(play->stage, play->last_channel, &play->last, 1);
}

static void receipt(struct play *play, const struct talk_step *step)
{
	const struct entry *last = NULL;
	const struct group *group = find_group(play, step->group);
	int person = group ? TALK_NOBODY : play_person(play, step->people[0]);
	for (size_t i = 0; i < play->entry_count; i++)
		if (play->entries[i].type == ENTRY_HEARD && play->entries[i].group == group &&
		    play->entries[i].person == person)
			last = &play->entries[i];
	if (!last) {
		play_fail(play, "the bot has sent no text there");
		return;
	}
	struct message_in message = {
		.kind = MESSAGE_RECEIPT,
		.id = arena_printf(play->arena, "receipt-%zu", ++play->message_count),
		.sender = group ? ""
				: address_on(&play->talk->people[person], last->channel)->address,
		.about = last->send_id,
		.receipt = step->receipt,
		.sent_at = stage_now(play->stage),
	};
	stage_say(play->stage, last->channel, &message, 1);
}

static void rest(struct play *play)
{
	if (!stage_rest(play->stage))
		play_fail(play, "the bot does not come to rest: it goes on for ever by itself");
	if (stage_turned_away(play->stage) && !play->loose)
		play_fail(play, "a message was turned away at the door");
	watch_rest(play);
}

static void pass(struct play *play, int64_t until)
{
	if (!stage_pass(play->stage, until))
		play_fail(play, "the bot does not come to rest: it goes on for ever by itself");
	rest(play);
}

static int offset_at(const struct play *play, int64_t at)
{
	int offset = 0;
	return clock_zone_offset(play->community->zone, at, &offset) < 0 ? 0 : offset;
}

static void pass_until(struct play *play, const struct talk_step *step)
{
	int64_t now = stage_now(play->stage);
	int64_t offset = (int64_t)offset_at(play, now) * 1000;
	int64_t until;
	if (step->dated) {
		until = step->duration - offset;
	} else {
		int64_t wall = now + offset;
		until = wall - wall % DAY_MS + step->duration - offset;
		if (until <= now)
			until += DAY_MS;
	}
	if (until <= now)
		play_fail(play, "that moment is already gone");
	else
		pass(play, until);
}

static void add_fate(struct play *play, const struct talk_step *step)
{
	play->fates = arena_grow(play->arena, play->fates, play->fate_count, sizeof(*play->fates));
	play->fates[play->fate_count++] = (struct fate){.step = step};
}

static bool is_stimulus(const struct talk_step *step)
{
	return step->type == TALK_SAY || step->type == TALK_AGAIN || step->type == TALK_RECEIPT ||
	       step->type == TALK_PASS || step->type == TALK_UNTIL;
}

void play_step(struct play *play, const struct talk_step *step, bool last_of_block)
{
	bool at_once = step->block == TALK_AT_ONCE;
	play->step = step;
	if (is_stimulus(step) && (!at_once || step->block_first)) {
		play_silence(play, NULL);
		if (step->type != TALK_PASS && step->type != TALK_UNTIL && !play->failed)
			pass(play, stage_now(play->stage) + BREATH_MS);
		play_silence(play, NULL);
	}
	if (play->failed)
		return;
	switch (step->type) {
	case TALK_NOTE:
		play_entry(play, ENTRY_NOTE)->text = step->text;
		break;
	case TALK_SAY:
		say(play, step);
		break;
	case TALK_AGAIN:
		again(play);
		break;
	case TALK_RECEIPT:
		receipt(play, step);
		break;
	case TALK_FATE:
		add_fate(play, step);
		break;
	case TALK_RESTART:
		play_entry(play, ENTRY_NOTE)->text = "the daemon restarts";
		if (!stage_restart(play->stage))
			play_fail(play, "the daemon did not stop and start again");
		break;
	case TALK_PASS:
		pass(play, stage_now(play->stage) + step->duration);
		break;
	case TALK_UNTIL:
		pass_until(play, step);
		break;
	case TALK_HEAR:
		play_hear(play, step);
		break;
	case TALK_SILENCE:
		play_silence(play, step);
		break;
	case TALK_CARD:
		play_card(play, step);
		break;
	case TALK_SEEN:
		play_seen(play, step);
		break;
	}
	if (is_stimulus(step) && (!at_once || last_of_block))
		rest(play);
}

static void play_steps(struct play *play)
{
	const struct talk *talk = play->talk;
	for (size_t i = 0; i < talk->step_count && !play->failed; i++) {
		const struct talk_step *step = &talk->steps[i];
		bool last_of_block = i + 1 == talk->step_count || step[1].block_first ||
				     step[1].block != step->block;
		play_step(play, step, last_of_block);
	}
	if (!play->failed)
		play_silence(play, NULL);
	for (size_t i = 0; i < play->fate_count && !play->failed; i++) {
		play->step = play->fates[i].step;
		if (!play->fates[i].used && !play->step->every)
			play_fail(play, "no text was sent that this could have happened to");
	}
}

/* A logged error is one that nobody in the talk announced. */
static void logged(void *arg, enum log_level level, const char *line)
{
	struct play *play = arg;
	if (level >= LOG_ERROR)
		play_fail(play, "the daemon logged an error: %s", line);
	watch_log(play, line);
}

struct play *play_begin(const struct performance *performance, struct arena *arena)
{
	const struct talk *talk = performance->talk;
	struct play *play = arena_alloc(arena, sizeof(*play));
	*play = (struct play){
		.talk = talk,
		.config = performance->config,
		.community = performance->community,
		.arena = arena,
		.scratch = arena_new(),
		.variables = {.arena = arena},
		.alias = arena_alloc(arena, (talk->person_count + 1) * sizeof(int)),
	};
	for (size_t i = 0; i < talk->person_count; i++)
		play->alias[i] = talk->people[i].alias ? TALK_NOBODY : (int)i;
	play->stage_host =
		(struct stage_host){.arg = play, .spoken = play_spoken, .stepped = watch_stepped};
	int64_t start = talk->start;
	start -= (int64_t)offset_at(play, start) * 1000;
	log_set_hook(logged, play);
	play->stage = stage_new(performance->config, performance->locales, start, performance->seed,
				&play->stage_host);
	rest(play);
	return play;
}

bool play_end(struct play *play)
{
	stage_free(&play->stage);
	arena_free(&play->scratch);
	log_set_hook(NULL, NULL);
	return !play->failed;
}

bool play_talk(const struct performance *performance, struct arena *arena, struct buf *out)
{
	struct play *play = play_begin(performance, arena);
	play->loose = performance->draft;
	if (!play->failed)
		play_steps(play);
	if (out && performance->draft)
		print_draft(play, out);
	if (out && (!performance->draft || play->failed))
		print_transcript(play, out);
	return play_end(play);
}
