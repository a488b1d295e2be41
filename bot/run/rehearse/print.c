/* bot/run/rehearse/print.c - the conversation, as people saw it. */
#include <string.h>

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
