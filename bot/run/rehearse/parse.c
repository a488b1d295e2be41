/* bot/run/rehearse/parse.c - reads a talk file: its head, its people, its blocks. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/text.h"
#include "bot/run/rehearse/talk.h"
#include "config/config.h"

enum { FILE_MAX = 1 << 20 };

struct line {
	int number, indent;
	char *text; /* without indent and trailing blanks; never empty, never a comment */
};

struct reader {
	struct talk *talk;
	struct arena *arena;
	struct line *lines;
	size_t count, at;
};

void talk_mistake(struct talk *talk, struct arena *arena, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	talk->mistakes =
		arena_grow(arena, talk->mistakes, talk->mistake_count, sizeof(*talk->mistakes));
	talk->mistakes[talk->mistake_count++] =
		(struct talk_mistake){.line = line, .sentence = arena_vprintf(arena, format, args)};
	va_end(args);
}

static int read_file(const char *file, struct buf *content, struct error *error_r)
{
	FILE *stream = fopen(file, "rbe");
	if (!stream)
		return error_set(error_r, "%s: %s", file, strerror(errno));
	char piece[4096];
	size_t got;
	buf_init(content, FILE_MAX);
	while ((got = fread(piece, 1, sizeof(piece), stream)) > 0)
		buf_add(content, piece, got);
	bool broken = ferror(stream);
	fclose(stream);
	if (broken)
		return error_set(error_r, "%s: cannot be read", file);
	if (content->full)
		return error_set(error_r, "%s: longer than 1 MiB", file);
	if (!text_valid(content->data ? content->data : "", content->len))
		return error_set(error_r, "%s: not UTF-8 text", file);
	return 0;
}

static void split_lines(struct reader *reader, const struct buf *content)
{
	int number = 0;
	const char *end = content->data + content->len;
	for (const char *p = content->data; p && p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			stop = end;
		const char *next = stop < end ? stop + 1 : end;
		struct line line = {.number = ++number};
		for (; p < stop && (*p == ' ' || *p == '\t'); p++)
			line.indent += *p == '\t' ? 8 : 1;
		while (stop > p && strchr(" \t\r", stop[-1]))
			stop--;
		if (stop > p && *p != '#') {
			line.text = arena_bytes(reader->arena, p, (size_t)(stop - p));
			reader->lines = arena_grow(reader->arena, reader->lines, reader->count,
						   sizeof(*reader->lines));
			reader->lines[reader->count++] = line;
		}
		p = next;
	}
}

/* The rest of the line if it begins with `key:`. */
static const char *value_of(const char *line, const char *key)
{
	size_t len = strlen(key);
	if (strncmp(line, key, len) || line[len] != ':')
		return NULL;
	line += len + 1;
	while (*line == ' ' || *line == '\t')
		line++;
	return line;
}

static void read_start(struct reader *reader, const struct line *line, const char *value)
{
	struct civil civil = {0};
	char after;
	if (sscanf(value, "%4d-%2d-%2d %2d:%2d%c", &civil.year, &civil.month, &civil.day,
		   &civil.hour, &civil.minute, &after) != 5 ||
	    civil.month < 1 || civil.month > 12 || civil.day < 1 || civil.day > 31 ||
	    civil.hour > 23 || civil.minute > 59)
		talk_mistake(reader->talk, reader->arena, line->number,
			     "a start looks like 2026-03-02 19:00");
	else
		reader->talk->start = civil_to_ms(&civil, 0);
}

static void read_secrets(struct reader *reader, const char *value)
{
	struct talk *talk = reader->talk;
	while (*value) {
		const char *stop = value + strcspn(value, ",");
		const char *next = *stop ? stop + 1 : stop;
		while (*value == ' ')
			value++;
		while (stop > value && stop[-1] == ' ')
			stop--;
		if (stop > value) {
			talk->secrets = arena_grow(reader->arena, talk->secrets, talk->secret_count,
						   sizeof(*talk->secrets));
			talk->secrets[talk->secret_count++] =
				arena_bytes(reader->arena, value, (size_t)(stop - value));
		}
		value = next;
	}
}

/* "phone +8613800000001" or "language en". */
static void read_trait(struct reader *reader, const struct line *line, struct talk_person *person,
		       const char *trait, size_t len)
{
	const char *space = memchr(trait, ' ', len);
	if (!space) {
		talk_mistake(reader->talk, reader->arena, line->number,
			     "\"%.*s\" is neither CHANNEL ADDRESS nor language TAG", (int)len,
			     trait);
		return;
	}
	char *word = arena_bytes(reader->arena, trait, (size_t)(space - trait));
	size_t rest = len - (size_t)(space - trait);
	while (rest && *space == ' ')
		space++, rest--;
	char *value = arena_bytes(reader->arena, space, rest);
	if (!strcmp(word, "language"))
		person->language = value;
	else if (person->address_count < TALK_ADDRESSES_MAX)
		person->addresses[person->address_count++] =
			(struct talk_address){.channel = word, .address = value};
	else
		talk_mistake(reader->talk, reader->arena, line->number,
			     "a person has at most %d addresses", TALK_ADDRESSES_MAX);
}

static void read_person(struct reader *reader, const struct line *line)
{
	struct talk *talk = reader->talk;
	const char *colon = strchr(line->text, ':');
	if (!colon || colon == line->text) {
		talk_mistake(talk, reader->arena, line->number,
			     "a person looks like \"Name: CHANNEL ADDRESS\"");
		return;
	}
	struct talk_person person = {
		.name = arena_bytes(reader->arena, line->text, (size_t)(colon - line->text)),
		.line = line->number,
	};
	for (const char *p = colon + 1; *p;) {
		size_t len = strcspn(p, ",");
		const char *next = p + len + (p[len] == ',');
		while (len && *p == ' ')
			p++, len--;
		while (len && p[len - 1] == ' ')
			len--;
		if (len)
			read_trait(reader, line, &person, p, len);
		p = next;
	}
	if (!person.address_count)
		talk_mistake(talk, reader->arena, line->number, "%s has no address", person.name);
	for (size_t i = 0; i < talk->person_count; i++)
		if (!strcmp(talk->people[i].name, person.name))
			talk_mistake(talk, reader->arena, line->number, "there are two %s",
				     person.name);
	talk->people =
		arena_grow(reader->arena, talk->people, talk->person_count, sizeof(*talk->people));
	talk->people[talk->person_count++] = person;
}

static bool read_head(struct reader *reader, const struct line *line)
{
	struct talk *talk = reader->talk;
	const char *value;
	if ((value = value_of(line->text, "title"))) {
		talk->title = arena_str(reader->arena, value);
	} else if ((value = value_of(line->text, "config"))) {
		talk->config = arena_str(reader->arena, value);
	} else if ((value = value_of(line->text, "community"))) {
		talk->community = arena_str(reader->arena, value);
	} else if ((value = value_of(line->text, "start"))) {
		read_start(reader, line, value);
	} else if ((value = value_of(line->text, "private"))) {
		read_secrets(reader, value);
	} else if ((value = value_of(line->text, "words may be shown"))) {
		talk->words_shown = true;
	} else if ((value = value_of(line->text, "people"))) {
		if (*value)
			talk_mistake(talk, reader->arena, line->number,
				     "people stand on the lines below, each indented");
		while (reader->at < reader->count &&
		       reader->lines[reader->at].indent > line->indent)
			read_person(reader, &reader->lines[reader->at++]);
	} else {
		return false;
	}
	return true;
}

/* Indented lines below a speech are its text. */
static const char *gather_text(struct reader *reader, int indent, const char *first)
{
	struct buf text;
	buf_init(&text, 0);
	buf_str(&text, first ? first : "");
	while (reader->at < reader->count && reader->lines[reader->at].indent > indent) {
		if (text.len)
			buf_char(&text, '\n');
		buf_str(&text, reader->lines[reader->at++].text);
	}
	const char *whole = arena_bytes(reader->arena, text.data ? text.data : "", text.len);
	buf_free(&text);
	return whole;
}

static bool has_text(enum talk_step_type type)
{
	return type == TALK_SAY || type == TALK_HEAR || type == TALK_CARD || type == TALK_SEEN;
}

static void read_statement(struct reader *reader, enum talk_block block, bool block_first)
{
	struct talk *talk = reader->talk;
	const struct line *line = &reader->lines[reader->at++];
	struct talk_step step;
	if (!talk_statement(talk, reader->arena, line->text, line->number, &step)) {
		while (reader->at < reader->count &&
		       reader->lines[reader->at].indent > line->indent)
			reader->at++;
		return;
	}
	if (has_text(step.type)) {
		step.text = gather_text(reader, line->indent, step.text);
		if (!*step.text && !step.button && !step.reaction && !step.no_buttons &&
		    !step.label)
			talk_mistake(talk, reader->arena, line->number, "there is no text");
	}
	if ((block == TALK_AT_ONCE && step.type != TALK_SAY && step.type != TALK_AGAIN) ||
	    (block == TALK_ANY_ORDER && step.type != TALK_HEAR)) {
		talk_mistake(talk, reader->arena, line->number,
			     "%s belongs in this block, and this is something else",
			     block == TALK_AT_ONCE ? "only what people say"
						   : "only what the bot says");
		return;
	}
	step.block = block;
	step.block_first = block_first;
	talk->steps =
		arena_grow(reader->arena, talk->steps, talk->step_count, sizeof(*talk->steps));
	talk->steps[talk->step_count++] = step;
}

static void read_line(struct reader *reader)
{
	const struct line *line = &reader->lines[reader->at];
	enum talk_block block = TALK_ALONE;
	if (!strcmp(line->text, "at once:"))
		block = TALK_AT_ONCE;
	else if (!strcmp(line->text, "in any order:"))
		block = TALK_ANY_ORDER;
	if (block != TALK_ALONE) {
		int indent = line->indent;
		bool first = true;
		reader->at++;
		while (reader->at < reader->count && reader->lines[reader->at].indent > indent) {
			read_statement(reader, block, first);
			first = false;
		}
		if (first)
			talk_mistake(reader->talk, reader->arena, line->number,
				     "nothing stands in this block (indent its lines)");
		return;
	}
	reader->at++;
	if (read_head(reader, line))
		return;
	reader->at--;
	if (line->indent) {
		talk_mistake(reader->talk, reader->arena, line->number,
			     "this line is indented, but belongs to nothing above");
		reader->at++;
		return;
	}
	read_statement(reader, TALK_ALONE, true);
}

int talk_read(struct talk *talk, const char *file, struct arena *arena, struct error *error_r)
{
	struct buf content = {0};
	*talk = (struct talk){.file = arena_str(arena, file)};
	if (read_file(file, &content, error_r) < 0) {
		buf_free(&content);
		return -1;
	}
	struct reader reader = {.talk = talk, .arena = arena};
	split_lines(&reader, &content);
	buf_free(&content);
	while (reader.at < reader.count)
		read_line(&reader);
	if (!talk->title)
		talk_mistake(talk, arena, 1, "a talk has a \"title:\"");
	if (!talk->start)
		talk_mistake(talk, arena, 1, "a talk has a \"start: 2026-03-02 19:00\"");
	if (!talk->step_count)
		talk_mistake(talk, arena, 1, "nobody says anything");
	return 0;
}

static const struct group *find_group(const struct community *community, const char *id)
{
	for (size_t i = 0; i < community->group_count; i++)
		if (!strcmp(community->groups[i].id, id))
			return &community->groups[i];
	return NULL;
}

static bool has_channel(const struct talk_person *person, const char *channel)
{
	for (size_t i = 0; i < person->address_count; i++)
		if (!strcmp(person->addresses[i].channel, channel))
			return true;
	return person->alias;
}

static void check_step(struct talk *talk, const struct talk_step *step,
		       const struct community *community, struct arena *arena)
{
	const struct group *group = step->group ? find_group(community, step->group) : NULL;
	if (step->group && !group)
		talk_mistake(talk, arena, step->line, "there is no person and no group called %s",
			     step->group);
	for (size_t i = 0; i < step->person_count; i++) {
		const struct talk_person *person = &talk->people[step->people[i]];
		const char *channel = step->channel;
		if (step->type == TALK_SAY && group)
			channel = group->channel;
		if (channel && !has_channel(person, channel))
			talk_mistake(talk, arena, step->line, "%s is not on the channel %s",
				     person->name, channel);
	}
}

void talk_check(struct talk *talk, const struct config *config, const struct community *community,
		struct arena *arena)
{
	for (size_t i = 0; i < talk->person_count; i++) {
		const struct talk_person *person = &talk->people[i];
		for (size_t a = 0; a < person->address_count; a++) {
			const char *channel = person->addresses[a].channel;
			if (!config_channel(config, channel))
				talk_mistake(talk, arena, person->line,
					     "there is no channel called %s", channel);
		}
	}
	for (size_t i = 0; i < talk->step_count; i++)
		check_step(talk, &talk->steps[i], community, arena);
}
