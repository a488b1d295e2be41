/* bot/run/rehearse/match.c - patterns of what the bot should say, and what they catch. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "bot/run/rehearse/talk.h"

enum { DIGITS_LEAST = 3, CAUGHT_MAX = 8 };

/* A thing in braces: {code}, {code+10}, {code wide}. */
struct brace {
	const char *name;
	size_t name_len;
	const char *add; /* digits, or NULL */
	size_t add_len;
	bool wide;
	const char *end; /* after the closing brace */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool brace_read(const char *p, struct brace *brace_r)
{
	if (*p != '{')
		return false;
	const char *end = strchr(p, '}');
	if (!end || memchr(p, '\n', (size_t)(end - p)))
		return false;
	const char *name = p + 1;
	size_t len = (size_t)(end - name);
	*brace_r = (struct brace){.name = name, .name_len = len, .end = end + 1};
	static const char wide[] = " wide";
	if (len > sizeof(wide) - 1 && !strncmp(end - (sizeof(wide) - 1), wide, sizeof(wide) - 1)) {
		brace_r->wide = true;
		brace_r->name_len = len -= sizeof(wide) - 1;
	}
	const char *plus = memchr(name, '+', len);
	if (plus) {
		brace_r->name_len = (size_t)(plus - name);
		brace_r->add = plus + 1;
		brace_r->add_len = (size_t)(name + len - plus) - 1;
	}
	return brace_r->name_len > 0;
}

static const char *find(const struct talk_variables *variables, const char *name, size_t len)
{
	for (size_t i = 0; i < variables->count; i++)
		if (strlen(variables->items[i].name) == len &&
		    !strncmp(variables->items[i].name, name, len))
			return variables->items[i].value;
	return NULL;
}

/* Adds without carrying: {code+10} is one wrong digit, the last but one. */
static void add_value(struct buf *out, const struct brace *brace, const char *value)
{
	size_t len = strlen(value);
	for (size_t i = 0; i < len; i++) {
		char c = value[i];
		size_t from_end = len - i;
		if (is_digit(c) && from_end <= brace->add_len) {
			char by = brace->add[brace->add_len - from_end];
			if (is_digit(by))
				c = (char)('0' + (c - '0' + by - '0') % 10);
		}
		if (brace->wide && is_digit(c)) { /* U+FF10 … U+FF19 */
			char full[] = {(char)0xef, (char)0xbc, (char)(0x90 + (c - '0'))};
			buf_add(out, full, sizeof(full));
		} else {
			buf_char(out, c);
		}
	}
}

/* With `pattern` unknown braces stay and filled ones are escaped. */
static char *fill(const char *text, const struct talk_variables *variables, struct arena *arena,
		  bool pattern, const char **unknown_r)
{
	struct buf out, value;
	buf_init(&out, 0);
	buf_init(&value, 0);
	bool known = true;
	for (const char *p = text; *p && known;) {
		struct brace brace;
		if (*p == '\\' && p[1]) {
			if (pattern)
				buf_char(&out, *p);
			buf_char(&out, p[1]);
			p += 2;
			continue;
		}
		if (!brace_read(p, &brace)) {
			buf_char(&out, *p++);
			continue;
		}
		const char *caught = find(variables, brace.name, brace.name_len);
		if (caught) {
			buf_clear(&value);
			add_value(&value, &brace, caught);
			for (size_t i = 0; i < value.len; i++) {
				if (pattern && strchr("\\*{<", value.data[i]))
					buf_char(&out, '\\');
				buf_char(&out, value.data[i]);
			}
		} else if (pattern && !brace.add && !brace.wide) {
			buf_add(&out, p, (size_t)(brace.end - p));
		} else {
			*unknown_r = arena_bytes(arena, brace.name, brace.name_len);
			known = false;
		}
		p = brace.end;
	}
	char *filled = known ? arena_bytes(arena, out.data ? out.data : "", out.len) : NULL;
	buf_free(&out);
	buf_free(&value);
	return filled;
}

char *talk_fill(const char *text, const struct talk_variables *variables, struct arena *arena,
		const char **unknown_r)
{
	return fill(text, variables, arena, false, unknown_r);
}

struct caught {
	const char *name, *value;
	size_t name_len, value_len;
};

struct attempt {
	const char *text; /* where the whole text begins */
	struct caught caught[CAUGHT_MAX];
	size_t count;
};

static bool match_from(const char *pattern, const char *text, struct attempt *attempt);

static bool catch_len(struct attempt *attempt, const char *name, size_t name_len, const char *rest,
		      const char *text, size_t len)
{
	if (attempt->count == CAUGHT_MAX)
		return false;
	for (size_t i = 0; i < attempt->count; i++) {
		const struct caught *old = &attempt->caught[i];
		if (old->name_len == name_len && !strncmp(old->name, name, name_len))
			return old->value_len == len && !strncmp(old->value, text, len) &&
			       match_from(rest, text + len, attempt);
	}
	size_t slot = attempt->count++;
	attempt->caught[slot] = (struct caught){
		.name = name, .name_len = name_len, .value = text, .value_len = len};
	if (match_from(rest, text + len, attempt))
		return true;
	attempt->count = slot;
	return false;
}

/* A whole number of three digits or more, never a piece of one. */
static bool match_digits(const struct brace *brace, const char *text, struct attempt *attempt)
{
	size_t len = 0;
	if (text > attempt->text && is_digit(text[-1]))
		return false;
	while (is_digit(text[len]))
		len++;
	return len >= DIGITS_LEAST &&
	       catch_len(attempt, brace->name, brace->name_len, brace->end, text, len);
}

static bool match_words(const char *pattern, const char *text, struct attempt *attempt)
{
	const char *end = strchr(pattern, '>');
	for (size_t len = 1; text[len - 1] && text[len - 1] != '\n'; len++)
		if (catch_len(attempt, pattern + 1, (size_t)(end - pattern) - 1, end + 1, text,
			      len))
			return true;
	return false;
}

static bool match_from(const char *pattern, const char *text, struct attempt *attempt)
{
	for (;;) {
		struct brace brace;
		if (*pattern == '*') {
			while (*pattern == '*')
				pattern++;
			if (!*pattern)
				return true;
			for (;; text++) {
				if (match_from(pattern, text, attempt))
					return true;
				if (!*text)
					return false;
			}
		}
		if (brace_read(pattern, &brace))
			return match_digits(&brace, text, attempt);
		if (*pattern == '<' && strchr(pattern, '>'))
			return match_words(pattern, text, attempt);
		if (*pattern == '\\' && pattern[1])
			pattern++;
		if (*pattern != *text)
			return false;
		if (!*pattern)
			return true;
		pattern++;
		text++;
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool talk_match(const char *pattern, const char *text, struct talk_variables *variables)
{
	const char *unknown = NULL;
	pattern = fill(pattern, variables, variables->arena, true, &unknown);
	if (!pattern)
		return false;
	while (is_blank(*text))
		text++;
	size_t len = strlen(text);
	while (len && is_blank(text[len - 1]))
		len--;
	struct attempt attempt = {.text = arena_bytes(variables->arena, text, len)};
	if (!match_from(pattern, attempt.text, &attempt))
		return false;
	for (size_t i = 0; i < attempt.count; i++) {
		const struct caught *caught = &attempt.caught[i];
		variables->items = arena_grow(variables->arena, variables->items, variables->count,
					      sizeof(*variables->items));
		variables->items[variables->count++] = (struct talk_variable){
			.name = arena_bytes(variables->arena, caught->name, caught->name_len),
			.value = arena_bytes(variables->arena, caught->value, caught->value_len),
		};
	}
	return true;
}
