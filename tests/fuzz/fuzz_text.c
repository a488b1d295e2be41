/* Fuzzes cleaning, folding and cutting of text, and the reader of time zone files. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *bytes = (const char *)data;
	char *clean = text_clean(arena, bytes, size);
	must(text_valid(clean, strlen(clean)));
	char *folded = text_fold(arena, clean);
	must(text_valid(folded, strlen(folded)));
	must(strcmp(text_fold(arena, folded), folded) == 0);
	must(folded[0] != ' ' && strstr(folded, "  ") == NULL);
	/* Bytes that are no text are folded without harm as well. */
	text_fold(arena, arena_bytes(arena, bytes, size));
	for (size_t points = 0; points < 6; points++) {
		char *cut = text_cut(arena, clean, points);
		must(text_valid(cut, strlen(cut)) && text_points(cut) <= points);
	}
	int offset;
	if (zone_offset_in(data, size, 1767225600000, &offset) != 0)
		must(offset == 0);
	arena_free(&arena);
	return 0;
}
