/* base/civil.c - counts days between calendar dates and the epoch. */
#include "base/civil.h"

enum { DAY_S = 86400, ERA_DAYS = 146097, EPOCH_DAYS = 719468 /* 0000-03-01 to 1970-01-01 */ };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Years are counted from March, so that the leap day is a year's last
 * (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static int64_t days_from_date(int64_t year, int month, int day)
{
	year += floor_div(month - 1, 12);
	month = (int)(month - 1 - floor_div(month - 1, 12) * 12) + 1;
	if (month <= 2)
		year--;
	int64_t era = floor_div(year, 400);
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

struct civil civil_from_ms(int64_t wall_ms, int utc_offset_s)
{
	int64_t seconds = floor_div(wall_ms, 1000) + utc_offset_s;
	int64_t days = floor_div(seconds, DAY_S);
	int rest = (int)(seconds - days * DAY_S);
	int64_t from_march = days + EPOCH_DAYS;
	int64_t era = floor_div(from_march, ERA_DAYS);
	int64_t day_of_era = from_march - era * ERA_DAYS;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int shifted = (int)((5 * day_of_year + 2) / 153);
	int month = shifted < 10 ? shifted + 3 : shifted - 9;
	return (struct civil){
		.year = (int)(year_of_era + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1),
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
		.weekday = (int)(((days + 4) % 7 + 7) % 7),
	};
}

int64_t civil_to_ms(const struct civil *civil, int utc_offset_s)
{
	int64_t days = days_from_date(civil->year, civil->month, civil->day);
	int64_t seconds = days * DAY_S + (int64_t)civil->hour * 3600 +
			  (int64_t)civil->minute * 60 + civil->second;
	return (seconds - utc_offset_s) * 1000;
}
