/* adapters/chat/scram.c - proves to a server that we know a password, and makes it prove the same.
 */
#include "adapters/chat/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

enum { DIGEST_MAX = 32, SALT_MAX = 256, MESSAGE_MAX = 4096, GS2_LEN = 3 };

struct scram {
	enum scram_hash hash;
	char *password;
	char *nonce;
	struct buf first;        /* with the GS2 header "n,," */
	struct buf server_first; /* as it came: it is signed */
	struct buf final;
	const char *joined_nonce; /* inside server_first, not terminated */
	size_t joined_nonce_len;
	unsigned char salt[SALT_MAX];
	int salt_len, iterations;
	unsigned char salted[DIGEST_MAX], server_signature[DIGEST_MAX];
	bool derived, responded;
};

static const EVP_MD *digest(const struct scram *scram)
{
	return scram->hash == SCRAM_SHA_256 ? EVP_sha256() : EVP_sha1();
}

static size_t digest_size(const struct scram *scram)
{
	return scram->hash == SCRAM_SHA_256 ? 32 : 20;
}

char *base64_encode(const void *data, size_t len)
{
	char *out = xalloc(4 * ((len + 2) / 3) + 1);

	EVP_EncodeBlock((unsigned char *)out, data, (int)len);
	return out;
}

int base64_decode(const char *text, unsigned char *out, size_t out_max)
{
	size_t len = strlen(text), pad = 0;
	int n;

	/* OpenSSL skips white space and takes "=" anywhere at the end; RFC 4648 does not. */
	if (len % 4 || len / 4 * 3 > out_max ||
	    text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcde"
			      "fghijklmnopqrstuvwxyz0123456789"
			      "+/=")])
		return -1;
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (strcspn(text, "=") != len - pad)
		return -1;
	if (!len)
		return 0;
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	return n < 0 ? -1 : n - (int)pad;
}

/* saslname: "," and "=" are written =2C and =3D. */
static void add_name(struct buf *out, const char *name)
{
	for (; *name; name++) {
		if (*name == ',')
			buf_str(out, "=2C");
		else if (*name == '=')
			buf_str(out, "=3D");
		else
			buf_char(out, *name);
	}
}

struct scram *scram_new(enum scram_hash hash, const char *user, const char *password,
			const char *nonce)
{
	struct scram *scram = xalloc(sizeof *scram);

	scram->hash = hash;
	scram->password = xstrdup(password);
	scram->nonce = xstrdup(nonce);
	buf_init(&scram->first, MESSAGE_MAX);
	buf_init(&scram->server_first, MESSAGE_MAX);
	buf_init(&scram->final, 2 * MESSAGE_MAX);
	buf_str(&scram->first, "n,,n=");
	add_name(&scram->first, user);
	buf_printf(&scram->first, ",r=%s", nonce);
	return scram;
}

void scram_free(struct scram **scram_r)
{
	struct scram *scram = *scram_r;

	*scram_r = NULL;
	if (!scram)
		return;
	OPENSSL_cleanse(scram->password, strlen(scram->password));
	free(scram->password);
	free(scram->nonce);
	buf_free(&scram->first);
	buf_free(&scram->server_first);
	buf_free(&scram->final);
	OPENSSL_cleanse(scram, sizeof *scram);
	free(scram);
}

const char *scram_first(const struct scram *scram)
{
	return scram->first.data;
}

/* The value of "x=…" at *at, which moves behind its comma; false if another attribute stands there.
 */
static bool take(const char **at, char name, const char **value_r, size_t *len_r)
{
	if ((*at)[0] != name || (*at)[1] != '=')
		return false;
	*value_r = *at + 2;
	*len_r = strcspn(*value_r, ",");
	*at = *value_r + *len_r;
	if (**at == ',')
		++*at;
	return true;
}

static int take_iterations(const char *digits, size_t len)
{
	int n = 0;

	if (!len || len > 7)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		n = n * 10 + (digits[i] - '0');
	}
	return n;
}

int scram_challenge(struct scram *scram, const char *server_first, struct error *error_r)
{
	const char *at, *salt, *iterations;
	size_t salt_len, iterations_len, own = strlen(scram->nonce);
	char salt_text[SALT_MAX * 4 / 3 + 4];

	buf_clear(&scram->server_first);
	buf_str(&scram->server_first, server_first);
	if (scram->server_first.full)
		return error_set(error_r, "scram: the server's challenge is too long");
	at = scram->server_first.data;
	/* A leading "m=" names an extension that we must know (section 5.1): it fails here too. */
	if (!take(&at, 'r', &scram->joined_nonce, &scram->joined_nonce_len) ||
	    !take(&at, 's', &salt, &salt_len) || !take(&at, 'i', &iterations, &iterations_len))
		return error_set(error_r, "scram: the server's challenge is malformed");
	if (scram->joined_nonce_len <= own || strncmp(scram->joined_nonce, scram->nonce, own) != 0)
		return error_set(error_r, "scram: the server's nonce does not begin with ours");
	if (salt_len >= sizeof salt_text)
		return error_set(error_r, "scram: the server's salt is too long");
	memcpy(salt_text, salt, salt_len);
	salt_text[salt_len] = '\0';
	scram->salt_len = base64_decode(salt_text, scram->salt, sizeof scram->salt);
	if (scram->salt_len < 1)
		return error_set(error_r, "scram: the server's salt is not base64");
	scram->iterations = take_iterations(iterations, iterations_len);
	if (scram->iterations < SCRAM_ITERATIONS_MIN || scram->iterations > SCRAM_ITERATIONS_MAX)
		return error_set(error_r,
				 "scram: the server asks for %d iterations; %d to %d are taken",
				 scram->iterations, SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX);
	return 0;
}

void scram_derive(struct scram *scram)
{
	scram->derived =
		PKCS5_PBKDF2_HMAC(scram->password, (int)strlen(scram->password), scram->salt,
				  scram->salt_len, scram->iterations, digest(scram),
				  (int)digest_size(scram), scram->salted) == 1;
}

static bool mac(const struct scram *scram, const unsigned char *key, const char *data, size_t len,
		unsigned char *out)
{
	return HMAC(digest(scram), key, (int)digest_size(scram), (const unsigned char *)data, len,
		    out, NULL) != NULL;
}

const char *scram_response(struct scram *scram)
{
	unsigned char client_key[DIGEST_MAX], stored[DIGEST_MAX], server_key[DIGEST_MAX];
	unsigned char proof[DIGEST_MAX];
	size_t size = digest_size(scram);
	struct buf *final = &scram->final;
	struct buf auth;
	char *encoded;
	bool ok;

	/* "biws" is base64 of the GS2 header "n,,": no channel binding. */
	buf_clear(final);
	buf_str(final, "c=biws,r=");
	buf_add(final, scram->joined_nonce, scram->joined_nonce_len);
	buf_init(&auth, 0);
	buf_str(&auth, scram->first.data + GS2_LEN);
	buf_char(&auth, ',');
	buf_add(&auth, scram->server_first.data, scram->server_first.len);
	buf_char(&auth, ',');
	buf_add(&auth, final->data, final->len);
	ok = scram->derived && mac(scram, scram->salted, "Client Key", 10, client_key) &&
	     EVP_Digest(client_key, size, stored, NULL, digest(scram), NULL) == 1 &&
	     mac(scram, stored, auth.data, auth.len, proof) &&
	     mac(scram, scram->salted, "Server Key", 10, server_key) &&
	     mac(scram, server_key, auth.data, auth.len, scram->server_signature);
	buf_free(&auth);
	if (!ok)
		return NULL;
	for (size_t i = 0; i < size; i++)
		proof[i] ^= client_key[i];
	OPENSSL_cleanse(client_key, sizeof client_key);
	encoded = base64_encode(proof, size);
	buf_printf(final, ",p=%s", encoded);
	free(encoded);
	scram->responded = true;
	return final->data;
}

int scram_success(const struct scram *scram, const char *server_final, struct error *error_r)
{
	unsigned char signature[DIGEST_MAX + 4];
	char text[64] = "";
	const char *at = server_final, *value;
	size_t len;

	if (!scram->responded || !take(&at, 'v', &value, &len) || len >= sizeof text)
		return error_set(error_r,
				 "scram: the server did not prove that it knows the password");
	memcpy(text, value, len);
	if (base64_decode(text, signature, sizeof signature) != (int)digest_size(scram) ||
	    CRYPTO_memcmp(signature, scram->server_signature, digest_size(scram)) != 0)
		return error_set(error_r,
				 "scram: the server's proof is wrong; it may not be our server");
	return 0;
}
