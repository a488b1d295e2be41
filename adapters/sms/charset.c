/* adapters/sms/charset.c - bytes in a charset that a gateway names become UTF-8. */
#include "adapters/sms/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"

bool charset_is_utf8(const char *charset)
{
	static const char *const names[] = {"", "UTF-8", "UTF8", "US-ASCII", "ASCII"};

	for (size_t i = 0; charset && i < sizeof(names) / sizeof(*names); i++)
		if (!strcasecmp(charset, names[i]))
			return true;
	return !charset;
}

const char *charset_of_type(struct arena *arena, const char *type)
{
	static const char name[] = "charset=";

	for (; type && *type; type++)
		if (!strncasecmp(type, name, sizeof name - 1)) {
			type += sizeof name - 1;
			type += *type == '"';
			return arena_bytes(arena, type, strcspn(type, "\"; \t"));
		}
	return NULL;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *decoded(struct arena *arena, const char *s, size_t len, size_t *len_r)
{
	char *out = arena_alloc(arena, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' && i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			out[n++] = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		} else {
			out[n++] = s[i] == '+' ? ' ' : s[i];
		}
	}
	*len_r = n;
	return out;
}

const char *charset_raw_query(struct arena *arena, const char *target, const char *name,
			      size_t *len_r)
{
	size_t name_len = strlen(name);
	const char *at = strchr(target, '?');

	while (at) {
		at++;
		size_t len = strcspn(at, "&");
		if (len > name_len && !strncmp(at, name, name_len) && at[name_len] == '=')
			return decoded(arena, at + name_len + 1, len - name_len - 1, len_r);
		at = at[len] ? at + len : NULL;
	}
	return NULL;
}

/* Reads as far as it goes; a bad unit is left out and marked. */
static void convert(iconv_t way, char *in, size_t left, char *out, size_t room, size_t unit)
{
	static const char mark[] = "\xEF\xBF\xBD";

	while (left) {
		if (iconv(way, &in, &left, &out, &room) != (size_t)-1)
			return;
		if (errno == E2BIG || room < sizeof mark)
			return;
		memcpy(out, mark, sizeof mark - 1);
		out += sizeof mark - 1;
		room -= sizeof mark - 1;
		size_t skip = left < unit ? left : unit;
		in += skip;
		left -= skip;
	}
}

const char *charset_text(struct arena *arena, const char *charset, const char *bytes, size_t len)
{
	iconv_t way = charset_is_utf8(charset) ? (iconv_t)-1 : iconv_open("UTF-8", charset);
	if (way == (iconv_t)-1)
		return text_clean(arena, bytes, len);
	/* No byte of another charset makes more than three of UTF-8; a mark takes three too. */
	size_t room = 3 * len + 4;
	char *out = arena_alloc(arena, room + 1);
	convert(way, arena_bytes(arena, bytes, len), len, out, room,
		strncasecmp(charset, "UTF-16", 6) && strncasecmp(charset, "UCS-2", 5) ? 1 : 2);
	iconv_close(way);
	/* A NUL among the characters would end the text early. */
	size_t end = room;
	while (end && !out[end - 1])
		end--;
	return text_clean(arena, out, end);
}
