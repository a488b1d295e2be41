/* tests/fuzz/fuzz_scram.c - any challenge and any proof of a server that we log in to. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/scram.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scram *scram = scram_new(SCRAM_SHA_1, "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL");
	char *text = xalloc(size + 1);
	unsigned char decoded[64];
	struct error error;

	memcpy(text, data, size);
	if (base64_decode(text, decoded, sizeof decoded) > (int)sizeof decoded)
		abort();
	if (scram_challenge(scram, text, &error) == 0) {
		scram_derive(scram);
		scram_response(scram);
	}
	/* Nobody can prove by chance that they know the password. */
	if (scram_success(scram, text, &error) == 0)
		abort();
	free(text);
	scram_free(&scram);
	return 0;
}
