/* base/clock.h - the only place where clocks are read.
 *
 * Wall time is int64_t milliseconds since 1970-01-01 UTC. The pure core never
 * calls these: its "now" is in the event.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
/* Microseconds on a clock that never jumps; for durations only. */
int64_t clock_mono_us(void);
/* Seconds east of UTC in an IANA zone ("Asia/Shanghai") at that moment;
 * an unknown zone is -1 with 0 in *offset_r. */
int clock_zone_offset(const char *zone, int64_t wall_ms, int *offset_r);

#endif
