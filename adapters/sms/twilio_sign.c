/* adapters/sms/twilio_sign.c - computes what Twilio signs its webhooks with. */
#include "adapters/sms/twilio_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/sms/sending.h"
#include "base/arena.h"
#include "base/buf.h"

static int by_name_and_value(const void *left, const void *right)
{
	const struct web_field *a = left, *b = right;
	int order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->value, b->value);
}

char *twilio_signature(struct arena *arena, const char *auth_token, const char *url,
		       const struct web_field *fields, size_t count)
{
	struct web_field *sorted = arena_alloc(arena, (count + 1) * sizeof *sorted);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	struct buf buf;

	if (count)
		memcpy(sorted, fields, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, by_name_and_value);
	buf_init(&buf, 0);
	buf_str(&buf, url);
	for (size_t i = 0; i < count; i++) {
		/* A parameter given twice with one value counts once. */
		if (i && !by_name_and_value(&sorted[i - 1], &sorted[i]))
			continue;
		buf_str(&buf, sorted[i].name);
		buf_str(&buf, sorted[i].value);
	}
	HMAC(EVP_sha1(), auth_token, (int)strlen(auth_token), (unsigned char *)buf.data, buf.len,
	     mac, &mac_len);
	buf_free(&buf);
	char *base64 = arena_alloc(arena, 4 * ((mac_len + 2) / 3) + 1);
	EVP_EncodeBlock((unsigned char *)base64, mac, (int)mac_len);
	return base64;
}

/* The URL with the scheme's port put in, or with its port taken out; NULL if it is no URL. */
static char *other_port(struct arena *arena, const char *url)
{
	const char *host = strstr(url, "://");
	if (!host)
		return NULL;
	host += 3;
	const char *end = host + strcspn(host, "/?#");
	const char *colon = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : host;
	colon = colon ? memchr(colon, ':', (size_t)(end - colon)) : NULL;
	if (colon)
		return arena_printf(arena, "%.*s%s", (int)(colon - url), url, end);
	return arena_printf(arena, "%.*s%s%s", (int)(end - url), url,
			    strncmp(url, "https:", 6) ? ":80" : ":443", end);
}

bool twilio_signed(struct arena *arena, const char *auth_token, const char *url,
		   const struct web_field *fields, size_t count, const char *signature)
{
	if (!signature)
		return false;
	if (sms_same_secret(signature, twilio_signature(arena, auth_token, url, fields, count)))
		return true;
	url = other_port(arena, url);
	return url &&
	       sms_same_secret(signature, twilio_signature(arena, auth_token, url, fields, count));
}

bool twilio_body_signed(const char *sha256, const void *body, size_t len)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];

	SHA256(body, len, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return sha256 && !strcasecmp(sha256, hex);
}
