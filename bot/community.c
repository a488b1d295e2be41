/* bot/community.c - finding things in what the operator wrote down, by id, address or words. */
#include <string.h>

#include "bot/core.h"

const struct kind *kind_find(const struct core *core, const char *id)
{
	for (size_t i = 0; id && i < core->community->kind_count; i++)
		if (!strcmp(core->community->kinds[i].id, id))
			return &core->community->kinds[i];
	return NULL;
}

const struct area *area_find(const struct core *core, const char *id)
{
	for (size_t i = 0; id && i < core->community->area_count; i++)
		if (!strcmp(core->community->areas[i].id, id))
			return &core->community->areas[i];
	return NULL;
}

const struct group *group_find(const struct core *core, const char *id)
{
	for (size_t i = 0; id && i < core->community->group_count; i++)
		if (!strcmp(core->community->groups[i].id, id))
			return &core->community->groups[i];
	return NULL;
}

const struct group *group_at(const struct core *core, const char *channel, const char *address)
{
	for (size_t i = 0; i < core->community->group_count; i++) {
		const struct group *group = &core->community->groups[i];
		if (!strcmp(group->channel, channel) && !strcmp(group->address, address))
			return group;
	}
	return NULL;
}

bool organiser_is(const struct core *core, const char *channel, const char *address)
{
	for (size_t i = 0; address && i < core->community->organiser_count; i++) {
		const struct organiser *organiser = &core->community->organisers[i];
		if (!strcmp(organiser->channel, channel) && !strcmp(organiser->address, address))
			return true;
	}
	return false;
}

bool group_takes(const struct group *group, const struct kind *kind, const struct area *area)
{
	/* What nobody could name may be anything: organisers first. */
	if (!kind || kind->sensitive)
		return false;
	if (kind->groups.count && !texts_have(&kind->groups, group->id))
		return false;
	return !group->areas.count || !area || texts_have(&group->areas, area->id);
}

const char *kind_name(struct core *core, const char *id, int language)
{
	const struct kind *kind = kind_find(core, id);
	if (kind)
		return name_in(core, &kind->name, language, kind->id);
	return core_say(core, language, TEXT_KIND_OTHER, NULL, 0);
}

const char *area_name(const struct core *core, const char *id, int language)
{
	const struct area *area = area_find(core, id);
	return area ? name_in(core, &area->name, language, area->id) : id ? id : "";
}

/* How many bytes of the text the words of a list cover. */
static size_t words_weight(const struct texts *words, const char *folded)
{
	size_t weight = 0;
	for (size_t i = 0; i < words->count; i++) {
		if (!word_in(folded, words->items[i]))
			continue;
		/* A word inside a longer one that stands there too is the same word. */
		bool inside = false;
		for (size_t k = 0; k < words->count; k++)
			inside = inside ||
				 (k != i && strlen(words->items[k]) > strlen(words->items[i]) &&
				  strstr(words->items[k], words->items[i]) &&
				  word_in(folded, words->items[k]));
		weight += inside ? 0 : strlen(words->items[i]);
	}
	return weight;
}

const struct kind *kind_guess(const struct core *core, const char *folded)
{
	const struct kind *best = NULL;
	size_t most = 0;
	for (size_t i = 0; i < core->community->kind_count; i++) {
		const struct kind *kind = &core->community->kinds[i];
		size_t weight = words_weight(&kind->words, folded);
		if (weight && weight == most && best && best->sensitive == kind->sensitive)
			best = NULL;
		else if (weight > most || (weight && weight == most && kind->sensitive))
			best = kind;
		if (weight > most)
			most = weight;
	}
	return best;
}

const struct area *area_guess(const struct core *core, const char *folded)
{
	const struct area *best = NULL;
	size_t most = 0;
	for (size_t i = 0; i < core->community->area_count; i++) {
		size_t weight = words_weight(&core->community->areas[i].words, folded);
		if (weight && weight == most)
			best = NULL;
		if (weight > most) {
			most = weight;
			best = &core->community->areas[i];
		}
	}
	return best;
}
