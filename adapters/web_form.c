/* Decodes percent-encoding and application/x-www-form-urlencoded (WHATWG URL, 5.1), strictly. */
#include "adapters/web_form.h"

#include <string.h>

#include "adapters/web.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *web_decode(struct arena *arena, const char *s, size_t len, bool plus)
{
	char *out = arena_alloc(arena, len + 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '+' && plus) {
			*to++ = ' ';
		} else if (s[i] != '%') {
			*to++ = s[i];
		} else {
			int high = len - i > 2 ? hex(s[i + 1]) : -1;
			int low = high >= 0 ? hex(s[i + 2]) : -1;

			if (low < 0)
				return NULL;
			*to++ = (char)(high * 16 + low);
			i += 2;
		}
	}
	return text_valid(out, (size_t)(to - out)) ? out : NULL;
}

int web_decode_query(struct arena *arena, const char *s, size_t len, struct web_field **fields_r,
		     size_t *count_r)
{
	const char *end = s + len;
	struct web_field *fields = NULL;
	size_t count = 0;
	int result = 0;

	while (s < end) {
		const char *stop = memchr(s, '&', (size_t)(end - s));

		if (!stop)
			stop = end;
		if (stop > s) {
			const char *equals = memchr(s, '=', (size_t)(stop - s));
			const char *name_end = equals ? equals : stop;
			const char *value = equals ? equals + 1 : stop;

			fields = arena_grow(arena, fields, count, sizeof *fields);
			fields[count].name = web_decode(arena, s, (size_t)(name_end - s), true);
			fields[count].value =
				web_decode(arena, value, (size_t)(stop - value), true);
			if (fields[count].name && fields[count].value)
				count++;
			else
				result = -1;
		}
		s = stop + 1;
	}
	*fields_r = fields;
	*count_r = count;
	return result;
}

int web_decode_form(struct arena *arena, const char *s, size_t len, struct web_field **fields_r,
		    size_t *count_r)
{
	struct web_field *fields;
	size_t count;

	if (web_decode_query(arena, s, len, &fields, &count))
		return -1;
	*fields_r = fields;
	*count_r = count;
	return 0;
}

const char *web_field(const struct web_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(fields[i].name, name))
			return fields[i].value;
	return NULL;
}
