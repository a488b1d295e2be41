/* bot/run/rehearse/hear.c - takes down what the bot says and compares it with the talk. */
#include <string.h>

#include "adapters/adapter.h"
#include "adapters/sms/sms.h"
#include "base/arena.h"
#include "base/civil.h"
#include "base/clock.h"
#include "bot/run/rehearse/play.h"

static const struct group *group_at(const struct play *play, const char *channel,
				    const char *address)
{
	for (size_t i = 0; i < play->community->group_count; i++) {
		const struct group *group = &play->community->groups[i];
		if (!strcmp(group->channel, channel) && !strcmp(group->address, address))
			return group;
	}
	return NULL;
}

static int person_at(const struct play *play, const char *channel, const char *address)
{
	for (size_t i = 0; i < play->talk->person_count; i++) {
		const struct talk_person *person = &play->talk->people[i];
		for (size_t a = 0; a < person->address_count; a++)
			if (!strcmp(person->addresses[a].channel, channel) &&
			    !strcmp(person->addresses[a].address, address))
				return (int)i;
	}
	return TALK_NOBODY;
}

const struct entry *play_now_reads(const struct play *play, const struct entry *entry)
{
	const struct entry *newest = entry;
	for (size_t i = 0; i < play->entry_count; i++)
		if (play->entries[i].type == ENTRY_CHANGED && entry->message_id &&
		    !strcmp(play->entries[i].message_id, entry->message_id))
			newest = &play->entries[i];
	return newest;
}

static const char *text_of(struct play *play, const char *text)
{
	return arena_str(play->arena, text ? text : "");
}

/* The first fate that this text meets; NULL: it arrives. */
static const struct talk_step *meet_fate(struct play *play, int person, const struct group *group)
{
	const struct talk_step *met = NULL;
	for (size_t i = 0; i < play->fate_count; i++) {
		struct fate *fate = &play->fates[i];
		const struct talk_step *step = fate->step;
		bool here =
			group ? step->group && !strcmp(step->group, group->id)
			      : step->person_count && play_person(play, step->people[0]) == person;
		if (!here || (fate->used && !step->every))
			continue;
		/* Of the lasting ones the newest counts, of the single ones the oldest. */
		if (!step->every) {
			fate->used = true;
			return step;
		}
		met = step;
	}
	return met;
}

static void settle(struct entry *entry, const struct talk_step *fate, struct outcome *outcome_r)
{
	*outcome_r = fate ? fate->outcome : (struct outcome){.kind = OUTCOME_SENT};
	outcome_r->reason = fate ? "as the talk says" : NULL;
	switch (outcome_r->kind) {
	case OUTCOME_SENT:
		outcome_r->message_id = entry->message_id;
		break;
	case OUTCOME_UNCERTAIN:
		entry->remark = "nobody knows whether it arrived";
		break;
	case OUTCOME_RETRY:
		entry->remark = "later, says the platform";
		entry->type = ENTRY_LOST;
		break;
	case OUTCOME_REFUSED:
		entry->remark = "refused by the platform";
		entry->type = ENTRY_LOST;
		break;
	}
}

void play_spoken(void *arg, const char *channel, const struct message_out *message,
		 struct outcome *outcome_r)
{
	struct play *play = arg;
	struct entry *entry = play_entry(play, message->edit ? ENTRY_CHANGED : ENTRY_HEARD);
	entry->channel = text_of(play, channel);
	entry->send_id = text_of(play, message->id);
	entry->text = text_of(play, message->text);
	entry->message_id = message->edit
				    ? text_of(play, message->edit)
				    : arena_printf(play->arena, "out-%zu", ++play->message_count);
	entry->button_count = message->button_count;
	for (size_t i = 0; i < message->button_count; i++)
		entry->buttons[i] =
			(struct message_button){.label = text_of(play, message->buttons[i].label),
						.data = text_of(play, message->buttons[i].data)};
	if (message->group)
		entry->group = group_at(play, channel, message->to);
	else
		entry->person = person_at(play, channel, message->to);
	size_t at = (size_t)(entry - play->entries);
	if (!entry->group && entry->person == TALK_NOBODY) {
		play_fail(play, "the bot wrote to an address on %s that nobody here has", channel);
		*outcome_r =
			(struct outcome){.kind = OUTCOME_REFUSED, .refusal = REFUSAL_UNREACHABLE};
		return;
	}
	for (size_t i = 0; message->about && i < at; i++)
		if (play->entries[i].message_id &&
		    !strcmp(play->entries[i].message_id, message->about))
			entry->about = play->entries[i].text;
	settle(entry, meet_fate(play, entry->person, entry->group), outcome_r);
	watch_entry(play, entry);
}

const char *play_where(const struct play *play, const struct entry *entry)
{
	if (entry->group)
		return entry->group->id;
	if (entry->person != TALK_NOBODY)
		return play->talk->people[entry->person].name;
	return "?";
}

static bool is_unheard(const struct entry *entry, int person, const struct group *group)
{
	return entry->type == ENTRY_HEARD && !entry->expected && entry->person == person &&
	       entry->group == group;
}

/* Clauses after the name: channel, time, parts, buttons. A sentence if one does not hold. */
static const char *broken_clause(struct play *play, const struct talk_step *step,
				 const struct entry *entry)
{
	if (step->channel && strcmp(step->channel, entry->channel))
		return "that came by another channel";
	if (step->minute_of_day >= 0) {
		int offset = 0;
		if (clock_zone_offset(play->community->zone, entry->at, &offset) < 0)
			offset = 0;
		struct civil civil = civil_from_ms(entry->at, offset);
		if (civil.hour * 60 + civil.minute != step->minute_of_day)
			return "that came at another time";
	}
	if (step->one_part && sms_measure(entry->text).parts > 1)
		return "that takes more than one SMS part";
	if (step->no_buttons && entry->button_count)
		return "that has buttons";
	for (size_t i = 0; step->label && i < entry->button_count; i++)
		if (talk_match(step->label, entry->buttons[i].label, &play->variables))
			return NULL;
	return step->label ? "that has no such button" : NULL;
}

static void hear_from(struct play *play, const struct talk_step *step, int person,
		      const struct group *group)
{
	struct entry *first = NULL;
	const char *name = group ? group->id : play->talk->people[person].name;
	for (size_t i = 0; i < play->entry_count; i++) {
		struct entry *entry = &play->entries[i];
		if (!is_unheard(entry, person, group))
			continue;
		if (talk_match(step->text, entry->text, &play->variables)) {
			const char *broken = broken_clause(play, step, entry);
			entry->expected = true;
			if (broken)
				play_fail(play, "expected %s\n  but: %s", step->source, broken);
			return;
		}
		if (!first)
			first = entry;
		if (step->block != TALK_ANY_ORDER && !play->loose)
			break;
	}
	if (first)
		play_fail(play, "expected bot → %s: %s\n  was said: %s", name, step->text,
			  first->text);
	else
		play_fail(play, "expected bot → %s: %s\n  nothing was said there", name,
			  step->text);
}

/* Would the next thing this person hears fit? Nothing is caught or ticked off by asking. */
static bool would_fit(struct play *play, const struct talk_step *step, int person)
{
	struct talk_variables trial = play->variables;
	for (size_t i = 0; i < play->entry_count; i++) {
		const struct entry *entry = &play->entries[i];
		if (!is_unheard(entry, person, NULL))
			continue;
		if (talk_match(step->text, entry->text, &trial))
			return true;
		if (step->block != TALK_ANY_ORDER && !play->loose)
			return false;
	}
	return false;
}

static void hear_some_of(struct play *play, const struct talk_step *step)
{
	int found[TALK_LISTENERS_MAX] = {TALK_NOBODY};
	size_t count = 0;
	play->other_count = 0;
	for (size_t i = 0; i < step->person_count; i++) {
		int person = play_person(play, step->people[i]);
		if (person == TALK_NOBODY)
			continue;
		if (would_fit(play, step, person))
			found[count++] = person;
		else
			play->others[play->other_count++] = person;
	}
	if (count != step->picked) {
		play_fail(play, "exactly %zu of them should hear \"%s\", but %zu do", step->picked,
			  step->text, count);
		return;
	}
	if (step->alias != TALK_NOBODY)
		play->alias[step->alias] = found[0];
	for (size_t i = 0; i < count && !play->failed; i++)
		hear_from(play, step, found[i], NULL);
}

static void hear_others(struct play *play, const struct talk_step *step)
{
	if (!play->other_count)
		play_fail(play, "\"the others\" comes after \"one of\"");
	if (step->alias != TALK_NOBODY && play->other_count > 1)
		play_fail(play, "there are %zu others, too many for one name", play->other_count);
	else if (step->alias != TALK_NOBODY && play->other_count)
		play->alias[step->alias] = play->others[0];
	for (size_t i = 0; i < play->other_count && !play->failed; i++)
		hear_from(play, step, play->others[i], NULL);
}

static const struct group *step_group(const struct play *play, const struct talk_step *step)
{
	for (size_t i = 0; step->group && i < play->community->group_count; i++)
		if (!strcmp(play->community->groups[i].id, step->group))
			return &play->community->groups[i];
	return NULL;
}

/* The one that a step is about; false if an alias is nobody yet. */
static bool step_target(struct play *play, const struct talk_step *step, int *person_r,
			const struct group **group_r)
{
	*group_r = step_group(play, step);
	*person_r = *group_r ? TALK_NOBODY : play_person(play, step->people[0]);
	if (*group_r || *person_r != TALK_NOBODY)
		return true;
	play_fail(play, "nobody is %s yet", play->talk->people[step->people[0]].name);
	return false;
}

void play_hear(struct play *play, const struct talk_step *step)
{
	int person;
	const struct group *group;
	if (step->pick == TALK_SOME_OF)
		hear_some_of(play, step);
	else if (step->pick == TALK_THE_OTHERS)
		hear_others(play, step);
	else if (step_target(play, step, &person, &group))
		hear_from(play, step, person, group);
}

void play_silence(struct play *play, const struct talk_step *step)
{
	int person = TALK_NOBODY;
	const struct group *group = NULL;
	if (play->loose)
		return;
	bool anywhere = !step || (!step->group && !step->person_count);
	if (!anywhere && !step_target(play, step, &person, &group))
		return;
	for (size_t i = 0; i < play->entry_count && !play->failed; i++) {
		struct entry *entry = &play->entries[i];
		if (entry->type != ENTRY_HEARD || entry->expected)
			continue;
		if (anywhere || (entry->person == person && entry->group == group))
			play_fail(play,
				  "before this line the bot also said, unexpectedly\n  "
				  "bot → %s: %s",
				  play_where(play, entry), entry->text);
	}
}

const struct entry *play_find(struct play *play, int person, const struct group *group,
			      const char *pattern, const char *label, bool old_button)
{
	for (size_t i = play->entry_count; i-- > 0;) {
		const struct entry *entry = &play->entries[i];
		if ((entry->type != ENTRY_HEARD && !(old_button && entry->type == ENTRY_CHANGED)) ||
		    entry->group != group || (!group && entry->person != person))
			continue;
		const struct entry *now = old_button ? entry : play_now_reads(play, entry);
		if (pattern && !talk_match(pattern, now->text, &play->variables) &&
		    !talk_match(pattern, entry->text, &play->variables))
			continue;
		bool carries = !label;
		for (size_t b = 0; !carries && b < now->button_count; b++)
			carries = talk_match(label, now->buttons[b].label, &play->variables);
		if (carries)
			return now;
	}
	return NULL;
}

void play_card(struct play *play, const struct talk_step *step)
{
	int person;
	const struct group *group;
	if (!step_target(play, step, &person, &group))
		return;
	const struct entry *card = NULL;
	for (size_t i = 0; i < play->entry_count && !card; i++) {
		struct entry *entry = &play->entries[i];
		if (entry->type == ENTRY_HEARD && entry->group == group &&
		    (group || entry->person == person) &&
		    talk_match(step->about, entry->text, &play->variables))
			card = entry;
	}
	if (!card) {
		play_fail(play, "there is no such message");
		return;
	}
	const struct entry *now = play_now_reads(play, card);
	const char *broken = broken_clause(play, step, now);
	if (*step->text && !talk_match(step->text, now->text, &play->variables))
		play_fail(play, "expected %s\n  it reads: %s", step->source, now->text);
	else if (broken)
		play_fail(play, "expected %s\n  but: %s", step->source, broken);
}

void play_seen(struct play *play, const struct talk_step *step)
{
	for (size_t i = 0; i < play->entry_count && !play->failed; i++) {
		const struct entry *entry = &play->entries[i];
		if (entry->type != ENTRY_HEARD && entry->type != ENTRY_CHANGED)
			continue;
		bool allowed = false;
		for (size_t p = 0; p < step->person_count; p++)
			allowed |= !entry->group &&
				   play_person(play, step->people[p]) == entry->person;
		if (!allowed && talk_match(step->text, entry->text, &play->variables))
			play_fail(play, "this was seen, and should not have been\n  bot → %s: %s",
				  play_where(play, entry), entry->text);
	}
}
