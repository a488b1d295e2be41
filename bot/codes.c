/* bot/codes.c - task codes: digits whose last checks the others.
 *
 * Damm's scheme (H. M. Damm, 2004, the totally anti-symmetric quasigroup of
 * order 10 of his thesis): one wrong digit or a swap of neighbours never gives
 * another valid code.
 */
#include <string.h>

#include "bot/core.h"

enum { CODE_DIGITS = 4, CODE_DIGITS_MAX = 6, TRIES_PER_LENGTH = 12 };

static const unsigned char damm[10][10] = {
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2}, {7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9}, {1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8}, {3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4}, {8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5}, {2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
};

static unsigned damm_check(const char *digits, size_t len)
{
	unsigned interim = 0;
	for (size_t i = 0; i < len; i++)
		interim = damm[interim][digits[i] - '0'];
	return interim;
}

bool code_valid(const char *digits)
{
	size_t len = strspn(digits, "0123456789");
	return !digits[len] && len >= CODE_DIGITS && len <= CODE_DIGITS_MAX && digits[0] != '0' &&
	       damm_check(digits, len) == 0;
}

const char *code_draw(struct core *core)
{
	unsigned long least = 100;
	/* When many codes of one length rest, the next length has ten times as many. */
	for (int digits = CODE_DIGITS; digits <= CODE_DIGITS_MAX; digits++, least *= 10) {
		for (int i = 0; i < TRIES_PER_LENGTH; i++) {
			unsigned long stem = least + core_random(core) % (9 * least);
			char *code = arena_printf(core->arena, "%lu0", stem);
			code[digits - 1] = (char)('0' + damm_check(code, (size_t)digits - 1));
			const struct task *task = task_get(core, code);
			if (task->state == TASK_NONE)
				return code;
		}
	}
	return NULL;
}
