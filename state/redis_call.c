/* Commands are written as RESP arrays here, straight into the bytes that will be sent. */
#include "state/redis_link.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* What Redis takes from one client at most (client-query-buffer-limit) is 1 GB. */
enum { BYTES_MAX = 512 * 1024 * 1024 };

static void head(struct redis_call *call, char kind, size_t number)
{
	char text[24], *at = text + sizeof text;

	*--at = '\n';
	*--at = '\r';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	*--at = kind;
	buf_add(&call->bytes, at, (size_t)(text + sizeof text - at));
}

struct redis_call *redis_call_new(size_t arguments)
{
	struct redis_call *call = xalloc(sizeof *call);

	buf_init(&call->bytes, BYTES_MAX);
	call->missing = arguments;
	head(call, '*', arguments);
	return call;
}

void redis_call_begin(struct redis_call *call, size_t len)
{
	if (call->missing-- == 0)
		abort();
	head(call, '$', len);
}

void redis_call_end(struct redis_call *call)
{
	buf_add(&call->bytes, "\r\n", 2);
}

void redis_call_bytes(struct redis_call *call, const void *data, size_t len)
{
	redis_call_begin(call, len);
	buf_add(&call->bytes, data, len);
	redis_call_end(call);
}

void redis_call_str(struct redis_call *call, const char *s)
{
	redis_call_bytes(call, s, strlen(s));
}

void redis_call_printf(struct redis_call *call, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof text)
		abort(); /* numbers only */
	redis_call_bytes(call, text, (size_t)len);
}
