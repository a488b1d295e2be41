/* base/buf.c - grows a byte buffer by doubling, up to the ceiling it was born with. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { FIRST = 256, STANDARD_MAX = 16 * 1024 * 1024 };

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max ? max : STANDARD_MAX};
	buf->data = xalloc(1);
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->full = false;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Room for len more bytes and the NUL; false past the ceiling. */
static bool make_room(struct buf *buf, size_t len)
{
	if (buf->full || len > buf->max || buf->len > buf->max - len) {
		buf->full = true;
		return false;
	}
	size_t need = buf->len + len;
	if (need <= buf->cap && buf->data)
		return true;
	size_t cap = buf->cap ? buf->cap : FIRST;
	while (cap < need)
		cap = cap > buf->max / 2 ? buf->max : cap * 2;
	if (cap > buf->max)
		cap = buf->max;
	buf->data = xrealloc(buf->data, cap + 1);
	buf->cap = cap;
	return true;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (!make_room(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_str(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 || !make_room(buf, (size_t)len))
		return;
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void buf_drop(struct buf *buf, size_t len)
{
	if (len > buf->len)
		len = buf->len;
	if (len == 0)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
	buf->data[buf->len] = '\0';
}
