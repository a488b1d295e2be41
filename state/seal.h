/* state/seal.h - documents, events and texts are sealed before they reach Redis.
 *
 * XChaCha20-Poly1305 (libsodium), a random 24-byte nonce, and the place of
 * storage (Redis key) bound in as associated data, so that a sealed value moved
 * to another key does not open. Sealed form: one format byte 0x01, 4 bytes key
 * identifier, nonce, ciphertext and tag. Addresses are found by keyed BLAKE2b.
 *
 * The key file is text: one line per key, "linli-key-1 <id hex> <secret hex>",
 * the first seals, all open (rotation). It must be a regular file with mode
 * 0600 or stricter owned by us, or come from $CREDENTIALS_DIRECTORY. A lookup key
 * for hashes is derived from the LAST line (the oldest key), so it never changes.
 */
#ifndef STATE_SEAL_H
#define STATE_SEAL_H

#include <stddef.h>

#include "base/error.h"

struct arena;
struct buf;
struct seal;

/* Writes a new key file (never over an old one). */
int seal_keygen(const char *file, struct error *error_r) MUST_CHECK;
struct seal *seal_open_file(const char *file, struct error *error_r) MUST_CHECK;
/* Tests and rehearsals: keys from 32 bytes. */
struct seal *seal_from_bytes(const unsigned char secret[32]);
void seal_free(struct seal **seal);

/* A sealed value is this much longer than the plain one. */
enum { SEAL_OVERHEAD = 1 + 4 + 24 + 16 };

/* Appends the sealed form of data to `out`. */
void seal_shut(const struct seal *seal, const char *place, const void *data, size_t len,
	       struct buf *out);
/* The plain bytes in the arena, or NULL with a reason: wrong key, moved, damaged. */
char *seal_open(const struct seal *seal, const char *place, const void *sealed, size_t len,
		struct arena *arena, size_t *len_r, struct error *error_r) MUST_CHECK;

/* Keyed hash of an address or id as 26 lower-case base32 characters (16 bytes). The same for the
 * same input as long as the oldest key stays. `space` separates uses ("address", "dedup"). */
enum { SEAL_HASH_LEN = 26 };
void seal_hash(const struct seal *seal, const char *space, const char *input,
	       char out[SEAL_HASH_LEN + 1]);

#endif
