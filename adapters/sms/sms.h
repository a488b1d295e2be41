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
/* Bytes of the first of these pieces: all of the text if it fits, 0 only for "". */
size_t sms_piece(const char *text, size_t parts_max);

/* E.164 from what a provider sends ("8613800001111", "+86 138…", "0086…", or a
 * national number with the channel's country code: digits, "+" or not, NULL if it
 * has none; then digits without "+" are taken to be international). Short codes (up
 * to 6 digits), service numbers (16 to 20 digits) and alphanumeric senders (up to 11
 * characters) come back unchanged but for the spaces. NULL if it cannot be an
 * address. An answer that begins with "+" is E.164 (7 to 15 digits). */
char *sms_number(struct arena *arena, const char *number, const char *country_code);

#endif
