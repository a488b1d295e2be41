/* config/community_read.c - reads the communities and checks what they refer to. */
#include <string.h>

#include "base/arena.h"
#include "base/zone.h"
#include "config/config.h"
#include "config/model.h"
#include "config/settings_read.h"
#include "config/texts.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, YEAR_D = 366 };
#define DAY ((int64_t)24 * HOUR)

/* What a row of the file says and struct community keeps otherwise. */
struct community_file {
	struct community community;
	const char *join;
	const char *intake_model; /* its file */
};

#define AT(field) offsetof(struct community_file, community.field)
const struct setting community_settings[] = {
	{.name = "name", .type = SETTING_NAMES, .offset = AT(name), .flags = SETTING_REQUIRED,
	 .help = "What people call it."},
	{.name = "language", .type = SETTING_LANGUAGE, .offset = AT(language), .standard = "zh-CN",
	 .help = "The language for people of whom none is known."},
	{.name = "zone", .type = SETTING_TEXT, .offset = AT(zone), .flags = SETTING_REQUIRED,
	 .help = "The IANA time zone, like Asia/Shanghai."},
	{.name = "country", .type = SETTING_TEXT, .offset = AT(country), .flags = SETTING_REQUIRED,
	 .help = "The country, two letters of ISO 3166, like CN."},
	{.name = "emergency", .type = SETTING_TEXTS, .offset = AT(emergency),
	 .flags = SETTING_REQUIRED, .help = "The numbers told to somebody in danger."},
	{.name = "channels", .type = SETTING_TEXTS, .offset = AT(channels),
	 .flags = SETTING_REQUIRED | SETTING_NO_RELOAD,
	 .help = "The channels that serve it. Every channel serves exactly one community."},
	{.name = "join", .type = SETTING_CHOICE, .offset = offsetof(struct community_file, join),
	 .choices = "open|closed", .standard = "open",
	 .help = "Whether anyone may become a volunteer by word."},
	{.name = "lease", .type = SETTING_DURATION, .offset = AT(lease), .standard = "2h",
	 .least = SECOND, .most = 30 * DAY, .help = "A claim lasts this long unless it is kept."},
	{.name = "lease_reminder", .type = SETTING_DURATION, .offset = AT(lease_reminder),
	 .standard = "30m", .least = SECOND, .most = 30 * DAY,
	 .help = "This long before its end the volunteer is asked for a word. Less than lease."},
	{.name = "unfilled", .type = SETTING_DURATION, .offset = AT(unfilled), .standard = "30m",
	 .least = SECOND, .most = 30 * DAY,
	 .help = "A task open for this long is told to the organisers."},
	{.name = "confirm_wait", .type = SETTING_DURATION, .offset = AT(confirm_wait),
	 .standard = "12h", .least = SECOND, .most = 30 * DAY,
	 .help = "After done, silence for this long closes the task as unconfirmed."},
	{.name = "draft_wait", .type = SETTING_DURATION, .offset = AT(draft_wait), .standard = "30m",
	 .least = SECOND, .most = 7 * DAY,
	 .help = "A question without an answer is forgotten after this long."},
	{.name = "code_rest", .type = SETTING_DURATION, .offset = AT(code_rest), .standard = "90d",
	 .least = SECOND, .most = YEAR_D * DAY,
	 .help = "A closed task's code is not used again for this long."},
	{.name = "flood.count", .type = SETTING_INT, .offset = AT(flood_count), .standard = "20",
	 .least = 1, .most = 10000, .help = "So many messages of one person …"},
	{.name = "flood.window", .type = SETTING_DURATION, .offset = AT(flood_window),
	 .standard = "10m", .least = SECOND, .most = DAY,
	 .help = "… in this long bring one warning and then silence."},
	{.name = "intake.model", .type = SETTING_TEXT,
	 .offset = offsetof(struct community_file, intake_model),
	 .help = "A file of weights (docs/intake.md) that also knows requests without your words."},
	{.name = "intake.threshold", .type = SETTING_INT, .offset = AT(intake_threshold),
	 .standard = "0", .least = 0, .most = 99,
	 .help = "From this score on, in percent, a text is a request; 0: as the model says."},
	{0},
};
#undef AT

const struct setting area_settings[] = {
	{.name = "id", .type = SETTING_TEXT, .offset = offsetof(struct area, id),
	 .flags = SETTING_REQUIRED, .help = "Its name in this file; also in the store, so it stays."},
	{.name = "name", .type = SETTING_NAMES, .offset = offsetof(struct area, name),
	 .flags = SETTING_REQUIRED, .help = "As shown on a card."},
	{.name = "words", .type = SETTING_WORDS, .offset = offsetof(struct area, words),
	 .help = "Words in a request that mean this area, in any language."},
	{0},
};

const struct setting kind_settings[] = {
	{.name = "id", .type = SETTING_TEXT, .offset = offsetof(struct kind, id),
	 .flags = SETTING_REQUIRED, .help = "Its name in this file; also in the store, so it stays."},
	{.name = "name", .type = SETTING_NAMES, .offset = offsetof(struct kind, name),
	 .flags = SETTING_REQUIRED, .help = "As shown on a card."},
	{.name = "words", .type = SETTING_WORDS, .offset = offsetof(struct kind, words),
	 .help = "Words in a request that mean this kind, in any language."},
	{.name = "sensitive", .type = SETTING_BOOL, .offset = offsetof(struct kind, sensitive),
	 .standard = "false", .help = "Never posted to a group."},
	{.name = "helpers", .type = SETTING_INT, .offset = offsetof(struct kind, helpers),
	 .standard = "1", .least = 1, .most = 100, .help = "How many volunteers it takes."},
	{.name = "groups", .type = SETTING_TEXTS, .offset = offsetof(struct kind, groups),
	 .help = "The groups it goes to; without, every group of the area."},
	{0},
};

const struct setting group_settings[] = {
	{.name = "id", .type = SETTING_TEXT, .offset = offsetof(struct group, id),
	 .flags = SETTING_REQUIRED, .help = "Its name in this file; also in the store, so it stays."},
	{.name = "channel", .type = SETTING_TEXT, .offset = offsetof(struct group, channel),
	 .flags = SETTING_REQUIRED, .help = "The channel that it is on."},
	{.name = "address", .type = SETTING_TEXT, .offset = offsetof(struct group, address),
	 .flags = SETTING_REQUIRED, .help = "The platform's id of the group chat."},
	{.name = "language", .type = SETTING_LANGUAGE, .offset = offsetof(struct group, language),
	 .help = "What cards are written in; without, the community's language."},
	{.name = "areas", .type = SETTING_TEXTS, .offset = offsetof(struct group, areas),
	 .help = "The areas whose tasks it gets; without, all."},
	{0},
};

const struct setting organiser_settings[] = {
	{.name = "channel", .type = SETTING_TEXT, .offset = offsetof(struct organiser, channel),
	 .flags = SETTING_REQUIRED, .help = "The channel on which they write."},
	{.name = "address", .type = SETTING_TEXT, .offset = offsetof(struct organiser, address),
	 .flags = SETTING_REQUIRED, .help = "Their address there."},
	{0},
};

static const char *const sections[] = {"areas", "kinds", "groups", "organisers", NULL};

static void at_node(struct settings_reader *reader, const struct yaml_node *node,
		    const char *sentence)
{
	mistake_add(reader->mistakes, node->line, node->column, "%s", sentence);
}

/* The items of a list section, each filled by its table; ids checked and told apart. */
static void *read_items(struct settings_reader *reader, const struct yaml_node *community,
			const char *section, const struct setting *table, size_t size,
			const void *preset, size_t *count_r)
{
	const struct yaml_node *list = yaml_get(community, section);
	*count_r = 0;
	if (!list || list->kind == YAML_NOTHING)
		return NULL;
	if (list->kind != YAML_LIST) {
		mistake_add(reader->mistakes, list->line, list->column, "%s: must be a list, not %s",
			    section, yaml_kind_name(list->kind));
		return NULL;
	}
	char *items = arena_alloc(reader->arena, (list->count + 1) * size);
	for (size_t i = 0; i < list->count; i++) {
		if (preset)
			memcpy(items + i * size, preset, size);
		settings_fill(reader, list->items[i], table, NULL, items + i * size);
		const struct yaml_node *id = yaml_get(list->items[i], "id");
		if (!id || id->kind != YAML_TEXT || strcmp(table[0].name, "id") != 0)
			continue;
		settings_check_id(reader, id, id->text);
		for (size_t j = 0; j < i; j++) {
			const struct yaml_node *other = yaml_get(list->items[j], "id");
			if (other && other->kind == YAML_TEXT && strcmp(other->text, id->text) == 0)
				mistake_add(reader->mistakes, id->line, id->column,
					    "the id \"%s\" stands already in line %d", id->text,
					    other->line);
		}
	}
	*count_r = list->count;
	return items;
}

/* The ids in a section, NULL-ended: what may be referred to. */
static const char *const *ids_of(struct settings_reader *reader, const struct yaml_node *community,
				 const char *section)
{
	const struct yaml_node *list = yaml_get(community, section);
	size_t count = list && list->kind == YAML_LIST ? list->count : 0, ids = 0;
	const char **names = arena_alloc(reader->arena, (count + 1) * sizeof *names);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *id = yaml_get(list->items[i], "id");
		if (id && id->kind == YAML_TEXT)
			names[ids++] = id->text;
	}
	return names;
}

/* The value, or each item of the list, under `key` must be among `names`. */
static void check_reference(struct settings_reader *reader, const struct yaml_node *map,
			    const char *key, const char *const *names, const char *what)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (!node)
		return;
	struct yaml_node *one = (struct yaml_node *)node;
	struct yaml_node *const *items = node->kind == YAML_LIST ? node->items : &one;
	size_t count = node->kind == YAML_LIST ? node->count : 1;
	for (size_t i = 0; i < count; i++) {
		if (items[i]->kind != YAML_TEXT)
			continue;
		size_t known = 0;
		while (names[known] && strcmp(names[known], items[i]->text) != 0)
			known++;
		if (!names[known])
			settings_unknown(reader, items[i], what, items[i]->text, names);
	}
}

static void check_section(struct settings_reader *reader, const struct yaml_node *community,
			  const char *section, const char *key, const char *const *names,
			  const char *what)
{
	const struct yaml_node *list = yaml_get(community, section);
	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count; i++)
		check_reference(reader, list->items[i], key, names, what);
}

static const char *const *texts_of(struct settings_reader *reader, const struct texts *texts)
{
	const char **names = arena_alloc(reader->arena, (texts->count + 1) * sizeof *names);
	for (size_t i = 0; i < texts->count; i++)
		names[i] = texts->items[i];
	return names;
}

/* Two groups at one address would get every card twice. */
static void check_addresses(struct settings_reader *reader, const struct yaml_node *map,
			    const struct community *community)
{
	const struct yaml_node *list = yaml_get(map, "groups");
	for (size_t i = 0; i < community->group_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct group *a = &community->groups[i], *b = &community->groups[j];
			if (a->channel && a->address && b->channel && b->address &&
			    strcmp(a->channel, b->channel) == 0 && strcmp(a->address, b->address) == 0)
				mistake_add(reader->mistakes, list->items[i]->line,
					    list->items[i]->column,
					    "this group has the same address as the one in line %d",
					    list->items[j]->line);
		}
}

static void check_values(struct settings_reader *reader, const struct yaml_node *map,
			 const struct community *community)
{
	const struct yaml_node *zone = yaml_get(map, "zone");
	int offset;
	if (community->zone && zone_offset(community->zone, 0, &offset) != 0)
		at_node(reader, zone, "zone: there is no such time zone; write one like Asia/Shanghai");
	const struct yaml_node *country = yaml_get(map, "country");
	if (community->country && (strlen(community->country) != 2 ||
				   strspn(community->country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2))
		at_node(reader, country, "country: must be two capital letters, like CN");
	const struct yaml_node *reminder = yaml_get(map, "lease_reminder");
	if (community->lease && community->lease_reminder >= community->lease)
		at_node(reader, reminder ? reminder : map,
			"lease_reminder: must be shorter than lease");
}

static void check_references(struct settings_reader *reader, const struct yaml_node *map,
			     const struct community *community, const char *const *channels)
{
	const char *const *own = texts_of(reader, &community->channels);
	check_reference(reader, map, "channels", channels, "there is no channel");
	check_section(reader, map, "groups", "channel", own, "this community has no channel");
	check_section(reader, map, "organisers", "channel", own, "this community has no channel");
	check_section(reader, map, "groups", "areas", ids_of(reader, map, "areas"),
		      "there is no area");
	check_section(reader, map, "kinds", "groups", ids_of(reader, map, "groups"),
		      "there is no group");
	check_addresses(reader, map, community);
}

/* Languages without a name get the community's, or any that is there. */
static void complete(struct names *names, int language)
{
	const char *name = names->in[language];
	for (size_t i = 0; !name && i < LANGUAGES_MAX; i++)
		name = names->in[i];
	for (size_t i = 0; i < LANGUAGES_MAX; i++)
		if (!names->in[i])
			names->in[i] = name;
}

static void read_model(struct settings_reader *reader, const struct yaml_node *map,
		       const char *file, struct community *community)
{
	const struct yaml_node *node = yaml_get(yaml_get(map, "intake"), "model");
	struct error error;
	if (!file)
		return;
	community->intake_model = model_load(settings_path(reader, file), reader->arena, &error);
	if (!community->intake_model)
		mistake_add(reader->mistakes, node->line, node->column, "intake.model: %s",
			    error.text);
}

static void community_read(struct settings_reader *reader, const struct yaml_node *map,
			   const char *const *channels, struct community *community)
{
	struct community_file file = {.community = {.id = community->id}};
	settings_fill(reader, map, community_settings, sections, &file);
	*community = file.community;
	read_model(reader, map, file.intake_model, community);
	community->join_open = file.join && strcmp(file.join, "open") == 0;
	struct group group = {.language = community->language};
	community->areas = read_items(reader, map, "areas", area_settings, sizeof(struct area), NULL,
				      &community->area_count);
	community->kinds = read_items(reader, map, "kinds", kind_settings, sizeof(struct kind), NULL,
				      &community->kind_count);
	community->groups = read_items(reader, map, "groups", group_settings, sizeof(struct group),
				       &group, &community->group_count);
	community->organisers =
		read_items(reader, map, "organisers", organiser_settings, sizeof(struct organiser),
			   NULL, &community->organiser_count);
	complete(&community->name, community->language);
	for (size_t i = 0; i < community->area_count; i++)
		complete(&community->areas[i].name, community->language);
	for (size_t i = 0; i < community->kind_count; i++)
		complete(&community->kinds[i].name, community->language);
	check_values(reader, map, community);
	check_references(reader, map, community, channels);
}

/* Every channel serves exactly one community. */
static void settle_channels(struct settings_reader *reader, const struct yaml_node *map,
			    struct config *config)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_node *list = yaml_get(map->items[i], "channels");
		for (size_t j = 0; list && list->kind == YAML_LIST && j < list->count; j++) {
			struct channel_config *channel = NULL;
			const struct yaml_node *item = list->items[j];
			for (size_t k = 0; item->kind == YAML_TEXT && k < config->channel_count; k++)
				if (strcmp(config->channels[k].name, item->text) == 0)
					channel = &config->channels[k];
			if (channel && channel->community)
				mistake_add(reader->mistakes, item->line, item->column,
					    "the channel \"%s\" serves \"%s\" already",
					    channel->name, channel->community);
			else if (channel)
				channel->community = config->communities[i].id;
		}
	}
}

void communities_read(struct settings_reader *reader, const struct yaml_node *map,
		      const char *const *channels, struct config *config)
{
	if (!map || map->kind != YAML_MAP || map->count == 0) {
		settings_none(reader, map, "communities", "community");
		return;
	}
	config->communities =
		arena_alloc(reader->arena, map->count * sizeof *config->communities);
	config->community_count = map->count;
	for (size_t i = 0; i < map->count; i++) {
		struct community *community = &config->communities[i];
		settings_check_id(reader, map->keys[i], map->keys[i]->text);
		community->id = arena_str(reader->arena, map->keys[i]->text);
		community_read(reader, map->items[i], channels, community);
		community->shard = config_shard(community->id, config->shards);
	}
	settle_channels(reader, map, config);
}
