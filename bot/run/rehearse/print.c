/* bot/run/rehearse/print.c - the conversation, as people saw it. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "bot/run/rehearse/play.h"

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
				       "Thursday", "Friday", "Saturday"};

static void print_lines(struct buf *out, const char *mark, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");
		buf_printf(out, "%s%.*s\n", mark, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_remark(struct buf *out, const struct entry *entry)
{
	if (entry->remark)
		buf_printf(out, "  (%s)", entry->remark);
	buf_char(out, '\n');
}

static void print_said(const struct play *play, struct buf *out, const struct entry *entry)
{
	buf_printf(out, "%s", play->talk->people[entry->person].name);
	if (entry->group)
		buf_printf(out, " in %s", entry->group->id);
	buf_printf(out, " · %s", entry->channel);
	print_remark(out, entry);
	if (entry->about)
		print_lines(out, "            > ", entry->about);
	print_lines(out, "          ", entry->text);
}

static void print_bot(const struct play *play, struct buf *out, const struct entry *entry)
{
	static const char *const how[] = {
		[ENTRY_HEARD] = "→", [ENTRY_CHANGED] = "⟳", [ENTRY_LOST] = "✗"};
	buf_printf(out, "    bot %s %s · %s", how[entry->type], play_where(play, entry),
		   entry->channel);
	print_remark(out, entry);
	if (entry->about)
		print_lines(out, "            > ", entry->about);
	print_lines(out, "            ", entry->text);
	if (!entry->button_count)
		return;
	buf_str(out, "           ");
	for (size_t i = 0; i < entry->button_count; i++)
		buf_printf(out, " [%s]", entry->buttons[i].label);
	buf_char(out, '\n');
}

void print_transcript(const struct play *play, struct buf *out)
{
	int shown_day = 0;
	for (size_t i = 0; i < play->entry_count; i++) {
		const struct entry *entry = &play->entries[i];
		int offset = 0;
		if (clock_zone_offset(play->community->zone, entry->at, &offset) < 0)
			offset = 0;
		struct civil civil = civil_from_ms(entry->at, offset);
		if (entry->type == ENTRY_FAILURE) {
			print_lines(out, ">>> ", entry->text);
			continue;
		}
		if (civil.day != shown_day)
			buf_printf(out, "  %s %d-%02d-%02d\n", weekdays[civil.weekday], civil.year,
				   civil.month, civil.day);
		shown_day = civil.day;
		buf_printf(out, "  %02d:%02d:%02d  ", civil.hour, civil.minute, civil.second);
		if (entry->type == ENTRY_NOTE)
			buf_printf(out, "-- %s\n", entry->text);
		else if (entry->type == ENTRY_SAID)
			print_said(play, out, entry);
		else
			print_bot(play, out, entry);
	}
}

/* The length of the caught number that stands here; its name in *name_r. */
static size_t caught_at(const struct play *play, const char *text, const char **name_r)
{
	for (size_t i = 0; i < play->variables.count; i++) {
		const struct talk_variable *variable = &play->variables.items[i];
		size_t len = strlen(variable->value);
		if (len && !strncmp(text, variable->value, len)) {
			*name_r = variable->name;
			return len;
		}
	}
	return 0;
}

/* What was caught is written by its name again. */
static char *with_names(const struct play *play, const char *text)
{
	struct buf out;
	buf_init(&out, 0);
	while (*text) {
		const char *name;
		size_t len = caught_at(play, text, &name);
		if (len)
			buf_printf(&out, "{%s}", name);
		else
			buf_char(&out, *text);
		text += len ? len : 1;
	}
	char *named = arena_bytes(play->arena, out.data ? out.data : "", out.len);
	buf_free(&out);
	return named;
}

/* As a line of a talk: several lines stand indented below. */
static void print_words(struct buf *out, const char *text)
{
	if (text && strchr(text, '\n')) {
		buf_char(out, '\n');
		print_lines(out, "    ", text);
	} else {
		buf_printf(out, " %s\n", text ? text : "");
	}
}

void print_draft(const struct play *play, struct buf *out)
{
	const struct talk *talk = play->talk;
	for (size_t i = 0; i < talk->step_count; i++) {
		const struct talk_step *step = &talk->steps[i];
		bool inside = step->block != TALK_ALONE;
		if (inside && step->block_first)
			buf_str(out,
				step->block == TALK_AT_ONCE ? "at once:\n" : "in any order:\n");
		buf_printf(out, "%s%s\n", inside ? "  " : "", step->source);
		if (step->text && strchr(step->text, '\n'))
			print_lines(out, inside ? "      " : "    ", step->text);
		for (size_t e = 0; e < play->entry_count; e++) {
			const struct entry *entry = &play->entries[e];
			if (entry->type != ENTRY_HEARD || entry->expected || entry->step != step)
				continue;
			buf_printf(out, "bot → %s:", play_where(play, entry));
			print_words(out, with_names(play, entry->text));
		}
	}
}
