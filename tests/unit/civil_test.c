/* Tests calendar arithmetic and time zones against tables and against libc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/zone.h"

static const struct {
	int64_t ms;
	int offset;
	struct civil civil;
} known[] = {
	{0, 0, {1970, 1, 1, 0, 0, 0, 4}},
	{0, 28800, {1970, 1, 1, 8, 0, 0, 4}},
	{-1, 0, {1969, 12, 31, 23, 59, 59, 3}},
	{951782400000, 0, {2000, 2, 29, 0, 0, 0, 2}},
	{1709164800000, 0, {2024, 2, 29, 0, 0, 0, 4}},
	{1709251199999, 0, {2024, 2, 29, 23, 59, 59, 4}},
	{4107542400000, 0, {2100, 3, 1, 0, 0, 0, 1}},
	{-2208988800000, 0, {1900, 1, 1, 0, 0, 0, 1}},
	{1767196800000, 28800, {2026, 1, 1, 0, 0, 0, 4}},
	{-62135596800000, 0, {1, 1, 1, 0, 0, 0, 1}},
};

static void assert_civil(struct civil a, struct civil b)
{
	assert_int_equal(a.year, b.year);
	assert_int_equal(a.month, b.month);
	assert_int_equal(a.day, b.day);
	assert_int_equal(a.hour, b.hour);
	assert_int_equal(a.minute, b.minute);
	assert_int_equal(a.second, b.second);
	assert_int_equal(a.weekday, b.weekday);
}

static void known_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		assert_civil(civil_from_ms(known[i].ms, known[i].offset), known[i].civil);
		int64_t whole = known[i].ms - ((known[i].ms % 1000) + 1000) % 1000;
		assert_true(civil_to_ms(&known[i].civil, known[i].offset) == whole);
	}
}

static void every_day_as_libc_counts_it(void **state)
{
	(void)state;
	for (int64_t day = -200000; day < 200000; day += 1) {
		int64_t seconds = day * 86400 + (day * 7919) % 86400;
		time_t t = (time_t)seconds;
		struct tm tm;
		gmtime_r(&t, &tm);
		struct civil civil = civil_from_ms(seconds * 1000, 0);
		assert_civil(civil, (struct civil){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
						   tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_wday});
		assert_true(civil_to_ms(&civil, 0) == seconds * 1000);
	}
}

static void overflowing_fields_carry(void **state)
{
	(void)state;
	struct civil odd = {.year = 2026, .month = 14, .day = 1};
	assert_civil(civil_from_ms(civil_to_ms(&odd, 0), 0), (struct civil){2027, 2, 1, 0, 0, 0, 1});
	odd = (struct civil){.year = 2026, .month = 1, .day = 32, .hour = 25};
	assert_civil(civil_from_ms(civil_to_ms(&odd, 0), 0), (struct civil){2026, 2, 2, 1, 0, 0, 1});
	odd = (struct civil){.year = 2026, .month = 0, .day = 31};
	assert_civil(civil_from_ms(civil_to_ms(&odd, 0), 0), (struct civil){2025, 12, 31, 0, 0, 0, 3});
}

static const char *const zones[] = {
	"Asia/Shanghai", "Europe/Berlin",    "America/New_York",    "Australia/Lord_Howe",
	"Asia/Kolkata",  "America/Sao_Paulo", "Africa/Casablanca",  "Pacific/Auckland",
	"Europe/Dublin", "Asia/Tehran",      "America/St_Johns",    "Pacific/Kiritimati",
	"Asia/Urumqi",   "Asia/Taipei",      "Antarctica/Troll",    "UTC",
};

/* libc reads the same files, but by its own code. */
static void zones_as_libc_reads_them(void **state)
{
	(void)state;
	for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
		setenv("TZ", zones[z], 1);
		tzset();
		/* 1930 to 2120: before, in and after the files' tables. */
		for (int64_t t = -1262304000; t < 4733510400; t += 3600 * 37 + 13) {
			time_t at = (time_t)t;
			struct tm tm;
			localtime_r(&at, &tm);
			int offset = 12345;
			assert_int_equal(clock_zone_offset(zones[z], t * 1000, &offset), 0);
			if (offset != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, libc says %ld", zones[z], (long long)t,
					 offset, tm.tm_gmtoff);
		}
	}
	unsetenv("TZ");
	tzset();
}

static void unknown_zones(void **state)
{
	(void)state;
	static const char *const names[] = {"", "Mars/Olympus", "../etc/passwd", "/etc/localtime",
					    "Asia/../Asia/Tokyo", "Asia", "zone.tab", "Asia/Sh\nai"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		int offset = 7;
		assert_int_equal(clock_zone_offset(names[i], 0, &offset), -1);
		assert_int_equal(offset, 0);
	}
}

/* A file made by hand after RFC 8536: no table, only a rule. */
static void rules_alone(void **state)
{
	(void)state;
	static const struct {
		const char *footer;
		int64_t seconds;
		int offset;
	} cases[] = {
		{"CST-8", 0, 28800},
		{"<+0330>-3:30", 0, 12600},
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1774745999, 3600}, /* 2026-03-29 00:59:59 UTC */
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1774746000, 7200},
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1792889999, 7200}, /* 2026-10-25 00:59:59 UTC */
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1792890000, 3600},
		{"NZST-12NZDT,M9.5.0,M4.1.0/3", 1767225600, 46800}, /* January: summer */
		{"NZST-12NZDT,M9.5.0,M4.1.0/3", 1783036800, 43200}, /* July */
		{"EST5EDT,0/0,J365/25", 1783036800, -14400}, /* summer all year, RFC 8536 3.3.1 */
		{"EST5EDT,0/0,J365/25", 1767225600, -14400},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		unsigned char file[256] = "TZif2";
		/* Twice the smallest table: one type, one letter. */
		unsigned char *second = file + 44 + 7;
		file[39] = 1, file[43] = 1;
		memcpy(second, "TZif2", 5);
		second[39] = 1, second[43] = 1;
		unsigned char *rule = second + 44 + 7;
		rule[0] = '\n';
		memcpy(rule + 1, cases[i].footer, strlen(cases[i].footer));
		rule[1 + strlen(cases[i].footer)] = '\n';
		size_t len = (size_t)(rule - file) + strlen(cases[i].footer) + 2;
		int offset;
		assert_int_equal(zone_offset_in(file, len, cases[i].seconds * 1000, &offset), 0);
		if (offset != cases[i].offset)
			fail_msg("%s at %lld: %d", cases[i].footer, (long long)cases[i].seconds, offset);
		/* Cut short anywhere it is refused or read, never read past its end. */
		for (size_t cut = 0; cut < len; cut++) {
			unsigned char *copy = malloc(cut + !cut);
			memcpy(copy, file, cut);
			if (zone_offset_in(copy, cut, 0, &offset) != 0)
				assert_int_equal(offset, 0);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_dates),
		cmocka_unit_test(every_day_as_libc_counts_it),
		cmocka_unit_test(overflowing_fields_carry),
		cmocka_unit_test(zones_as_libc_reads_them),
		cmocka_unit_test(unknown_zones),
		cmocka_unit_test(rules_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
