/* adapters/sms/charset.h - texts that a gateway hands over in another charset become UTF-8.
 *
 * Private to adapters/sms. Everything handed out is in the arena and valid UTF-8.
 */
#ifndef ADAPTERS_SMS_CHARSET_H
#define ADAPTERS_SMS_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* NULL, "", UTF-8 and ASCII, whatever the case. */
bool charset_is_utf8(const char *charset);
/* The charset of a Content-Type (RFC 9110 8.3.2): `text/plain; charset="UTF-16BE"`; NULL: none. */
const char *charset_of_type(struct arena *arena, const char *type);
/* A query parameter's bytes, percent-decoded, which may hold NULs; NULL if it is not there. */
const char *charset_raw_query(struct arena *arena, const char *target, const char *name,
			      size_t *len_r);
/* What cannot be read becomes U+FFFD; an unknown charset is read as UTF-8. */
const char *charset_text(struct arena *arena, const char *charset, const char *bytes, size_t len);

#endif
