/* adapters/sms/sms.h - numbers and parts of SMS, for every provider.
 *
 * Parts by 3GPP TS 23.038 (GSM 7-bit alphabet, extension characters cost two
 * septets) and TS 23.040 (concatenation header: 153 of 160 septets, 67 of 70
 * UCS-2 units are left). A part never ends inside an escape pair, a surrogate
 * pair or a grapheme cluster.
 */
#ifndef ADAPTERS_SMS_SMS_H
#define ADAPTERS_SMS_SMS_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

enum sms_coding { SMS_GSM7, SMS_UCS2 };

struct sms_size {
	enum sms_coding coding;
	size_t units; /* septets or UTF-16 units */
	size_t parts;
};

struct sms_size sms_measure(const char *text);
/* The text cut into pieces of at most `parts_max` parts each, at a sentence or
 * space where one is near; NULL-ended array in the arena. */
char **sms_split(struct arena *arena, const char *text, size_t parts_max);

/* E.164 from what a provider sends ("8613800001111", "+86 138…", "0086…", or a
 * national number with the channel's country code). Short codes and alphanumeric
 * senders come back unchanged. NULL if it cannot be an address. */
char *sms_number(struct arena *arena, const char *number, const char *country_code);

#endif
