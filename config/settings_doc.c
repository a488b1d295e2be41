/* config/settings_doc.c - writes docs/settings.md from the tables that read the file. */
#include "config/settings_doc.h"

#include <inttypes.h>

#include "config/settings_read.h"

static const char *const type_names[] = {
	[SETTING_TEXT] = "text",
	[SETTING_SECRET] = "secret",
	[SETTING_URL] = "URL",
	[SETTING_BOOL] = "true or false",
	[SETTING_INT] = "whole number",
	[SETTING_DURATION] = "duration",
	[SETTING_TEXTS] = "list of texts",
	[SETTING_CHOICE] = "choice",
	[SETTING_WORDS] = "list of words",
	[SETTING_NAMES] = "name, or one for each language",
	[SETTING_LANGUAGE] = "language",
};

/* Cells of a table must not hold its bar. */
static void put_cell(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_duration(FILE *out, int64_t ms)
{
	if (ms % 86400000 == 0 && ms)
		fprintf(out, "%" PRId64 "d", ms / 86400000);
	else if (ms % 3600000 == 0 && ms)
		fprintf(out, "%" PRId64 "h", ms / 3600000);
	else if (ms % 60000 == 0 && ms)
		fprintf(out, "%" PRId64 "m", ms / 60000);
	else if (ms % 1000 == 0)
		fprintf(out, "%" PRId64 "s", ms / 1000);
	else
		fprintf(out, "%" PRId64 "ms", ms);
}

static void put_kind(FILE *out, const struct setting *row)
{
	fputs(type_names[row->type], out);
	if (row->type == SETTING_CHOICE) {
		fputs(": ", out);
		put_cell(out, row->choices);
	} else if ((row->type == SETTING_INT || row->type == SETTING_DURATION) &&
		   (row->least || row->most)) {
		fputs(", ", out);
		if (row->type == SETTING_DURATION) {
			put_duration(out, row->least);
			fputs(" to ", out);
			put_duration(out, row->most);
		} else {
			fprintf(out, "%" PRId64 " to %" PRId64, row->least, row->most);
		}
	}
}

static void put_table(FILE *out, const struct setting *table)
{
	fputs("| key | kind | default | what it is |\n| --- | --- | --- | --- |\n", out);
	for (const struct setting *row = table; row->name; row++) {
		fprintf(out, "| `%s` | ", row->name);
		put_kind(out, row);
		fputs(" | ", out);
		if (row->flags & SETTING_REQUIRED)
			fputs("*must be given*", out);
		else if (row->standard)
			fprintf(out, "`%s`", row->standard);
		fputs(" | ", out);
		put_cell(out, row->help ? row->help : "");
		fputs(row->flags & SETTING_NO_RELOAD ? " A change takes a restart. |\n" : " |\n",
		      out);
	}
	fputc('\n', out);
}

static const struct {
	const char *title, *words;
	const struct setting *table;
} chapters[] = {
	{"The daemon", "These keys stand at the top of the file.", instance_settings},
	{"Channels", "`channels:` has a section for each channel, by name. Every channel has these "
		     "keys, and those of its adapter.",
	 channel_settings},
};

static const struct {
	const char *title, *words;
	const struct setting *table;
} community_chapters[] = {
	{"Communities", "`communities:` has a section for each community, by id. A dot means a "
			"section inside: `flood.count` is `flood: {count: 20}`.",
	 community_settings},
	{"Areas", "`areas:` of a community is a list of these.", area_settings},
	{"Kinds", "`kinds:` of a community is a list of these.", kind_settings},
	{"Groups", "`groups:` of a community is a list of these: group chats of volunteers.",
	 group_settings},
	{"Organisers", "`organisers:` of a community is a list of these.", organiser_settings},
};

void config_settings_markdown(FILE *out, const struct adapter_settings *adapters)
{
	fputs("# Settings\n\n"
	      "Made by `linli settings` from the tables that read the file; do not edit.\n\n"
	      "One YAML file (UTF-8) holds them. `linli check FILE` tells every mistake in it at "
	      "once, with line and column. Durations are written `500ms`, `90s`, `15m`, `2h` or "
	      "`1d`. A secret is the text itself, `env:NAME` (an environment variable) or "
	      "`file:PATH` (a file's content); it is never printed. Relative paths are below the "
	      "file's folder. YAML's anchors, aliases and tags are not understood.\n\n",
	      out);
	for (size_t i = 0; i < sizeof chapters / sizeof chapters[0]; i++) {
		fprintf(out, "## %s\n\n%s\n\n", chapters[i].title, chapters[i].words);
		put_table(out, chapters[i].table);
	}
	for (; adapters->adapter; adapters++) {
		fprintf(out, "### `adapter: %s`\n\n", adapters->adapter);
		if (adapters->settings && adapters->settings->name)
			put_table(out, adapters->settings);
		else
			fputs("No keys of its own.\n\n", out);
	}
	for (size_t i = 0; i < sizeof community_chapters / sizeof community_chapters[0]; i++) {
		fprintf(out, "## %s\n\n%s\n\n", community_chapters[i].title,
			community_chapters[i].words);
		put_table(out, community_chapters[i].table);
	}
}
