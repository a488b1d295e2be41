/* bot/when.c - "六点", "两小时后", "明早", "at 6", "in 2h": times as people write them.
 *
 * The grammar is here, the words are in the locales. A clock time without a day
 * is the next such time; without morning or evening it is not taken for night.
 */
#include <string.h>

#include "base/civil.h"
#include "bot/core.h"

static const int64_t minute_ms = 60 * 1000;
static const int64_t hour_ms = 60 * 60 * 1000;
static const int64_t day_ms = 24 * 60 * 60 * 1000;

/* What has been read so far of one moment. */
struct reading {
	int day;     /* days from today; -1: not said */
	int weekday; /* -1: not said */
	bool next_week;
	int part;         /* of the day, PART_NONE: not said */
	int hour, minute; /* hour -1: not said */
	bool pm, am;
	int64_t offset; /* "in two hours"; 0: not said */
	bool now, any;
};

/* Puts a mark that folding keeps where a clock has its colon: 6:30 becomes 6h30. */
static char *mark_clock(struct arena *arena, const char *text)
{
	char *marked = arena_str(arena, text);
	for (char *at = marked; (at = strchr(at, ':')); at++)
		if (at > marked && at[-1] >= '0' && at[-1] <= '9' && at[1] >= '0' && at[1] <= '9')
			*at = 'h';
	static const char wide[] = "：";
	char *from = marked;
	for (char *at; (at = strstr(from, wide)); from = at + 1) {
		*at = 'h';
		memmove(at + 1, at + sizeof(wide) - 1, strlen(at + sizeof(wide) - 1) + 1);
	}
	return marked;
}

static const char *skip(const char *at)
{
	return at + strspn(at, " ");
}

/* A word of a family of lists that follow each other: LIST_WEEKDAY_0 … */
static size_t family_at(struct core *core, enum list family, int i, const char *text,
			const char *at)
{
	return words_at(core->bot, (enum list)((int)family + i), text, at);
}

/* "in 2 hours", "两小时后", "half an hour": bytes read, 0 if it is none. */
static size_t read_offset(struct core *core, const char *text, const char *start, int64_t *ms_r)
{
	const struct bot *bot = core->bot;
	const char *at = start;
	size_t before = words_at(bot, LIST_WHEN_IN, text, at), bytes = 0, len;
	at = skip(at + before);
	double count = 0;
	bool half = (len = words_at(bot, LIST_WHEN_HALF, text, at)) > 0;
	if (half) {
		at = skip(at + len);
		count = 0.5;
		if (words_number(bot, text, at, &bytes) == 1)
			at = skip(at + bytes); /* half an hour */
	} else {
		int number = words_number(bot, text, at, &bytes);
		if (number < 0)
			return 0;
		count = number;
		at = skip(at + bytes);
		if ((len = words_at(bot, LIST_WHEN_AND_HALF, text, at))) {
			at = skip(at + len);
			count += 0.5;
		}
	}
	int64_t unit = 0;
	if ((len = words_at(bot, LIST_WHEN_HOURS, text, at)))
		unit = hour_ms;
	else if ((len = words_at(bot, LIST_WHEN_MINUTES, text, at)))
		unit = minute_ms;
	else if ((len = words_at(bot, LIST_WHEN_DAYS, text, at)))
		unit = day_ms;
	if (!unit)
		return 0;
	at += len;
	size_t after = words_at(bot, LIST_WHEN_AFTER, text, skip(at));
	if (!before && !after)
		return 0;
	if (after)
		at = skip(at) + after;
	*ms_r = (int64_t)(count * (double)unit);
	return (size_t)(at - start);
}

/* "六点半", "18h30", "6 pm", "at 6": bytes read. */
static size_t read_clock(struct core *core, const char *text, const char *start, struct reading *r)
{
	const struct bot *bot = core->bot;
	const char *at = start;
	size_t lead = words_at(bot, LIST_WHEN_AT, text, at), bytes, len;
	at = skip(at + lead);
	int hour = words_number(bot, text, at, &bytes);
	if (hour < 0 || hour > 24)
		return 0;
	at += bytes;
	bool marked = lead > 0;
	int minute = 0;
	if (at[0] == 'h' && at[1] >= '0' && at[1] <= '9') {
		minute = words_number(bot, text, at + 1, &bytes);
		at += 1 + bytes;
		marked = true;
	} else if ((len = words_at(bot, LIST_WHEN_OCLOCK, text, skip(at)))) {
		at = skip(at) + len;
		marked = true;
		if ((len = words_at(bot, LIST_WHEN_HALF, text, at))) {
			minute = 30;
			at += len;
		} else if ((len = words_at(bot, LIST_WHEN_QUARTER, text, at))) {
			minute = 15;
			at += len;
		} else {
			int said = words_number(bot, text, at, &bytes);
			if (said >= 0) {
				minute = said;
				at += bytes;
				at += words_at(bot, LIST_WHEN_MINUTE_MARK, text, at);
			}
		}
	}
	if ((len = words_at(bot, LIST_WHEN_PM, text, skip(at)))) {
		r->pm = true;
		at = skip(at) + len;
		marked = true;
	} else if ((len = words_at(bot, LIST_WHEN_AM, text, skip(at)))) {
		r->am = true;
		at = skip(at) + len;
		marked = true;
	}
	if (!marked || minute < 0 || minute > 59)
		return 0;
	r->hour = hour;
	r->minute = minute;
	return (size_t)(at - start);
}

/* "明天", "tomorrow", "周六", "晚上": bytes read. */
static size_t read_day(struct core *core, const char *text, const char *at, struct reading *r)
{
	static const int parts[] = {PART_MORNING, PART_NOON, PART_AFTERNOON, PART_EVENING};
	size_t len;
	for (int i = 0; i < 3; i++) {
		if ((len = family_at(core, LIST_WHEN_DAY_0, i, text, at))) {
			r->day = i;
			return len;
		}
	}
	for (int i = 0; i < 4; i++) {
		/* "明早": a day and a part in one word comes before the part alone. */
		for (int day = 0; day < 2; day++) {
			len = family_at(core, LIST_WHEN_PART_0_0, i * 2 + day, text, at);
			if (len) {
				r->day = day;
				r->part = parts[i];
				return len;
			}
		}
		if ((len = family_at(core, LIST_WHEN_PART_0, i, text, at))) {
			r->part = parts[i];
			return len;
		}
	}
	size_t next = words_at(core->bot, LIST_WHEN_NEXT, text, at);
	for (int i = 0; i < 7; i++) {
		if ((len = family_at(core, LIST_WEEKDAY_0, i, text, skip(at + next)))) {
			r->weekday = i;
			r->next_week = next > 0;
			return (size_t)(skip(at + next) - at) + len;
		}
	}
	return 0;
}

static size_t read_one(struct core *core, const char *text, const char *at, struct reading *r)
{
	size_t len = read_offset(core, text, at, &r->offset);
	if (!len)
		len = read_day(core, text, at, r);
	if (!len && r->hour < 0)
		len = read_clock(core, text, at, r);
	if (!len && (len = words_at(core->bot, LIST_WHEN_NOW, text, at)))
		r->now = true;
	if (!len && (len = words_at(core->bot, LIST_WHEN_ANY, text, at)))
		r->any = true;
	return len;
}

static int reading_days(const struct reading *r, const struct civil *today)
{
	if (r->weekday < 0)
		return r->day < 0 ? 0 : r->day;
	int days = (r->weekday - today->weekday + 7) % 7;
	/* A Chinese week begins on Monday; "next" means the one after this. */
	if (r->next_week)
		days = (r->weekday + 6) % 7 - (today->weekday + 6) % 7 + 7;
	return days;
}

/* 6 may be 6 or 18 o'clock: what was said decides, then what comes next and is not night. */
static void settle_clock(const struct core *core, const struct reading *r, struct moment *m)
{
	int64_t from = core->event->now;
	if (core->when_from > from && r->day < 0 && r->weekday < 0)
		from = core->when_from;
	struct civil today = civil_from_ms(from, core->event->utc_offset);
	struct civil midnight = today;
	midnight.hour = midnight.minute = midnight.second = 0;
	int64_t base = civil_to_ms(&midnight, core->event->utc_offset);
	int hour = r->hour;
	bool late = r->pm || r->part == PART_AFTERNOON || r->part == PART_EVENING ||
		    (r->part == PART_NOON && hour < 10);
	if (late && hour < 12)
		hour += 12;
	bool sure = r->pm || r->am || r->part != PART_NONE || hour > 12 || hour == 0;
	bool dated = r->day >= 0 || r->weekday >= 0;
	bool later = !dated &&
		     midnight.day != civil_from_ms(core->event->now, core->event->utc_offset).day;
	if (!sure && hour < 7 && (dated || later))
		hour += 12;
	int64_t at =
		base + reading_days(r, &today) * day_ms + hour * hour_ms + r->minute * minute_ms;
	int64_t step = sure ? day_ms : day_ms / 2;
	while (!dated && !later &&
	       (at <= core->event->now ||
		(!sure && civil_from_ms(at, core->event->utc_offset).hour < 6)))
		at += step;
	if (r->weekday >= 0 && at <= core->event->now)
		at += 7 * day_ms;
	*m = (struct moment){.part = PART_CLOCK, .at = at};
}

static bool settle(const struct core *core, const struct reading *r, struct moment *m)
{
	struct civil today = civil_from_ms(core->event->now, core->event->utc_offset);
	if (r->offset) {
		*m = (struct moment){.part = PART_CLOCK, .at = core->event->now + r->offset};
		if (r->offset >= day_ms)
			m->part = PART_DAY;
	} else if (r->hour >= 0) {
		settle_clock(core, r, m);
	} else if (r->part != PART_NONE || r->day >= 0 || r->weekday >= 0) {
		int days = reading_days(r, &today);
		*m = (struct moment){.part = r->part ? r->part : PART_DAY,
				     .at = core->event->now + days * day_ms};
	} else if (r->now || r->any) {
		*m = (struct moment){.part = r->now ? PART_NOW : PART_ANY, .at = core->event->now};
	} else {
		return false;
	}
	return true;
}

bool moment_find(struct core *core, const char *text, struct moment *moment_r, bool *alone_r)
{
	const char *folded = text_fold(core->arena, mark_clock(core->arena, text));
	struct reading reading = {.day = -1, .weekday = -1, .hour = -1};
	bool alone = true;
	for (const char *at = folded; *at;) {
		size_t len = read_one(core, folded, at, &reading);
		if (!len && (len = words_at(core->bot, LIST_WHEN_FILLER, folded, at)))
			;
		else if (!len)
			alone = false;
		if (!len) {
			int32_t point;
			len = text_next(at, &point);
			/* On to the next word: half of a Latin word or a number says nothing. */
			while (point < 0x80 && point != ' ' && at[len] && at[len] != ' ' &&
			       (unsigned char)at[len] < 0x80 &&
			       (at[len - 1] > '9') == (at[len] > '9'))
				len++;
		}
		at = skip(at + len);
	}
	if (alone_r)
		*alone_r = alone;
	return settle(core, &reading, moment_r);
}

static const char *clock_say(struct core *core, int language, struct moment moment)
{
	static const enum text_id parts[] = {
		[PART_MORNING] = TEXT_PART_MORNING,
		[PART_NOON] = TEXT_PART_NOON,
		[PART_AFTERNOON] = TEXT_PART_AFTERNOON,
		[PART_EVENING] = TEXT_PART_EVENING,
	};
	if (moment.part == PART_DAY)
		return "";
	if (moment.part != PART_CLOCK)
		return core_say(core, language, parts[moment.part], NULL, 0);
	struct civil civil = civil_from_ms(moment.at, core->event->utc_offset);
	return arena_printf(core->arena, "%02d:%02d", civil.hour, civil.minute);
}

const char *moment_say(struct core *core, int language, struct moment moment)
{
	static const enum text_id weekdays[] = {
		TEXT_WEEKDAY_0, TEXT_WEEKDAY_1, TEXT_WEEKDAY_2, TEXT_WEEKDAY_3,
		TEXT_WEEKDAY_4, TEXT_WEEKDAY_5, TEXT_WEEKDAY_6,
	};
	if (moment.part == PART_NONE || moment.part == PART_ANY)
		return core_say(core, language, TEXT_WHEN_ANY, NULL, 0);
	if (moment.part == PART_NOW)
		return core_say(core, language, TEXT_WHEN_NOW, NULL, 0);
	int offset = core->event->utc_offset;
	struct civil civil = civil_from_ms(moment.at, offset);
	int64_t today = (core->event->now + offset * 1000LL) / day_ms;
	int64_t days = (moment.at + offset * 1000LL) / day_ms - today;
	struct blank clock = {.name = "clock", .value = clock_say(core, language, moment)};
	char *said;
	if (days == 0 || days == 1)
		said = core_say(core, language, days ? TEXT_WHEN_TOMORROW : TEXT_WHEN_TODAY, &clock,
				1);
	else if (days > 1 && days < 7)
		said = core_say(core, language, TEXT_WHEN_WEEKDAY,
				BLANKS({.name = "weekday",
					.value = core_say(core, language, weekdays[civil.weekday],
							  NULL, 0)},
				       clock));
	else
		said = core_say(core, language, TEXT_WHEN_DATE,
				BLANKS({.name = "month", .number = civil.month},
				       {.name = "day", .number = civil.day}, clock));
	for (size_t len = strlen(said); len && said[len - 1] == ' ';)
		said[--len] = 0;
	return said;
}
