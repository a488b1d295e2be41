/* bot/run/courier.h - one channel's outgoing messages: order, pace, retries, outcomes.
 *
 * Messages to one recipient go one after the other, in order, conversation
 * before bulk; different recipients go side by side, up to the channel's limit
 * and rate. A message is handed to the platform only when the store says that
 * it may be gone (in flight), so that after a crash the successor knows which
 * ones may have gone out. Retries back off with jitter, never sooner than the
 * platform asked; a channel that keeps failing is rested and tried by one.
 * An uncertain outcome is repeated only where the platform knows repeats
 * (CAN_ONCE); else it is final and reported.
 */
#ifndef BOT_RUN_COURIER_H
#define BOT_RUN_COURIER_H

#include "bot/run/runner.h"

struct courier;
struct parcel;

struct courier_options {
	const struct runner_channel *channel;
	const struct runner_host *host;
	const char *community;
	int shard;
	/* Something may go: call courier_wake() now. */
	void (*stir)(void *arg, struct courier *courier);
	void *stir_arg;
};

/* "person/<key>" of an address: phone numbers are one space, each chat platform is another. */
enum { ADDRESS_KEY_SIZE = 27 };
void address_key(const struct runner_host *host, const struct runner_channel *channel,
		 const char *address, char out[ADDRESS_KEY_SIZE]);

struct courier *courier_new(const struct courier_options *options);
void courier_free(struct courier **courier);
/* The store, once the shard is owned: reads the outbox; entries not known here are taken in.
 * `takeover`: those in flight were handed over by a predecessor and may have gone out. */
void courier_open(struct courier *courier, struct store *store, bool takeover);
/* Reads the outbox once more in a moment: something unknown may stand in it. */
void courier_reread(struct courier *courier);
/* The shard is not ours any more: forget all. */
void courier_close(struct courier *courier);

/* A send that is about to be committed. Returns a parcel if it may be handed over at once: the
 * commit then records it as in flight, and courier_go() or courier_cancel() follows. NULL: it
 * has to wait, give it to courier_add() after the commit. */
struct parcel *courier_reserve(struct courier *courier, const struct send *send);
void courier_go(struct courier *courier, struct parcel *parcel, const struct send *send);
void courier_cancel(struct courier *courier, struct parcel *parcel);
void courier_add(struct courier *courier, const struct send *send);

void courier_settled(struct courier *courier, const char *send_id, const struct outcome *outcome);
/* Sends what may go now; returns when to be called again (ms), 0: no need. */
int64_t courier_wake(struct courier *courier);
/* The store came back: goes on with what it could not record. */
void courier_resume(struct courier *courier);
void courier_drain(struct courier *courier);
/* Handed over and not settled in the store yet. */
size_t courier_busy(const struct courier *courier);

void courier_figures(const struct courier *courier, struct runner_channel_figures *figures,
		     struct histogram *send);

#endif
