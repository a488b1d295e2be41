/* base/text.h - UTF-8 text as people type it (Unicode by utf8proc).
 *
 * Strings are NUL-terminated UTF-8. Lengths say their unit.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* True if valid UTF-8 without NUL, surrogates or over-long forms. */
bool text_valid(const char *s, size_t len);
/* A valid copy: every bad byte becomes U+FFFD, C0 controls but \t \n are dropped. */
char *text_clean(struct arena *arena, const char *s, size_t len);

size_t text_points(const char *s);      /* code points */
size_t text_utf16_units(const char *s); /* UTF-16 code units */

/* What words are compared as: NFKC (full-width becomes half-width), case
 * folded, traditional characters of the table in base/text_variants.h made
 * simplified, punctuation, symbols and emoji turned into single spaces, ends
 * trimmed. "　ＨＥＬＰ！！ " becomes "help". Chinese numerals are left alone. */
char *text_fold(struct arena *arena, const char *s);

/* Decodes one code point; returns its bytes, 0 at the end. */
size_t text_next(const char *s, int32_t *point_r);
/* Cuts at most `points` code points, never inside a grapheme cluster; adds "…" if cut. */
char *text_cut(struct arena *arena, const char *s, size_t points);
bool text_is_han(int32_t point);

#endif
