/* adapters/sms/twilio.h - what the two halves of the Twilio adapter share.
 *
 * Private to adapters/sms: twilio.c sends, twilio_hooks.c is called.
 */
#ifndef ADAPTERS_SMS_TWILIO_H
#define ADAPTERS_SMS_TWILIO_H

#include "adapters/sms/sending.h"

enum { TWILIO_SID_SIZE = 40, TWILIO_RECENT_MAX = 64 };

struct twilio {
	const char *account_sid, *auth_token, *api_key, *api_secret, *from, *service, *base_url;
	const char *webhook_url, *country_code;
	int64_t look_after;

	struct sms_sender sender;
	struct arena *arena;
	const char *messages_url;
	const char *hook_url; /* what stands before /sms and /status for Twilio; NULL: nothing */
	char recent[TWILIO_RECENT_MAX][TWILIO_SID_SIZE]; /* ids already told of, a ring */
	size_t recent_at;
};

extern const struct web_route twilio_routes[];

#endif
