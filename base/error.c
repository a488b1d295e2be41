/* base/error.c - writes the sentence of an error where the fact is known. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence that was too long ends at a whole UTF-8 character. */
static void end_whole(char *text, size_t size, int len)
{
	if (len < 0) {
		text[0] = '\0';
		return;
	}
	if ((size_t)len < size)
		return;
	size_t at = size - 1;
	while (at > 0 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
		at--;
	if (at == 0)
		return;
	unsigned char lead = (unsigned char)text[at - 1];
	size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (at - 1 + need > size - 1)
		text[at - 1] = '\0';
}

int error_set(struct error *error_r, const char *format, ...)
{
	if (!error_r)
		return -1;
	va_list args;
	va_start(args, format);
	int len = vsnprintf(error_r->text, sizeof error_r->text, format, args);
	va_end(args);
	end_whole(error_r->text, sizeof error_r->text, len);
	return -1;
}

int error_prefix(struct error *error_r, const char *format, ...)
{
	if (!error_r)
		return -1;
	struct error old = *error_r;
	va_list args;
	va_start(args, format);
	int len = vsnprintf(error_r->text, sizeof error_r->text, format, args);
	va_end(args);
	end_whole(error_r->text, sizeof error_r->text, len);
	size_t at = strlen(error_r->text);
	len = snprintf(error_r->text + at, sizeof error_r->text - at, ": %s", old.text);
	end_whole(error_r->text + at, sizeof error_r->text - at, len);
	return -1;
}
