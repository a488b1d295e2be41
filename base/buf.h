/* base/buf.h - a growing byte buffer with a ceiling given at birth.
 *
 * The bytes are always followed by a NUL that is not counted. Past `max` a
 * buffer takes nothing more and says so in `full`; what is in it stays whole.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len, cap, max; /* max 0: 16 MiB */
	bool full;
};

void buf_init(struct buf *buf, size_t max);
void buf_free(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_str(struct buf *buf, const char *s);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first len bytes. */
void buf_drop(struct buf *buf, size_t len);

#endif
