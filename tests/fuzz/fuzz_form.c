/* tests/fuzz/fuzz_form.c - any bytes as a form, as percent-encoding, and as a header's line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/http.h"
#include "adapters/http_answer.h"
#include "adapters/web.h"
#include "adapters/web_form.h"
#include "base/arena.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void decode_form(struct arena *arena, const char *s, size_t len)
{
	struct web_field *fields;
	size_t count;

	if (web_decode_form(arena, s, len, &fields, &count))
		return;
	must(count <= len);
	for (size_t i = 0; i < count; i++) {
		must(text_valid(fields[i].name, strlen(fields[i].name)));
		must(text_valid(fields[i].value, strlen(fields[i].value)));
		must(web_field(fields, count, fields[i].name) != NULL);
		/* Encoded again and decoded again it is the same. */
		char *again = http_escape(arena, fields[i].value);
		char *back = web_decode(arena, again, strlen(again), true);

		must(back && !strcmp(back, fields[i].value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *s = arena_bytes(arena, data, size), small[8] = "";

	decode_form(arena, s, size);
	web_decode(arena, s, size, false);
	http_header_value(s, size, "Retry-After", small, sizeof small);
	must(strlen(small) < sizeof small);
	int64_t ms = http_retry_after(s);

	must(ms >= 0 && ms <= 24 * 60 * 60 * 1000);
	arena_free(&arena);
	return 0;
}
