/* Throws bytes at what opens sealed values and at what reads the address of a Redis. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "state/redis_dial.h"
#include "state/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char secret[32] = "thirty-two bytes for the fuzzer";
	struct seal *seal = seal_from_bytes(secret);
	struct arena *arena = arena_new();
	struct redis_target target;
	struct error error = {0};
	struct buf sealed;
	size_t len;

	/* Nobody can make one without the key … */
	if (seal_open(seal, "place", data, size, arena, &len, &error))
		abort();
	/* … and what was made opens, in its place only. */
	char *place = arena_bytes(arena, data, size);
	buf_init(&sealed, 0);
	seal_shut(seal, place, data, size, &sealed);
	char *open = seal_open(seal, place, sealed.data, sealed.len, arena, &len, &error);
	if (!open || len != size || memcmp(open, data, size) != 0)
		abort();
	if (seal_open(seal, "elsewhere", sealed.data, sealed.len, arena, &len, &error) &&
	    strcmp(place, "elsewhere") != 0)
		abort();
	if (redis_target_parse(place, &target, &error) == 0 &&
	    (target.where[0] == '\0' || target.db < 0 ||
	     (!target.is_unix && (target.port < 1 || target.port > 65535))))
		abort();
	buf_free(&sealed);
	arena_free(&arena);
	seal_free(&seal);
	return 0;
}
