/* adapters/sms/sending.h - what every SMS provider's adapter does in the same way.
 *
 * A text longer than the provider takes goes out as several requests, one after
 * the other, and is settled once: SENT when all were accepted. After the first
 * was accepted a refusal that passes is waited for here, because to repeat the
 * whole send would text somebody twice; when that does not help the send is
 * UNCERTAIN. Where a provider has a history, an uncertain request is looked up in
 * it before anybody is told. A webhook is answered once its message is durable.
 *
 * Private to adapters/sms. Loop thread only; the sender is a member of the
 * adapter's own struct and is closed before that is freed.
 */
#ifndef ADAPTERS_SMS_SENDING_H
#define ADAPTERS_SMS_SENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/http.h"
#include "adapters/web.h"

struct arena;
struct loop_timer;
struct sms_send;

/* What differs from provider to provider. */
struct sms_way {
	/* Starts the request for the piece under way with sms_send_start(). */
	void (*ask)(struct sms_send *send);
	/* What its answer means. Strings may stand in the arena, which is cleared at the next
	 * answer. */
	struct outcome (*judge)(struct sms_send *send, const struct http_answer *answer,
				struct arena *arena);
	/* Optional: asks the provider's history for the piece, with sms_send_start() as well… */
	void (*look)(struct sms_send *send);
	/* …and reads it: SENT, RETRY if it cannot have gone out, UNCERTAIN to look again later.
	 * `last`: it will not be asked again. */
	struct outcome (*found)(struct sms_send *send, const struct http_answer *answer, bool last,
				struct arena *arena);
};

struct sms_sender {
	struct channel *channel;
	const struct sms_way *way;
	size_t parts_max; /* in one request */
	int64_t look_ms; /* before the first look at the history; four times as long before the next
			  */
	struct arena *arena;
	struct sms_send *sends;
	size_t hooks; /* webhooks whose message is not durable yet */
	enum channel_health health;
	bool closing, closed;
};

/* One message_out under way. */
struct sms_send {
	struct sms_send *next, *prev;
	struct sms_sender *sender;
	struct http_request *request;
	struct loop_timer *timer;
	enum { SMS_ASKING, SMS_PAUSING, SMS_LOOKING_SOON, SMS_LOOKING, SMS_REFUSED } phase;
	struct outcome refused;
	char *message_id;      /* the provider's, of the first piece */
	int64_t asked_at;      /* wall clock, ms: when the request under way left */
	unsigned tries, looks; /* of the piece under way */
	unsigned piece;        /* from 1; 0: nothing was asked yet */
	const char *id, *to;
	char *text; /* from the piece under way to the end */
	size_t len; /* bytes of the piece under way */
	char room[];
};

void sms_sender_open(struct sms_sender *sender, struct channel *channel, const struct sms_way *way,
		     size_t parts_max, int64_t look_ms);
/* Cancels requests, settles what waits, and calls host->closed() when nothing is left. */
void sms_sender_close(struct sms_sender *sender);
/* adapter->send(). */
void sms_sender_send(struct sms_sender *sender, const struct message_out *message);

/* For ask() and look(). */
void sms_send_start(struct sms_send *send, const struct http_call *call);
/* True when the piece under way is the only one or the last. */
bool sms_send_last(const struct sms_send *send);

/* Hands the message up; when it is durable `received` answers the request, otherwise 503. */
void sms_hook_accept(struct sms_sender *sender, struct web_request *request,
		     const struct message_in *message,
		     void (*received)(struct web_request *request));
/* False, and the request is refused, when the channel takes nothing in. */
bool sms_hook_open(struct sms_sender *sender, struct web_request *request);
/* Compares in constant time; NULL is never the same. */
bool sms_same_secret(const char *given, const char *secret);

#endif
