/* adapters/web_form.h - percent-encoding and forms (private to adapters/web*.c, pure). */
#ifndef ADAPTERS_WEB_FORM_H
#define ADAPTERS_WEB_FORM_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct web_field;

/* Decodes %XX, and + as a space if `plus`; NULL if a % is not followed by two hex digits or the
 * result is not valid UTF-8 without NUL. */
char *web_decode(struct arena *arena, const char *s, size_t len, bool plus);

/* name=value&…: fields in the order sent, decoded; -1 if malformed. An empty string has none. */
int web_decode_form(struct arena *arena, const char *s, size_t len, struct web_field **fields_r,
		    size_t *count_r);

/* The same for a query; what is malformed is left out, and then it is -1. */
int web_decode_query(struct arena *arena, const char *s, size_t len, struct web_field **fields_r,
		     size_t *count_r);

#endif
