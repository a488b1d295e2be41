/* tests/fuzz/fuzz_upgrade.c - any bytes as the request that opens a websocket. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/socket_upgrade.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *s = arena_bytes(arena, data, size);
	struct socket_upgrade upgrade;
	const char *plain;
	long len = size ? socket_upgrade_read(arena, s, size, &upgrade, &plain) : 0;

	if (len > 0) {
		must((size_t)len <= size && !memcmp(s + len - 4, "\r\n\r\n", 4));
		must(upgrade.path[0] == '/' && !strpbrk(upgrade.path, " \r\n"));
		for (long i = 0; i < len; i++) {
			must(s[i]);
			must(s[i] != '\n' || (i && s[i - 1] == '\r'));
			must(s[i] != '\r' || s[i + 1] == '\n');
		}
		must(strlen(plain) < 256 && strstr(plain, "\r\n\r\n") == plain + strlen(plain) - 4);
		/* What came in pieces means the same. */
		must(socket_upgrade_read(arena, s, (size_t)len, &upgrade, &plain) == len);
		must(socket_upgrade_read(arena, s, (size_t)len - 1, &upgrade, &plain) == 0);
	}
	arena_free(&arena);
	return 0;
}
