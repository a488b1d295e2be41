/* Bodies are encrypted and authenticated here, and addresses turned into keyed hashes. */
#include "state/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"

enum {
	FORMAT = 0x01,
	ID_LEN = 4,
	SECRET_LEN = crypto_kdf_KEYBYTES,
	HEAD_LEN = 1 + ID_LEN,
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	HASH_BYTES = 16,
	PLACE_MAX = 512,
	KEYS_MAX = 16,
	FILE_MAX = 4096,
};

#define LINE_START "linli-key-1"

/* What a secret is stretched to: one subkey seals, another one (of the oldest) makes hashes. */
static const char kdf_context[crypto_kdf_CONTEXTBYTES] = {'l', 'i', 'n', 'l', 'i', '-', 'v', '1'};
_Static_assert(SEAL_OVERHEAD == HEAD_LEN + NONCE_LEN + TAG_LEN, "the sealed form of state/seal.h");
enum { SUBKEY_SEAL = 1, SUBKEY_LOOKUP = 2, SUBKEY_ID = 3 };

struct seal_key {
	unsigned char id[ID_LEN];
	unsigned char key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
};

struct seal {
	unsigned char lookup[crypto_generichash_KEYBYTES];
	size_t count;
	struct seal_key keys[KEYS_MAX];
};

static struct seal *seal_new(void)
{
	if (sodium_init() < 0)
		abort();
	struct seal *seal = sodium_malloc(sizeof *seal);
	if (!seal)
		abort();
	memset(seal, 0, sizeof *seal);
	return seal;
}

/* The last one added is the oldest: its lookup key stays. */
static void key_add(struct seal *seal, const unsigned char id[ID_LEN],
		    const unsigned char secret[SECRET_LEN])
{
	struct seal_key *key = &seal->keys[seal->count++];

	memcpy(key->id, id, ID_LEN);
	crypto_kdf_derive_from_key(key->key, sizeof key->key, SUBKEY_SEAL, kdf_context, secret);
	crypto_kdf_derive_from_key(seal->lookup, sizeof seal->lookup, SUBKEY_LOOKUP, kdf_context,
				   secret);
}

int seal_keygen(const char *file, struct error *error_r)
{
	unsigned char id[ID_LEN], secret[SECRET_LEN];
	char id_hex[2 * ID_LEN + 1], secret_hex[2 * SECRET_LEN + 1], line[128];
	int result = 0;

	if (sodium_init() < 0)
		return error_set(error_r, "key file %s: no source of randomness", file);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(error_r, "key file %s: %s", file, strerror(errno));
	randombytes_buf(id, sizeof id);
	randombytes_buf(secret, sizeof secret);
	sodium_bin2hex(id_hex, sizeof id_hex, id, sizeof id);
	sodium_bin2hex(secret_hex, sizeof secret_hex, secret, sizeof secret);
	int len = snprintf(line, sizeof line, LINE_START " %s %s\n", id_hex, secret_hex);
	if (fchmod(fd, 0600) < 0 || write(fd, line, (size_t)len) != len || fsync(fd) < 0)
		result = error_set(error_r, "key file %s: %s", file, strerror(errno));
	if (close(fd) < 0 && result == 0)
		result = error_set(error_r, "key file %s: %s", file, strerror(errno));
	if (result < 0)
		unlink(file);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(secret_hex, sizeof secret_hex);
	sodium_memzero(line, sizeof line);
	return result;
}

/* systemd hands credentials over in a folder that only the service can enter; the files there
 * belong to root and may be group-readable by an ACL. */
static bool is_credential(const char *file)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t len = folder ? strlen(folder) : 0;

	return len > 0 && strncmp(file, folder, len) == 0 && file[len] == '/' &&
	       !strstr(file + len, "/../");
}

static int file_check(const char *file, int fd, struct error *error_r)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(error_r, "key file %s: %s", file, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(error_r, "key file %s: not a regular file", file);
	if (is_credential(file))
		return 0;
	if (st.st_uid != geteuid())
		return error_set(error_r, "key file %s: belongs to another user", file);
	if (st.st_mode & 0177)
		return error_set(error_r, "key file %s: mode is %04o, must be 0600 or stricter",
				 file, (unsigned)(st.st_mode & 07777));
	return 0;
}

/* True and len bytes in *out if `hex` is exactly that. */
static bool hex_read(const char *hex, size_t hex_len, unsigned char *out, size_t len)
{
	size_t got;
	const char *end;

	return hex_len == 2 * len &&
	       sodium_hex2bin(out, len, hex, hex_len, NULL, &got, &end) == 0 && got == len &&
	       end == hex + hex_len;
}

static int line_read(struct seal *seal, const char *line, size_t len, const char **reason_r)
{
	const size_t start = strlen(LINE_START " "), id_end = start + (size_t)2 * ID_LEN;
	unsigned char id[ID_LEN], secret[SECRET_LEN];

	*reason_r = "not \"" LINE_START " <8 hex digits> <64 hex digits>\"";
	if (len <= id_end + 1 || memcmp(line, LINE_START " ", start) != 0 || line[id_end] != ' ' ||
	    !hex_read(line + start, (size_t)2 * ID_LEN, id, sizeof id) ||
	    !hex_read(line + id_end + 1, len - id_end - 1, secret, sizeof secret))
		return -1;
	*reason_r = "more keys than 16";
	if (seal->count == KEYS_MAX)
		return -1;
	*reason_r = "the same key identifier twice";
	for (size_t i = 0; i < seal->count; i++)
		if (memcmp(seal->keys[i].id, id, ID_LEN) == 0)
			return -1;
	key_add(seal, id, secret);
	sodium_memzero(secret, sizeof secret);
	return 0;
}

static int lines_read(struct seal *seal, const char *file, const char *text, struct error *error_r)
{
	const char *reason = NULL;
	int number = 1;

	for (const char *line = text; *line; number++) {
		size_t len = strcspn(line, "\r\n");
		if (len > 0 && line[0] != '#' && line_read(seal, line, len, &reason) < 0)
			return error_set(error_r, "key file %s: line %d: %s", file, number, reason);
		line += len;
		line += *line == '\r';
		line += *line == '\n';
	}
	if (seal->count == 0)
		return error_set(error_r, "key file %s: holds no key", file);
	return 0;
}

static int text_read(const char *file, char text[FILE_MAX], struct error *error_r)
{
	size_t len = 0;
	ssize_t got = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return error_set(error_r, "key file %s: %s", file, strerror(errno));
	int result = file_check(file, fd, error_r);
	while (result == 0 && len < FILE_MAX && (got = read(fd, text + len, FILE_MAX - len)) > 0)
		len += (size_t)got;
	if (result == 0 && got < 0)
		result = error_set(error_r, "key file %s: %s", file, strerror(errno));
	else if (result == 0 && len == FILE_MAX)
		result = error_set(error_r, "key file %s: too long", file);
	else if (result == 0 && memchr(text, '\0', len))
		result = error_set(error_r, "key file %s: not text", file);
	else if (result == 0)
		text[len] = '\0';
	close(fd);
	return result;
}

struct seal *seal_open_file(const char *file, struct error *error_r)
{
	char text[FILE_MAX];
	struct seal *seal = seal_new();

	if (text_read(file, text, error_r) < 0 || lines_read(seal, file, text, error_r) < 0)
		seal_free(&seal);
	sodium_memzero(text, sizeof text);
	return seal;
}

struct seal *seal_from_bytes(const unsigned char secret[32])
{
	struct seal *seal = seal_new();
	unsigned char id[crypto_kdf_BYTES_MIN];

	crypto_kdf_derive_from_key(id, sizeof id, SUBKEY_ID, kdf_context, secret);
	key_add(seal, id, secret);
	return seal;
}

void seal_free(struct seal **seal)
{
	sodium_free(*seal);
	*seal = NULL;
}

/* Format, key identifier and place: what the tag vouches for beside the text. */
static size_t associated(unsigned char out[HEAD_LEN + PLACE_MAX], const unsigned char id[ID_LEN],
			 const char *place)
{
	size_t len = strlen(place);

	out[0] = FORMAT;
	memcpy(out + 1, id, ID_LEN);
	/* A place too long to be bound whole is bound by its hash. */
	if (len <= PLACE_MAX) {
		memcpy(out + HEAD_LEN, place, len);
		return HEAD_LEN + len;
	}
	crypto_generichash(out + HEAD_LEN, crypto_generichash_BYTES, (const unsigned char *)place,
			   len, NULL, 0);
	return HEAD_LEN + crypto_generichash_BYTES;
}

void seal_shut(const struct seal *seal, const char *place, const void *data, size_t len,
	       struct buf *out)
{
	const struct seal_key *key = &seal->keys[0];
	unsigned char ad[HEAD_LEN + PLACE_MAX], small[1024];
	size_t ad_len = associated(ad, key->id, place);
	size_t sealed_len = HEAD_LEN + NONCE_LEN + len + TAG_LEN;
	unsigned char *sealed = sealed_len <= sizeof small ? small : xalloc(sealed_len);
	unsigned char *nonce = sealed + HEAD_LEN;

	memcpy(sealed, ad, HEAD_LEN);
	randombytes_buf(nonce, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_LEN, NULL, data, len, ad, ad_len,
						   NULL, nonce, key->key);
	buf_add(out, sealed, sealed_len);
	if (sealed != small)
		free(sealed);
}

static const struct seal_key *key_find(const struct seal *seal, const unsigned char *id)
{
	for (size_t i = 0; i < seal->count; i++)
		if (memcmp(seal->keys[i].id, id, ID_LEN) == 0)
			return &seal->keys[i];
	return NULL;
}

char *seal_open(const struct seal *seal, const char *place, const void *sealed, size_t len,
		struct arena *arena, size_t *len_r, struct error *error_r)
{
	const unsigned char *bytes = sealed;
	unsigned char ad[HEAD_LEN + PLACE_MAX];

	*len_r = 0;
	if (len < HEAD_LEN + NONCE_LEN + TAG_LEN) {
		error_set(error_r, "sealed value: too short");
		return NULL;
	}
	if (bytes[0] != FORMAT) {
		error_set(error_r, "sealed value: unknown format %u", bytes[0]);
		return NULL;
	}
	const struct seal_key *key = key_find(seal, bytes + 1);
	if (!key) {
		error_set(error_r,
			  "sealed value: made with key %02x%02x%02x%02x, which the key file lacks",
			  bytes[1], bytes[2], bytes[3], bytes[4]);
		return NULL;
	}
	size_t ad_len = associated(ad, key->id, place);
	size_t plain_len = len - HEAD_LEN - NONCE_LEN - TAG_LEN;
	unsigned char *plain = arena_alloc(arena, plain_len + 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    plain, NULL, NULL, bytes + HEAD_LEN + NONCE_LEN, plain_len + TAG_LEN, ad,
		    ad_len, bytes + HEAD_LEN, key->key) != 0) {
		error_set(error_r, "sealed value: damaged, moved, or sealed with another key");
		return NULL;
	}
	plain[plain_len] = '\0';
	*len_r = plain_len;
	return (char *)plain;
}

void seal_hash(const struct seal *seal, const char *space, const char *input,
	       char out[SEAL_HASH_LEN + 1])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648, lower case */
	crypto_generichash_state state;
	unsigned char hash[HASH_BYTES];
	unsigned bits = 0, value = 0;
	char *next = out;

	crypto_generichash_init(&state, seal->lookup, sizeof seal->lookup, sizeof hash);
	/* With its NUL, so that space "a" and input "bc" is another thing than "ab" and "c". */
	crypto_generichash_update(&state, (const unsigned char *)space, strlen(space) + 1);
	crypto_generichash_update(&state, (const unsigned char *)input, strlen(input));
	crypto_generichash_final(&state, hash, sizeof hash);
	for (size_t i = 0; i < sizeof hash; i++) {
		value = value << 8 | hash[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*next++ = digits[value >> (bits - 5) & 31];
	}
	*next++ = digits[value << (5 - bits) & 31];
	*next = '\0';
}
