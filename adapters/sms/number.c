/* adapters/sms/number.c - what a provider calls a sender becomes an E.164 number. */
#include <stdint.h>
#include <string.h>

#include "adapters/sms/sms.h"
#include "base/arena.h"

enum { E164_LEAST = 7, E164_MOST = 15, SHORT_CODE_MOST = 6, SERVICE_MOST = 20, LETTERS_MOST = 11 };

/* How many digits national numbers have without their trunk 0, where the general rule would
 * mistake one for an international number or the other way round (ITU-T E.164 national plans). */
static const struct plan {
	const char *code;
	size_t least, most;
	bool keeps_zero;
} plans[] = {
	{"1", 10, 10, false},  {"7", 10, 10, false}, {"33", 9, 9, false},  {"34", 9, 9, false},
	{"39", 6, 11, true},   {"44", 9, 10, false}, {"49", 8, 11, false}, {"61", 9, 9, false},
	{"65", 8, 8, false},   {"81", 9, 10, false}, {"82", 8, 10, false}, {"86", 10, 11, false},
	{"91", 10, 10, false}, {"852", 8, 8, false}, {"853", 8, 8, false}, {"886", 8, 9, false},
};

static struct plan plan_of(const char *code)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++)
		if (!strcmp(plans[i].code, code))
			return plans[i];
	return (struct plan){.code = code, .least = 8, .most = 11};
}

struct digits {
	char text[SERVICE_MOST + 1];
	size_t count;
	bool plus;
};

/* Takes out what people put between digits; -1 if anything else is there, or too much. */
static int digits_read(const char *s, struct digits *digits_r)
{
	for (; *s; s++) {
		if (strchr(" -().", *s))
			continue;
		if (*s == '+' && !digits_r->count && !digits_r->plus) {
			digits_r->plus = true;
			continue;
		}
		if (*s < '0' || *s > '9' || digits_r->count == SERVICE_MOST)
			return -1;
		digits_r->text[digits_r->count++] = *s;
	}
	return 0;
}

static char *international(struct arena *arena, const char *code, const char *rest)
{
	size_t count = strlen(code) + strlen(rest);
	const char *first = *code ? code : rest;
	if (*first == '0' || count < E164_LEAST || count > E164_MOST)
		return NULL;
	return arena_printf(arena, "+%s%s", code, rest);
}

/* A sender of letters: TS 23.040 9.1.2.5 gives it eleven septets. */
static char *alphanumeric(struct arena *arena, const char *s)
{
	size_t len = strlen(s);
	bool letter = false;
	while (len && s[len - 1] == ' ')
		len--;
	if (len > LETTERS_MOST || *s == '+')
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return NULL;
		letter = letter || ((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z');
	}
	return letter ? arena_bytes(arena, s, len) : NULL;
}

static char *from_national(struct arena *arena, const char *code, const char *digits, size_t count)
{
	struct plan plan = plan_of(code);
	size_t code_len = strlen(code);
	if (*digits == '0' && !plan.keeps_zero)
		return international(arena, code, digits + strspn(digits, "0"));
	if (!strncmp(digits, code, code_len) && count >= code_len + plan.least)
		return international(arena, "", digits);
	if (count > plan.most)
		return international(arena, "", digits);
	return international(arena, code, digits);
}

char *sms_number(struct arena *arena, const char *number, const char *country_code)
{
	struct digits digits = {.count = 0};
	if (!number)
		return NULL;
	number += strspn(number, " ");
	if (digits_read(number, &digits))
		return alphanumeric(arena, number);
	if (digits.plus)
		return international(arena, "", digits.text);
	if (!strncmp(digits.text, "00", 2))
		return international(arena, "", digits.text + 2);
	if (country_code && *country_code == '+')
		country_code++;
	if (country_code && !strcmp(country_code, "1") && !strncmp(digits.text, "011", 3))
		return international(arena, "", digits.text + 3);
	if (!digits.count)
		return NULL;
	if (digits.count <= SHORT_CODE_MOST || digits.count > E164_MOST)
		return arena_str(arena, digits.text);
	if (!country_code || !*country_code)
		return international(arena, "", digits.text);
	return from_national(arena, country_code, digits.text, digits.count);
}
