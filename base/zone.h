/* base/zone.h - time zones as data: /usr/share/zoneinfo (RFC 8536), read without libc.
 *
 * libc's own zone is one for the whole process and is changed through the
 * environment, which other threads read. Zones once read are kept, up to a
 * few hundred. Loop thread only. $TZDIR names another folder.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

/* Seconds east of UTC at that moment; -1 and 0 if the zone is unknown or its file damaged. */
int zone_offset(const char *zone, int64_t wall_ms, int *offset_r);

/* The same from a file's bytes (what fuzzing calls). */
int zone_offset_in(const unsigned char *file, size_t len, int64_t wall_ms, int *offset_r);

#endif
