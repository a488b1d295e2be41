/* base/zone.c - reads time zone files (RFC 8536) and the rule for the years after their table. */
#include "base/zone.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/civil.h"

enum {
	HEADER = 44,
	FILE_MAX_BYTES = 256 * 1024,
	KEPT_MAX = 512,
	DAY_S = 86400,
};

struct kept {
	char *name;
	unsigned char *file;
	size_t len;
};

/* The zones of this process; only ever added to. */
static struct {
	struct kept items[KEPT_MAX];
	size_t count;
} kept_zones;

static int64_t big_endian(const unsigned char *at, int bytes)
{
	uint64_t value = bytes == 4 && (at[0] & 0x80) ? UINT64_MAX : 0;
	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return (int64_t)value;
}

/* --- the footer: POSIX TZ, e.g. "CET-1CEST,M3.5.0,M10.5.0/3" --- */

struct change {
	char kind; /* M, J or 0 */
	int month, week, day;
	int time; /* seconds after midnight, may be negative */
};

static bool read_number(const char **s, int *value_r)
{
	if (!isdigit((unsigned char)**s))
		return false;
	int value = 0;
	for (int i = 0; i < 4 && isdigit((unsigned char)**s); i++)
		value = value * 10 + *(*s)++ - '0';
	*value_r = value;
	return true;
}

/* hh[:mm[:ss]] with a sign. */
static bool read_time(const char **s, int *seconds_r)
{
	int sign = 1, total = 0;
	if (**s == '-' || **s == '+')
		sign = *(*s)++ == '-' ? -1 : 1;
	for (int unit = 3600; unit > 0; unit /= 60) {
		int value;
		if (!read_number(s, &value))
			return false;
		total += value * unit;
		if (**s != ':' || unit == 1)
			break;
		(*s)++;
	}
	*seconds_r = sign * total;
	return true;
}

static bool skip_name(const char **s)
{
	const char *start = *s;
	if (**s == '<') {
		const char *end = strchr(*s, '>');
		if (!end)
			return false;
		*s = end + 1;
		return true;
	}
	while (isalpha((unsigned char)**s))
		(*s)++;
	return *s > start;
}

static bool read_change(const char **s, struct change *change)
{
	*change = (struct change){.kind = '0', .time = 7200};
	if (*(*s)++ != ',')
		return false;
	if (**s == 'M' || **s == 'J')
		change->kind = *(*s)++;
	if (change->kind == 'M') {
		if (!read_number(s, &change->month) || *(*s)++ != '.' ||
		    !read_number(s, &change->week) || *(*s)++ != '.' || !read_number(s, &change->day))
			return false;
		if (change->month < 1 || change->month > 12 || change->week < 1 || change->week > 5 ||
		    change->day > 6)
			return false;
	} else if (!read_number(s, &change->day) || change->day > 366) {
		return false;
	}
	if (**s == '/') {
		(*s)++;
		return read_time(s, &change->time);
	}
	return true;
}

/* The moment of a change in a year as the wall clock before it shows, in seconds. */
static int64_t change_wall(const struct change *change, int year)
{
	struct civil date = {.year = year, .month = 1, .day = 1};
	if (change->kind == 'M') {
		date.month = change->month;
		int64_t first = civil_to_ms(&date, 0);
		int ahead = (change->day - civil_from_ms(first, 0).weekday + 7) % 7;
		date.day = 1 + ahead + (change->week - 1) * 7;
		/* The fifth one is the last one. */
		if (civil_from_ms(civil_to_ms(&date, 0), 0).month != change->month)
			date.day -= 7;
	} else if (change->kind == 'J') {
		struct civil march = {.year = year, .month = 2, .day = 29};
		bool leap = civil_from_ms(civil_to_ms(&march, 0), 0).month == 2;
		date.day = change->day + (leap && change->day >= 60);
	} else {
		date.day = 1 + change->day;
	}
	return civil_to_ms(&date, 0) / 1000 + change->time;
}

static int footer_offset(const char *s, int64_t seconds, int *offset_r)
{
	int west, summer_west;
	if (!skip_name(&s) || !read_time(&s, &west))
		return -1;
	*offset_r = -west;
	if (*s == '\0')
		return 0;
	if (!skip_name(&s))
		return -1;
	summer_west = west - 3600;
	if (*s != ',' && !read_time(&s, &summer_west))
		return -1;
	struct change start, end;
	if (!read_change(&s, &start) || !read_change(&s, &end) || *s != '\0')
		return -1;
	int year = civil_from_ms(seconds * 1000, -west).year;
	int64_t summer = change_wall(&start, year) + west;
	int64_t winter = change_wall(&end, year) + summer_west;
	bool in_summer = summer < winter ? seconds >= summer && seconds < winter
					 : seconds >= summer || seconds < winter;
	*offset_r = in_summer ? -summer_west : -west;
	return 0;
}

/* --- the table --- */

struct table {
	const unsigned char *times, *indexes, *types, *end;
	int64_t time_count, type_count;
	int time_size;
};

/* The block at `at`; the file's two blocks have the same layout with times of 4 and 8 bytes. */
static bool read_table(const unsigned char *at, size_t len, int time_size, struct table *table)
{
	if (len < HEADER || memcmp(at, "TZif", 4) != 0)
		return false;
	int64_t counts[6]; /* isut, isstd, leap, time, type, char */
	for (int i = 0; i < 6; i++) {
		counts[i] = big_endian(at + 20 + (size_t)i * 4, 4);
		if (counts[i] < 0 || counts[i] > FILE_MAX_BYTES)
			return false;
	}
	int64_t size = counts[3] * (time_size + 1) + counts[4] * 6 + counts[5] +
		       counts[2] * (time_size + 4) + counts[1] + counts[0];
	if (counts[4] < 1 || size > (int64_t)len - HEADER)
		return false;
	*table = (struct table){
		.times = at + HEADER,
		.indexes = at + HEADER + counts[3] * time_size,
		.types = at + HEADER + counts[3] * (time_size + 1),
		.end = at + HEADER + size,
		.time_count = counts[3],
		.type_count = counts[4],
		.time_size = time_size,
	};
	return true;
}

static int table_offset(const struct table *table, int64_t seconds, bool *past_r, int *offset_r)
{
	int64_t low = 0, high = table->time_count; /* changes before `low` are not after `seconds` */
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		int64_t at = big_endian(table->times + middle * table->time_size, table->time_size);
		if (at <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	*past_r = low == table->time_count;
	int64_t type = low == 0 ? 0 : table->indexes[low - 1];
	if (type >= table->type_count)
		return -1;
	int64_t offset = big_endian(table->types + type * 6, 4);
	if (offset < -2 * DAY_S || offset > 2 * DAY_S)
		return -1;
	*offset_r = (int)offset;
	return 0;
}

int zone_offset_in(const unsigned char *file, size_t len, int64_t wall_ms, int *offset_r)
{
	struct table table;
	int64_t seconds = wall_ms / 1000 - (wall_ms % 1000 < 0);
	bool past;
	*offset_r = 0;
	if (!read_table(file, len, 4, &table))
		return -1;
	if (file[4] < '2')
		return table_offset(&table, seconds, &past, offset_r);
	if (!read_table(table.end, len - (size_t)(table.end - file), 8, &table) ||
	    table_offset(&table, seconds, &past, offset_r) != 0) {
		*offset_r = 0;
		return -1;
	}
	size_t rest = len - (size_t)(table.end - file);
	const char *newline = rest > 1 ? memchr(table.end + 1, '\n', rest - 1) : NULL;
	if (!past || !newline || table.end[0] != '\n')
		return 0;
	char footer[128];
	size_t footer_len = (size_t)(newline - (const char *)table.end) - 1;
	if (footer_len == 0 || footer_len >= sizeof footer)
		return 0;
	memcpy(footer, table.end + 1, footer_len);
	footer[footer_len] = '\0';
	int offset;
	if (footer_offset(footer, seconds, &offset) == 0)
		*offset_r = offset;
	return 0;
}

/* A name must stay inside the folder. */
static bool good_name(const char *zone)
{
	if (!isalpha((unsigned char)zone[0]) || strlen(zone) > 64 || strstr(zone, ".."))
		return false;
	for (const char *c = zone; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("/_+-", *c))
			return false;
	return true;
}

static unsigned char *read_file(const char *zone, size_t *len_r)
{
	const char *folder = getenv("TZDIR");
	char path[512];
	int n = snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", zone);
	if (n < 0 || (size_t)n >= sizeof path)
		return NULL;
	FILE *file = fopen(path, "rbe");
	if (!file)
		return NULL;
	unsigned char *data = xalloc(FILE_MAX_BYTES);
	*len_r = fread(data, 1, FILE_MAX_BYTES, file);
	fclose(file);
	return xrealloc(data, *len_r);
}

int zone_offset(const char *zone, int64_t wall_ms, int *offset_r)
{
	*offset_r = 0;
	for (size_t i = 0; i < kept_zones.count; i++)
		if (strcmp(kept_zones.items[i].name, zone) == 0)
			return zone_offset_in(kept_zones.items[i].file, kept_zones.items[i].len,
					      wall_ms, offset_r);
	size_t len;
	unsigned char *file = good_name(zone) ? read_file(zone, &len) : NULL;
	if (!file)
		return -1;
	int result = zone_offset_in(file, len, wall_ms, offset_r);
	if (result == 0 && kept_zones.count < KEPT_MAX)
		kept_zones.items[kept_zones.count++] =
			(struct kept){.name = xstrdup(zone), .file = file, .len = len};
	else
		free(file);
	return result;
}
