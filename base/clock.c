/* base/clock.c - reads the clocks; nobody else does. */
#include "base/clock.h"

#include <time.h>

#include "base/zone.h"

int64_t clock_wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int clock_zone_offset(const char *zone, int64_t wall_ms, int *offset_r)
{
	return zone_offset(zone, wall_ms, offset_r);
}
