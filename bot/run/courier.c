/* bot/run/courier.c - recipients wait in line, each with its own messages, for the channel. */
#include "bot/run/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/arena.h"
#include "bot/run/envelope.h"
#include "bot/run/histogram.h"
#include "bot/run/line.h"

enum {
	RETRY_FIRST_MS = 1000,
	RETRY_MOST_MS = 5 * 60 * 1000,
	REST_AFTER = 5, /* failures in a row after which a channel is tried by one at a time */
	KEEP_MS = 24 * 60 * 60 * 1000,
	IN_FLIGHT_STANDARD = 64,
};

enum parcel_state {
	PARCEL_WAITING,
	PARCEL_RESERVED, /* its commit is under way */
	PARCEL_MARKING,  /* the store is recording that it may be gone */
	PARCEL_GONE,     /* with the platform */
	PARCEL_SETTLING, /* the store is recording the outcome */
	PARCEL_UNSETTLED,/* … and was away when it should have */
	PARCEL_OVER,     /* remembered only while the outbox is read, which may still show it */
};

struct parcel {
	UT_hash_handle hh;          /* by id */
	struct parcel *prev, *next; /* in its recipient's queue, or among the unsettled */
	struct courier *courier;
	struct recipient *recipient;
	enum parcel_state state;
	enum lane lane;
	bool marked, maybe_twice, orphan;
	int attempts;
	int64_t not_after, made_at, handed_us;
	char entry[32];
	char *payload;
	size_t len;
	char *replaces;
	char *report; /* outcome event to write */
	size_t report_len;
	char id[];
};

struct recipient {
	UT_hash_handle hh;      /* by address */
	struct line_place place;
	struct parcel *queues[LANE_COUNT];
	struct parcel *busy;    /* the one under way */
	bool group;
	char to[];
};

struct courier {
	struct courier_options options;
	struct store *store;
	struct parcel *parcels;
	struct recipient *recipients;
	struct parcel *unsettled, *over;
	struct line line;
	size_t in_flight, waiting, settling;
	/* Times of pace_of(), like those in the line. */
	int64_t next_token; /* when the rate allows the next one */
	int64_t rest_until;
	int64_t settle_again; /* while there are unsettled ones */
	int64_t open_again;   /* the outbox could not be read; 0: it was */
	unsigned opening;     /* readings of the outbox under way */
	int failures;
	bool open, draining, takeover;
	struct arena *scratch;
	struct runner_channel_figures figures;
	struct histogram send_times;
};

static void finish(struct courier *courier, struct parcel *parcel, const struct outcome *outcome);

static int64_t now_of(const struct courier *courier)
{
	return courier->options.host->now(courier->options.host->arg);
}

static int64_t mono_of(const struct courier *courier)
{
	const struct runner_host *host = courier->options.host;

	return host->mono_us ? host->mono_us(host->arg) : 0;
}

/* Pauses and rates go by the clock that nobody sets: a wall clock set back must not stop a channel. */
static int64_t pace_of(const struct courier *courier)
{
	return courier->options.host->mono_us ? mono_of(courier) / 1000 : now_of(courier);
}

static uint64_t random_of(const struct courier *courier)
{
	return courier->options.host->seed(courier->options.host->arg);
}

struct courier *courier_new(const struct courier_options *options)
{
	struct courier *courier = xalloc(sizeof(*courier));

	courier->options = *options;
	courier->scratch = arena_new();
	return courier;
}

void address_key(const struct runner_host *host, const struct runner_channel *channel,
		 const char *address, char out[ADDRESS_KEY_SIZE])
{
	char space[64];

	snprintf(space, sizeof(space), "address %s", channel->can & IS_SMS ? "tel" : channel->adapter);
	host->hash(host->arg, space, address, out);
}

static void free_parcel(struct courier *courier, struct parcel *parcel)
{
	if (!parcel->orphan)
		HASH_DEL(courier->parcels, parcel);
	free(parcel->payload);
	free(parcel->replaces);
	free(parcel->report);
	free(parcel);
}

/* What the store has no more. A reading of the outbox that began before may still bring it: it must
 * be known then, or it would be sent again. */
static void retire(struct courier *courier, struct parcel *parcel)
{
	if (parcel->orphan || !courier->opening) {
		free_parcel(courier, parcel);
		return;
	}
	parcel->state = PARCEL_OVER;
	parcel->recipient = NULL;
	DL_APPEND(courier->over, parcel);
}

static void free_over(struct courier *courier)
{
	struct parcel *parcel, *next;

	DL_FOREACH_SAFE(courier->over, parcel, next) {
		DL_DELETE(courier->over, parcel);
		free_parcel(courier, parcel);
	}
}

static void forget_recipient(struct courier *courier, struct recipient *recipient)
{
	line_leave(&courier->line, &recipient->place);
	HASH_DEL(courier->recipients, recipient);
	free(recipient);
}

/* Parcels that a callback of the store still holds are freed by that callback. */
void courier_close(struct courier *courier)
{
	struct parcel *parcel, *next;
	struct recipient *recipient, *next_recipient;

	free_over(courier);
	HASH_ITER(hh, courier->parcels, parcel, next) {
		parcel->recipient = NULL;
		if (parcel->state == PARCEL_MARKING || parcel->state == PARCEL_SETTLING ||
		    parcel->state == PARCEL_RESERVED) {
			HASH_DEL(courier->parcels, parcel);
			parcel->orphan = true;
		} else {
			free_parcel(courier, parcel);
		}
	}
	HASH_ITER(hh, courier->recipients, recipient, next_recipient)
		forget_recipient(courier, recipient);
	courier->unsettled = NULL;
	courier->in_flight = courier->waiting = courier->settling = 0;
	courier->open_again = 0;
	courier->open = courier->takeover = false;
}

void courier_free(struct courier **courier)
{
	if (!*courier)
		return;
	courier_close(*courier);
	line_free(&(*courier)->line);
	arena_free(&(*courier)->scratch);
	free(*courier);
	*courier = NULL;
}

static struct recipient *recipient_of(struct courier *courier, const char *to, bool group)
{
	struct recipient *recipient;
	size_t len = strlen(to);

	HASH_FIND(hh, courier->recipients, to, len, recipient);
	if (!recipient) {
		recipient = xalloc(sizeof(*recipient) + len + 1);
		memcpy(recipient->to, to, len);
		recipient->group = group;
		recipient->place.owner = recipient;
		HASH_ADD(hh, courier->recipients, to, len, recipient);
	}
	return recipient;
}

static struct parcel *parcel_new(struct courier *courier, const struct send *send,
				 const struct outgoing *outgoing)
{
	size_t id_len = strlen(send->id);
	struct parcel *parcel = xalloc(sizeof(*parcel) + id_len + 1);

	memcpy(parcel->id, send->id, id_len);
	memcpy(parcel->entry, send->entry, sizeof(parcel->entry));
	parcel->courier = courier;
	parcel->lane = send->lane;
	parcel->payload = xmemdup(send->payload, send->len);
	parcel->len = send->len;
	parcel->made_at = outgoing->made_at;
	parcel->not_after = outgoing->not_after ? outgoing->not_after : outgoing->made_at + KEEP_MS;
	parcel->replaces = outgoing->replaces ? xstrdup(outgoing->replaces) : NULL;
	parcel->recipient = recipient_of(courier, outgoing->message.to, outgoing->message.group);
	HASH_ADD(hh, courier->parcels, id, id_len, parcel);
	return parcel;
}

static bool recipient_empty(const struct recipient *recipient)
{
	return !recipient->busy && !recipient->queues[LANE_CONVERSATION] &&
	       !recipient->queues[LANE_BULK];
}

/* Puts a recipient with something to send, and nothing under way, in line. */
static void line_up(struct courier *courier, struct recipient *recipient, int64_t not_before)
{
	bool bulk = !recipient->queues[LANE_CONVERSATION];

	if (recipient->busy || (bulk && !recipient->queues[LANE_BULK]))
		return;
	line_join(&courier->line, &recipient->place, bulk, not_before);
}

static bool limits_allow(const struct courier *courier, int64_t now)
{
	const struct runner_channel *channel = courier->options.channel;
	size_t most = channel->in_flight_max ? channel->in_flight_max : IN_FLIGHT_STANDARD;

	if (courier->failures >= REST_AFTER)
		most = 1;
	return courier->open && !courier->draining && courier->in_flight < most &&
	       now >= courier->rest_until && (!channel->rate || now >= courier->next_token);
}

/* Up to one second's worth may go in a burst, then one every 1/rate. */
static void take_token(struct courier *courier, int64_t now)
{
	int64_t rate = courier->options.channel->rate;
	int64_t floor;

	courier->in_flight++;
	if (!rate)
		return;
	floor = now - 1000 + 1000 / rate;
	if (courier->next_token < floor)
		courier->next_token = floor;
	courier->next_token += 1000 / rate;
}

static void hand_over(struct courier *courier, struct parcel *parcel,
		      const struct outgoing *outgoing)
{
	const struct runner_host *host = courier->options.host;

	parcel->state = PARCEL_GONE;
	parcel->attempts++;
	parcel->handed_us = mono_of(courier);
	if (parcel->maybe_twice && !(courier->options.channel->can & CAN_ONCE))
		courier->figures.maybe_twice++;
	parcel->maybe_twice = false;
	host->transmit(host->arg, courier->options.channel->name, &outgoing->message);
}

static int decode(struct courier *courier, const char *payload, size_t len,
		  struct outgoing *outgoing_r)
{
	arena_clear(courier->scratch);
	return outgoing_decode(payload, len, courier->scratch, outgoing_r);
}

static void decode_and_hand_over(struct courier *courier, struct parcel *parcel)
{
	struct outgoing outgoing;

	if (decode(courier, parcel->payload, parcel->len, &outgoing) == 0) {
		hand_over(courier, parcel, &outgoing);
		return;
	}
	finish(courier, parcel,
	       &(struct outcome){.kind = OUTCOME_REFUSED, .reason = "unreadable payload"});
}

struct parcel *courier_reserve(struct courier *courier, const struct send *send)
{
	struct outgoing outgoing;
	struct recipient *recipient;
	struct parcel *parcel;
	int64_t now = pace_of(courier);

	if (!limits_allow(courier, now) || line_waits(&courier->line, now) ||
	    decode(courier, send->payload, send->len, &outgoing))
		return NULL;
	HASH_FIND(hh, courier->recipients, outgoing.message.to, strlen(outgoing.message.to), recipient);
	if (recipient && (!recipient_empty(recipient) || recipient->place.not_before > now))
		return NULL;
	HASH_FIND(hh, courier->parcels, send->id, strlen(send->id), parcel);
	if (parcel) /* an earlier try of this commit was carried out; this one will find that */
		return NULL;
	parcel = parcel_new(courier, send, &outgoing);
	parcel->state = PARCEL_RESERVED;
	parcel->marked = true;
	parcel->recipient->busy = parcel;
	take_token(courier, now);
	return parcel;
}

void courier_go(struct courier *courier, struct parcel *parcel, const struct send *send)
{
	if (parcel->orphan) {
		free_parcel(courier, parcel);
		return;
	}
	memcpy(parcel->entry, send->entry, sizeof(parcel->entry));
	decode_and_hand_over(courier, parcel);
}

/* Drops a recipient that waits for nothing; one whose pause is not over is kept for its sake. */
static void release_recipient(struct courier *courier, struct recipient *recipient,
			      int64_t not_before)
{
	recipient->busy = NULL;
	if (!recipient_empty(recipient))
		line_up(courier, recipient, not_before);
	else if (not_before > pace_of(courier))
		line_join(&courier->line, &recipient->place, true, not_before);
	else
		forget_recipient(courier, recipient);
}

void courier_cancel(struct courier *courier, struct parcel *parcel)
{
	if (!parcel->orphan) {
		courier->in_flight--;
		release_recipient(courier, parcel->recipient, 0);
	}
	free_parcel(courier, parcel);
}

/* An edit that waits is needless once a newer one of the same card is there. */
static void drop_replaced(struct courier *courier, const struct parcel *newer)
{
	struct parcel *parcel, *next;

	if (!newer->replaces)
		return;
	DL_FOREACH_SAFE(newer->recipient->queues[newer->lane], parcel, next) {
		if (parcel != newer && parcel->replaces && parcel->attempts == 0 &&
		    !strcmp(parcel->replaces, newer->replaces)) {
			DL_DELETE(newer->recipient->queues[newer->lane], parcel);
			courier->waiting--;
			parcel->recipient = NULL;
			finish(courier, parcel, NULL);
		}
	}
}

static void add(struct courier *courier, const struct send *send, bool marked, bool maybe_twice)
{
	struct outgoing outgoing;
	struct parcel *parcel;

	if (decode(courier, send->payload, send->len, &outgoing))
		outgoing = (struct outgoing){.message.to = "", .made_at = now_of(courier)};
	parcel = parcel_new(courier, send, &outgoing);
	parcel->marked = marked;
	parcel->maybe_twice = maybe_twice;
	DL_APPEND(parcel->recipient->queues[parcel->lane], parcel);
	courier->waiting++;
	drop_replaced(courier, parcel);
	line_up(courier, parcel->recipient, 0);
}

void courier_add(struct courier *courier, const struct send *send)
{
	struct parcel *known;

	HASH_FIND(hh, courier->parcels, send->id, strlen(send->id), known);
	if (courier->open && !known) /* the outbox may have been read in between */
		add(courier, send, false, false);
}

static void marked(void *arg, enum store_result result)
{
	struct parcel *parcel = arg;
	struct courier *courier = parcel->courier;

	if (parcel->orphan) {
		free_parcel(courier, parcel);
		return;
	}
	if (result == STORE_OK) {
		parcel->marked = true;
		decode_and_hand_over(courier, parcel);
		return;
	}
	if (result == STORE_GONE) { /* settled by another instance */
		courier->in_flight--;
		release_recipient(courier, parcel->recipient, 0);
		retire(courier, parcel);
		courier->options.stir(courier->options.stir_arg, courier);
		return;
	}
	/* Not recorded, so not sent: it goes back to the head of its queue. The others would fare no
	 * better for now. */
	parcel->state = PARCEL_WAITING;
	courier->in_flight--;
	courier->waiting++;
	courier->rest_until = pace_of(courier) + RETRY_FIRST_MS;
	DL_PREPEND(parcel->recipient->queues[parcel->lane], parcel);
	release_recipient(courier, parcel->recipient, 0);
	courier->options.stir(courier->options.stir_arg, courier);
}

static void start_next(struct courier *courier, struct recipient *recipient, int64_t now)
{
	enum lane lane = recipient->queues[LANE_CONVERSATION] ? LANE_CONVERSATION : LANE_BULK;
	struct parcel *parcel = recipient->queues[lane];

	if (!parcel) {
		forget_recipient(courier, recipient); /* only its pause was waited for */
		return;
	}
	DL_DELETE(recipient->queues[lane], parcel);
	courier->waiting--;
	recipient->busy = parcel;
	take_token(courier, now);
	if (now_of(courier) > parcel->not_after) {
		courier->figures.expired++;
		finish(courier, parcel,
		       &(struct outcome){.kind = OUTCOME_REFUSED, .reason = "too old to send"});
	} else if (parcel->marked) {
		decode_and_hand_over(courier, parcel);
	} else {
		parcel->state = PARCEL_MARKING;
		courier->store->methods->handover(courier->store, courier->options.shard,
						  courier->options.channel->name, parcel->lane,
						  parcel->entry, marked, parcel);
	}
}

static void read_outbox(struct courier *courier);

static int64_t sooner(int64_t at, int64_t other)
{
	return at && (!other || at < other) ? at : other;
}

/* What the store did not take while it was there, is told to it again. */
static int64_t wake_store(struct courier *courier, int64_t now)
{
	if (courier->unsettled && courier->settle_again <= now)
		courier_resume(courier);
	if (courier->open && courier->open_again && courier->open_again <= now)
		read_outbox(courier);
	return sooner(courier->unsettled ? courier->settle_again : 0, courier->open_again);
}

static int64_t wake_line(struct courier *courier, int64_t now)
{
	int64_t next;

	while (limits_allow(courier, now)) {
		struct line_place *place = line_take(&courier->line, now);

		if (!place)
			break;
		start_next(courier, place->owner, now);
	}
	next = line_next(&courier->line, now);
	if (!next || !courier->open || courier->draining)
		return 0;
	if (courier->rest_until > next)
		next = courier->rest_until;
	if (courier->options.channel->rate && courier->next_token > next)
		next = courier->next_token;
	return next > now ? next : 0; /* what is due waits for a free place, not for time */
}

int64_t courier_wake(struct courier *courier)
{
	int64_t now = pace_of(courier);
	int64_t at = wake_store(courier, now);

	at = sooner(wake_line(courier, now), at);
	return at ? now_of(courier) + (at - now) : 0;
}

static void settle(struct courier *courier, struct parcel *parcel);

static void store_settled(void *arg, enum store_result result)
{
	struct parcel *parcel = arg;
	struct courier *courier = parcel->courier;

	if (!parcel->orphan) {
		courier->settling--;
		if (result == STORE_AWAY) {
			parcel->state = PARCEL_UNSETTLED;
			DL_APPEND(courier->unsettled, parcel);
			courier->settle_again = pace_of(courier) + RETRY_FIRST_MS;
			courier->options.stir(courier->options.stir_arg, courier);
			return;
		}
	}
	retire(courier, parcel);
}

static void settle(struct courier *courier, struct parcel *parcel)
{
	parcel->state = PARCEL_SETTLING;
	courier->settling++;
	courier->store->methods->settle(courier->store, courier->options.shard,
					courier->options.channel->name, parcel->lane,
					parcel->entry, parcel->report, parcel->report_len,
					store_settled, parcel);
}

/* The core hears of an outcome if the send asked for it, and of everybody who blocked us. */
static void make_report(struct courier *courier, struct parcel *parcel,
			const struct outcome *outcome)
{
	struct outgoing outgoing;
	char key[ADDRESS_KEY_SIZE] = "";
	const char *report;
	bool blocked = outcome->kind == OUTCOME_REFUSED && outcome->refusal == REFUSAL_BLOCKED;

	if (decode(courier, parcel->payload, parcel->len, &outgoing))
		return;
	if (!outgoing.ref && !blocked)
		return;
	if (!outgoing.message.group)
		address_key(courier->options.host, courier->options.channel, outgoing.message.to,
			    key);
	report = envelope_outcome(courier->scratch, courier->options.community,
				  courier->options.channel->name, *key ? key : NULL, parcel->id,
				  outgoing.ref, outcome, &parcel->report_len);
	parcel->report = xmemdup(report, parcel->report_len);
}

/* The last word on a parcel; outcome NULL: it became needless. */
static void finish(struct courier *courier, struct parcel *parcel, const struct outcome *outcome)
{
	struct recipient *recipient = parcel->recipient;
	int64_t gap = 0;

	if (outcome)
		make_report(courier, parcel, outcome);
	if (recipient) {
		courier->in_flight--;
		if (recipient->group && outcome)
			gap = pace_of(courier) + courier->options.channel->group_gap_ms;
		parcel->recipient = NULL;
		release_recipient(courier, recipient, gap);
	}
	settle(courier, parcel);
}

static void try_again(struct courier *courier, struct parcel *parcel, int64_t asked_ms)
{
	struct recipient *recipient = parcel->recipient;
	int shift = parcel->attempts < 10 ? parcel->attempts - 1 : 9;
	int64_t backoff = (int64_t)RETRY_FIRST_MS << shift;
	int64_t now = pace_of(courier);

	if (backoff > RETRY_MOST_MS)
		backoff = RETRY_MOST_MS;
	backoff = backoff / 2 + (int64_t)(random_of(courier) % (uint64_t)backoff);
	if (backoff < asked_ms)
		backoff = asked_ms;
	courier->figures.retried++;
	if (++courier->failures >= REST_AFTER)
		courier->rest_until = now + backoff;
	parcel->state = PARCEL_WAITING;
	courier->in_flight--;
	courier->waiting++;
	DL_PREPEND(recipient->queues[parcel->lane], parcel);
	release_recipient(courier, recipient, now + backoff);
}

void courier_settled(struct courier *courier, const char *send_id, const struct outcome *outcome)
{
	struct parcel *parcel;

	HASH_FIND(hh, courier->parcels, send_id, strlen(send_id), parcel);
	if (!parcel || parcel->state != PARCEL_GONE)
		return;
	histogram_add(&courier->send_times, mono_of(courier) - parcel->handed_us);
	if (outcome->kind == OUTCOME_RETRY ||
	    (outcome->kind == OUTCOME_UNCERTAIN && (courier->options.channel->can & CAN_ONCE))) {
		try_again(courier, parcel, outcome->retry_ms);
		return;
	}
	if (outcome->kind == OUTCOME_SENT)
		courier->failures = 0;
	switch (outcome->kind) {
	case OUTCOME_SENT:
		courier->figures.sent++;
		break;
	case OUTCOME_REFUSED:
		courier->figures.refused++;
		break;
	default:
		courier->figures.uncertain++;
		break;
	}
	finish(courier, parcel, outcome);
}

static void outbox_read(void *arg, enum store_result result,
			const struct store_outbox_entry *entries, size_t count)
{
	struct courier *courier = arg;
	bool last = --courier->opening == 0;
	bool takeover = courier->takeover;

	if (!courier->open) {
		count = 0;
	} else if (result == STORE_OK || result == STORE_DAMAGED) { /* the store has logged those */
		courier->takeover = false;
	} else {
		courier->open_again = pace_of(courier) + RETRY_FIRST_MS;
		count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		const struct store_outbox_entry *entry = &entries[i];
		struct outgoing outgoing;
		struct send send = {.channel = entry->channel, .lane = entry->lane,
				    .payload = entry->payload, .len = entry->len};
		struct parcel *known;
		char *id;

		if (decode(courier, entry->payload, entry->len, &outgoing))
			continue;
		HASH_FIND(hh, courier->parcels, outgoing.message.id, strlen(outgoing.message.id),
			  known);
		if (known)
			continue;
		id = xstrdup(outgoing.message.id);
		send.id = id;
		snprintf(send.entry, sizeof(send.entry), "%s", entry->entry);
		add(courier, &send, entry->in_flight, entry->in_flight && takeover);
		free(id);
	}
	if (last)
		free_over(courier);
	courier->options.stir(courier->options.stir_arg, courier);
}

static void read_outbox(struct courier *courier)
{
	courier->open_again = 0;
	courier->opening++;
	courier->store->methods->outbox(courier->store, courier->options.shard,
					courier->options.channel->name, outbox_read, courier);
}

void courier_open(struct courier *courier, struct store *store, bool takeover)
{
	courier->store = store;
	courier->open = true;
	courier->takeover = courier->takeover || takeover;
	read_outbox(courier);
}

void courier_reread(struct courier *courier)
{
	if (courier->open && !courier->open_again)
		courier->open_again = pace_of(courier) + RETRY_FIRST_MS;
}

void courier_resume(struct courier *courier)
{
	struct parcel *parcel, *next;

	DL_FOREACH_SAFE(courier->unsettled, parcel, next) {
		DL_DELETE(courier->unsettled, parcel);
		settle(courier, parcel);
	}
}

void courier_drain(struct courier *courier)
{
	courier->draining = true;
}

size_t courier_busy(const struct courier *courier)
{
	size_t busy = courier->in_flight + courier->settling;
	const struct parcel *parcel;

	DL_FOREACH(courier->unsettled, parcel)
		busy++;
	return busy;
}

void courier_figures(const struct courier *courier, struct runner_channel_figures *figures,
		     struct histogram *send)
{
	const struct parcel *parcel;
	int64_t oldest = now_of(courier);

	*figures = courier->figures;
	figures->waiting = courier->waiting;
	figures->in_flight = courier->in_flight;
	for (parcel = courier->parcels; parcel; parcel = parcel->hh.next)
		if (parcel->state == PARCEL_WAITING && parcel->made_at < oldest)
			oldest = parcel->made_at;
	figures->oldest_waiting_ms = now_of(courier) - oldest;
	histogram_merge(send, &courier->send_times);
}
