/* tests/fuzz/fuzz_sms.c - any text cut into SMS, any number, any charset and any webhook's query.
 *
 * The first line of the input is a number, a charset and a URL's target; the rest is a text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sms/charset.h"
#include "adapters/sms/sms.h"
#include "adapters/sms/twilio_sign.h"
#include "base/arena.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void cut(struct arena *arena, const char *text)
{
	for (size_t parts_max = 1; parts_max < 4; parts_max++) {
		char **pieces = sms_split(arena, text, parts_max);
		const char *at = text;

		for (size_t i = 0; pieces[i]; i++) {
			size_t len = strlen(pieces[i]);

			must(len && !strncmp(at, pieces[i], len));
			must(sms_measure(pieces[i]).parts <= parts_max);
			/* what was valid is still */
			must(!text_valid(text, strlen(text)) || text_valid(pieces[i], len));
			at += len;
		}
		must(!*at);
	}
}

static void number(struct arena *arena, const char *given)
{
	static const char *const codes[] = {NULL, "86", "1", "+39"};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		const char *e164 = sms_number(arena, given, codes[i]);

		if (!e164 || *e164 != '+')
			continue;
		size_t len = strspn(e164 + 1, "0123456789");
		must(!e164[1 + len] && len >= 7 && len <= 15 && e164[1] != '0');
		must(!strcmp(sms_number(arena, e164, codes[i]), e164));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *input = arena_bytes(arena, data, size);
	const char *line = memchr(input, '\n', size);
	size_t head_len = line ? (size_t)(line - input) : size;
	const char *head = arena_bytes(arena, input, head_len);
	const char *rest = line ? line + 1 : input + size;
	size_t rest_len = size - (size_t)(rest - input), len;

	cut(arena, rest);
	number(arena, head);
	const char *charset = charset_of_type(arena, head);
	const char *text = charset_text(arena, charset ? charset : "UTF-16BE", rest, rest_len);
	must(text_valid(text, strlen(text)));
	const char *raw = charset_raw_query(arena, head, "text", &len);
	must(!raw || len <= head_len);
	const struct web_field field = {.name = head, .value = rest};
	const char *signature = twilio_signature(arena, "k", head, &field, 1);
	must(twilio_signed(arena, "k", head, &field, 1, signature));
	must(!twilio_signed(arena, "other", head, &field, 1, signature));
	arena_free(&arena);
	return 0;
}
