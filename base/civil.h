/* base/civil.h - calendar arithmetic without a clock and without <time.h>.
 *
 * Proleptic Gregorian calendar; a civil time is what a wall clock shows, so
 * callers add the zone's offset first. Weekday: 0 Sunday … 6 Saturday.
 */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdint.h>

struct civil {
	int year, month, day, hour, minute, second, weekday;
};

struct civil civil_from_ms(int64_t wall_ms, int utc_offset_s);
int64_t civil_to_ms(const struct civil *civil, int utc_offset_s);

#endif
