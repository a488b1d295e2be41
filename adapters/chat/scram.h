/* adapters/chat/scram.h - SCRAM-SHA-1 and SCRAM-SHA-256, the client's side (RFC 5802, RFC 7677).
 *
 * Pure: strings in, strings out, no base64 around them. Order of calls:
 * scram_new(), scram_challenge(), scram_derive(), scram_response(), scram_success().
 * scram_derive() takes milliseconds and touches nothing but the struct: it may
 * run on the thread pool while nobody else uses the struct.
 * Names and passwords are taken as they stand (no SASLprep): plain ASCII and
 * NFC text are the same under it.
 */
#ifndef ADAPTERS_CHAT_SCRAM_H
#define ADAPTERS_CHAT_SCRAM_H

#include <stddef.h>

#include "base/error.h"

enum scram_hash { SCRAM_SHA_1, SCRAM_SHA_256 };
/* RFC 7677 section 4 asks for at least 4096; the upper bound keeps a server from wasting our time. */
enum { SCRAM_ITERATIONS_MIN = 4096, SCRAM_ITERATIONS_MAX = 1000000 };

struct scram;

/* `nonce` is printable ASCII without a comma; at least 128 random bits. */
struct scram *scram_new(enum scram_hash hash, const char *user, const char *password,
			const char *nonce);
/* Wipes the password and the keys. */
void scram_free(struct scram **scram);
/* "n,,n=user,r=nonce". */
const char *scram_first(const struct scram *scram);
/* Reads "r=…,s=…,i=…". */
int scram_challenge(struct scram *scram, const char *server_first,
		    struct error *error_r) MUST_CHECK;
void scram_derive(struct scram *scram);
/* "c=biws,r=…,p=…", or NULL if the library failed. */
const char *scram_response(struct scram *scram);
/* 0 when the server proved ("v=…") that it knows the password too. */
int scram_success(const struct scram *scram, const char *server_final,
		  struct error *error_r) MUST_CHECK;

/* Base64 (RFC 4648) into the heap, and back; decoding answers the length or -1. */
char *base64_encode(const void *data, size_t len);
int base64_decode(const char *text, unsigned char *out, size_t out_max);

#endif
