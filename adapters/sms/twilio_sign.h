/* adapters/sms/twilio_sign.h - whether a webhook was signed by our Twilio account.
 *
 * X-Twilio-Signature is base64(HMAC-SHA1(auth token, URL + every POST parameter's name and value,
 * sorted by name)); of a JSON body the query's bodySHA256 is compared instead (twilio.com/docs/
 * usage/security; npm twilio 6.2.0 lib/webhooks/webhooks.js is the judge in the tests).
 */
#ifndef ADAPTERS_SMS_TWILIO_SIGN_H
#define ADAPTERS_SMS_TWILIO_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "adapters/web.h"

struct arena;

/* The signature of a URL and form fields (none: a JSON body), in the arena. */
char *twilio_signature(struct arena *arena, const char *auth_token, const char *url,
		       const struct web_field *fields, size_t count);
/* Compares in constant time, with the URL as it is and with its standard port put in or taken out,
 * because Twilio does not agree with itself on that. */
bool twilio_signed(struct arena *arena, const char *auth_token, const char *url,
		   const struct web_field *fields, size_t count, const char *signature);
/* Whether `sha256` is the hexadecimal SHA-256 of the body. */
bool twilio_body_signed(const char *sha256, const void *body, size_t len);

#endif
