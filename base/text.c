/* base/text.c - cleans, measures, folds and cuts UTF-8 text. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text_variants.h"

enum { REPLACEMENT = 0xFFFD };

/* One code point at s, or a negative length if the bytes there are no UTF-8. */
static utf8proc_ssize_t decode(const char *s, size_t len, int32_t *point_r)
{
	utf8proc_ssize_t most = len > 4 ? 4 : (utf8proc_ssize_t)len;
	return utf8proc_iterate((const utf8proc_uint8_t *)s, most, point_r);
}

static void add_point(struct buf *out, int32_t point)
{
	utf8proc_uint8_t bytes[4];
	utf8proc_ssize_t n = utf8proc_encode_char(point, bytes);
	if (n > 0)
		buf_add(out, bytes, (size_t)n);
}

/* Moves what was built into the arena. */
static char *into_arena(struct arena *arena, struct buf *out)
{
	char *text = arena_bytes(arena, out->data, out->len);
	buf_free(out);
	return text;
}

bool text_valid(const char *s, size_t len)
{
	for (size_t at = 0; at < len;) {
		int32_t point;
		utf8proc_ssize_t n = decode(s + at, len - at, &point);
		if (n <= 0 || point == 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

char *text_clean(struct arena *arena, const char *s, size_t len)
{
	struct buf out;
	buf_init(&out, len * 3 + 1);
	for (size_t at = 0; at < len;) {
		int32_t point;
		utf8proc_ssize_t n = decode(s + at, len - at, &point);
		if (n <= 0) {
			add_point(&out, REPLACEMENT);
			at++;
			continue;
		}
		if (point >= 0x20 || point == '\t' || point == '\n')
			buf_add(&out, s + at, (size_t)n);
		at += (size_t)n;
	}
	return into_arena(arena, &out);
}

size_t text_next(const char *s, int32_t *point_r)
{
	if (*s == '\0')
		return 0;
	utf8proc_ssize_t n = decode(s, strnlen(s, 4), point_r);
	if (n > 0)
		return (size_t)n;
	*point_r = REPLACEMENT;
	return 1;
}

size_t text_points(const char *s)
{
	size_t count = 0;
	int32_t point;
	for (size_t n; (n = text_next(s, &point)) > 0; s += n)
		count++;
	return count;
}

size_t text_utf16_units(const char *s)
{
	size_t count = 0;
	int32_t point;
	for (size_t n; (n = text_next(s, &point)) > 0; s += n)
		count += point >= 0x10000 ? 2 : 1;
	return count;
}

bool text_is_han(int32_t point)
{
	return point == 0x3005 || point == 0x3007 || /* 々 〇 */
	       (point >= 0x3400 && point <= 0x4DBF) || (point >= 0x4E00 && point <= 0x9FFF) ||
	       (point >= 0xF900 && point <= 0xFAFF) || (point >= 0x20000 && point <= 0x323AF);
}

static int compare_variants(const void *key, const void *row)
{
	int32_t point = *(const int32_t *)key;
	int32_t other = (int32_t)((const struct text_variant *)row)->traditional;
	return (point > other) - (point < other);
}

static int32_t simplified(int32_t point)
{
	if (!text_is_han(point))
		return point;
	const struct text_variant *row =
		bsearch(&point, text_variants, sizeof text_variants / sizeof text_variants[0],
			sizeof text_variants[0], compare_variants);
	return row ? (int32_t)row->simplified : point;
}

enum fold { FOLD_KEEP, FOLD_SPACE, FOLD_DROP };

static enum fold fold_kind(int32_t point)
{
	switch (utf8proc_category(point)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return FOLD_KEEP;
	case UTF8PROC_CATEGORY_ME: /* the frame of a keycap emoji: 1️⃣ is a 1 */
		return FOLD_DROP;
	default:
		return FOLD_SPACE;
	}
}

/* Compatibility forms undone, case folded, invisible characters gone; NULL if s is no UTF-8. */
static utf8proc_uint8_t *normal(const char *s)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s, 0, &out,
					  UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
						  UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
						  UTF8PROC_IGNORE);
	return n < 0 ? NULL : out;
}

char *text_fold(struct arena *arena, const char *s)
{
	utf8proc_uint8_t *folded = normal(s);
	if (!folded)
		folded = normal(text_clean(arena, s, strlen(s)));
	if (!folded)
		return arena_str(arena, "");
	struct buf out;
	/* Growth is bounded: a variant is no longer than 4 bytes. */
	buf_init(&out, strlen((const char *)folded) * 4 + 1);
	bool space = false;
	int32_t point;
	const char *at = (const char *)folded;
	for (size_t n; (n = text_next(at, &point)) > 0; at += n) {
		enum fold kind = point == REPLACEMENT ? FOLD_SPACE : fold_kind(point);
		if (kind == FOLD_SPACE)
			space = true;
		if (kind != FOLD_KEEP)
			continue;
		if (space && out.len > 0)
			buf_char(&out, ' ');
		space = false;
		add_point(&out, simplified(point));
	}
	free(folded);
	return into_arena(arena, &out);
}

char *text_cut(struct arena *arena, const char *s, size_t points)
{
	size_t count = 0, whole = 0; /* bytes up to the last cluster that leaves room for the … */
	int32_t point, before = 0, state = 0;
	const char *at = s;
	for (size_t n; (n = text_next(at, &point)) > 0; at += n) {
		bool boundary = at == s || utf8proc_grapheme_break_stateful(before, point, &state);
		if (boundary && count < points)
			whole = (size_t)(at - s);
		if (count == points)
			break;
		before = point;
		count++;
	}
	if (*at == '\0')
		return arena_str(arena, s);
	if (points == 0)
		return arena_str(arena, "");
	return arena_printf(arena, "%.*s…", (int)whole, s);
}
