/* adapters/message.h - what comes in and goes out, whatever the platform.
 *
 * Plain data: the core reads it too. All strings are UTF-8 and borrowed; NULL
 * means "none". Ids are opaque strings (a platform's number is its decimal text).
 */
#ifndef ADAPTERS_MESSAGE_H
#define ADAPTERS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum capability {
	CAN_DIRECT   = 1 << 0, /* one person can be written to */
	CAN_GROUP    = 1 << 1,
	CAN_EDIT     = 1 << 2, /* own messages can be replaced in place */
	CAN_BUTTON   = 1 << 3,
	CAN_REACT    = 1 << 4, /* reactions of people are seen */
	CAN_QUOTE    = 1 << 5, /* replies name the message they answer */
	CAN_RECEIPT  = 1 << 6, /* delivery is reported */
	CAN_ONCE     = 1 << 7, /* sends carry an idempotency key: an uncertain one may be repeated */
	IS_SMS       = 1 << 8, /* parts cost money; addresses are E.164 */
};

enum message_kind {
	MESSAGE_TEXT,
	MESSAGE_BUTTON,   /* `button` is its data, `about` the message it hung on */
	MESSAGE_REACTION, /* `text` is the emoji, `about` the message; only added ones */
	MESSAGE_RECEIPT,  /* `about` is OUR send id, `receipt` what became of it */
};

enum receipt { RECEIPT_DELIVERED, RECEIPT_FAILED, RECEIPT_BLOCKED /* the person opted out there */ };

struct message_in {
	enum message_kind kind;
	const char *id;      /* the platform's; unique on the channel; what duplicates are known by */
	const char *sender;  /* address of the person; E.164 with + for SMS */
	const char *direct;  /* where a private answer goes, if not `sender` */
	const char *group;   /* chat id; NULL: direct */
	const char *name;    /* how the platform shows the sender in this group; never stored outside it */
	const char *text;    /* at most 16 KiB, valid UTF-8; longer ones are cut by the house */
	const char *about;   /* message quoted, reacted to, or carrying the button */
	const char *button;
	const char *language; /* BCP 47 as the platform tells it */
	enum receipt receipt;
	int64_t sent_at;     /* ms; 0: unknown */
	const char *media;   /* reference to a photo; NULL */
	double latitude, longitude; /* both 0: none */
};

struct message_button {
	const char *label;
	const char *data; /* at most 64 bytes */
};

enum { MESSAGE_BUTTONS_MAX = 8 };

struct message_out {
	const char *id;       /* ours; the same at every try; [0-9A-Za-z-], at most 48 bytes */
	const char *to;       /* address of a person, or chat id if `group` */
	bool group;
	const char *text;
	const char *about;    /* message to quote */
	const char *edit;     /* own earlier message to replace; the first id on repeated edits */
	struct message_button buttons[MESSAGE_BUTTONS_MAX];
	size_t button_count;  /* on an edit: 0 removes them */
};

enum outcome_kind {
	OUTCOME_SENT,      /* `message_id` is the platform's */
	OUTCOME_REFUSED,   /* final; repeating would not help */
	OUTCOME_RETRY,     /* not sent for sure; `retry_ms` if the platform said how long */
	OUTCOME_UNCERTAIN, /* it left, no answer came */
};

enum refusal {
	REFUSAL_OTHER,
	REFUSAL_BLOCKED,    /* the person opted out or blocked us: never write again */
	REFUSAL_UNREACHABLE,/* no such address, or we may not begin a talk there */
	REFUSAL_TEXT,       /* too long or not allowed */
	REFUSAL_CHANNEL,    /* credentials or account: the operator must act */
};

struct outcome {
	enum outcome_kind kind;
	enum refusal refusal;
	const char *message_id;
	int64_t retry_ms;
	const char *reason; /* English, for operators; no text or address */
};

#endif
