/* adapters/sms/sending.c - sends go out piece by piece, and each is settled exactly once. */
#include "adapters/sms/sending.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sms/sms.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/loop.h"

enum {
	TRIES_MAX = 5,         /* of a later piece: 1 + 2 + 4 + 8 s between them */
	PAUSE_MS = 1000,       /* doubles */
	PAUSE_MOST_MS = 60000, /* whatever the provider says */
	LOOKS_MAX = 3,
	LATER_S = 5,
	ADDRESS_MAX = 32,
};

static void ask(struct sms_send *send);
static void look(struct sms_send *send);

static void tell_closed(struct sms_sender *sender)
{
	if (!sender->closing || sender->closed || sender->sends || sender->hooks)
		return;
	sender->closed = true;
	arena_free(&sender->arena);
	sender->channel->host->closed(sender->channel->host->self, sender->channel);
}

static void tell_health(struct sms_sender *sender, enum channel_health health, const char *why)
{
	if (sender->health == health || sender->closing)
		return;
	sender->health = health;
	sender->channel->host->health(sender->channel->host->self, sender->channel, health,
				      health == CHANNEL_UP ? NULL : why);
}

static void finish(struct sms_send *send, const struct outcome *outcome)
{
	struct sms_sender *sender = send->sender;
	struct outcome told = *outcome;

	if (told.kind == OUTCOME_SENT && send->message_id)
		told.message_id = send->message_id;
	if (send->prev)
		send->prev->next = send->next;
	else
		sender->sends = send->next;
	if (send->next)
		send->next->prev = send->prev;
	if (send->timer)
		loop_timer_close(&send->timer);
	sender->channel->host->settled(sender->channel->host->self, sender->channel, send->id,
				       &told);
	free(send->message_id);
	free(send);
	tell_closed(sender);
}

static void on_timer(void *arg)
{
	struct sms_send *send = arg;

	if (send->phase == SMS_REFUSED)
		finish(send, &send->refused);
	else if (send->phase == SMS_LOOKING_SOON)
		look(send);
	else
		ask(send);
}

static void pause_for(struct sms_send *send, int64_t ms)
{
	if (!send->timer)
		send->timer = loop_timer(send->sender->channel->host->loop, on_timer, send);
	loop_timer_start(send->timer, (uint64_t)(ms < PAUSE_MOST_MS ? ms : PAUSE_MOST_MS), 0);
}

static void accepted(struct sms_send *send, const struct outcome *outcome)
{
	if (sms_send_last(send)) {
		finish(send, outcome);
		return;
	}
	if (!send->message_id && outcome->message_id)
		send->message_id = xstrdup(outcome->message_id);
	send->text += send->len;
	send->len = sms_piece(send->text, send->sender->parts_max);
	send->piece++;
	send->tries = send->looks = 0;
	if (send->sender->closing)
		finish(send, &(struct outcome){
				     .kind = OUTCOME_UNCERTAIN,
				     .reason = "closed when only the first pieces had been taken"});
	else
		ask(send);
}

/* Not taken for now. The first piece is the house's to repeat; later ones are ours. */
static void not_yet(struct sms_send *send, const struct outcome *outcome)
{
	if (send->piece == 1) {
		finish(send, outcome);
	} else if (send->sender->closing || ++send->tries >= TRIES_MAX) {
		finish(send, &(struct outcome){.kind = OUTCOME_UNCERTAIN,
					       .reason = "only the first pieces were taken"});
	} else {
		send->phase = SMS_PAUSING;
		pause_for(send, outcome->retry_ms ? outcome->retry_ms
						  : (int64_t)PAUSE_MS << (send->tries - 1));
	}
}

static void decide(struct sms_send *send, const struct outcome *outcome)
{
	if (outcome->kind == OUTCOME_SENT) {
		accepted(send, outcome);
	} else if (outcome->kind == OUTCOME_RETRY) {
		not_yet(send, outcome);
	} else if (outcome->kind == OUTCOME_UNCERTAIN && send->sender->way->look &&
		   !send->sender->closing && send->looks < LOOKS_MAX) {
		send->phase = SMS_LOOKING_SOON;
		pause_for(send, send->sender->look_ms << (2 * send->looks));
	} else {
		finish(send, outcome);
	}
}

static void judge_health(struct sms_sender *sender, const struct http_answer *answer,
			 const struct outcome *outcome)
{
	if (outcome->kind == OUTCOME_REFUSED && outcome->refusal == REFUSAL_CHANNEL)
		tell_health(sender, CHANNEL_DEAD, outcome->reason);
	else if (answer->fate != HTTP_ANSWERED || answer->status >= 500)
		tell_health(sender, CHANNEL_RETRYING, outcome->reason);
	else
		tell_health(sender, CHANNEL_UP, NULL);
}

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct sms_send *send = arg;
	struct sms_sender *sender = send->sender;
	struct outcome outcome;

	send->request = NULL;
	arena_clear(sender->arena);
	if (send->phase == SMS_LOOKING) {
		bool last = send->looks >= LOOKS_MAX;
		outcome = sender->way->found(send, answer, last, sender->arena);
	} else {
		outcome = sender->way->judge(send, answer, sender->arena);
		judge_health(sender, answer, &outcome);
	}
	decide(send, &outcome);
}

void sms_send_start(struct sms_send *send, const struct http_call *call)
{
	send->request = http_start(send->sender->channel->host->http, call, on_answer, send);
}

bool sms_send_last(const struct sms_send *send)
{
	return !send->text[send->len];
}

static void ask(struct sms_send *send)
{
	send->phase = SMS_ASKING;
	send->looks = 0;
	send->asked_at = clock_wall_ms();
	send->sender->way->ask(send);
}

static void look(struct sms_send *send)
{
	send->phase = SMS_LOOKING;
	send->looks++;
	send->sender->way->look(send);
}

static void refuse(struct sms_send *send, enum refusal refusal, const char *reason)
{
	send->refused =
		(struct outcome){.kind = OUTCOME_REFUSED, .refusal = refusal, .reason = reason};
	send->phase = SMS_REFUSED;
	pause_for(send, 0); /* never from inside send() */
}

void sms_sender_open(struct sms_sender *sender, struct channel *channel, const struct sms_way *way,
		     size_t parts_max, int64_t look_ms)
{
	*sender = (struct sms_sender){
		.channel = channel,
		.way = way,
		.parts_max = parts_max,
		.look_ms = look_ms,
		.arena = arena_new(),
		.health = CHANNEL_STARTING,
	};
	tell_health(sender, CHANNEL_UP, NULL);
}

void sms_sender_close(struct sms_sender *sender)
{
	struct sms_send *send = sender->sends;

	sender->hooks++; /* closed() not before the end of this */
	sender->closing = true;
	while (send) {
		struct sms_send *next = send->next;
		if (send->request)
			http_cancel(send->request);
		else if (send->phase == SMS_REFUSED)
			finish(send, &send->refused);
		else
			finish(send, &(struct outcome){.kind = OUTCOME_UNCERTAIN,
						       .reason = "closed before it was settled"});
		send = next;
	}
	sender->hooks--;
	tell_closed(sender);
}

/* Addresses stand in headers and forms: printing ASCII, and not too much of it. */
static bool is_address(const char *to)
{
	size_t len = strlen(to);

	for (size_t i = 0; i < len; i++)
		if (to[i] <= ' ' || to[i] > '~')
			return false;
	return len > 0 && len <= ADDRESS_MAX;
}

void sms_sender_send(struct sms_sender *sender, const struct message_out *message)
{
	size_t id_len = strlen(message->id) + 1;
	size_t to_len = strlen(message->to) + 1;
	const char *text = message->text ? message->text : "";
	size_t text_len = strlen(text) + 1;
	struct sms_send *send = xalloc(sizeof *send + id_len + to_len + text_len);
	char *room = send->room;

	send->sender = sender;
	send->id = memcpy(room, message->id, id_len);
	send->to = memcpy(room + id_len, message->to, to_len);
	send->text = memcpy(room + id_len + to_len, text, text_len);
	send->piece = 1;
	send->next = sender->sends;
	if (send->next)
		send->next->prev = send;
	sender->sends = send;
	if (message->group) {
		refuse(send, REFUSAL_UNREACHABLE, "SMS knows no groups");
	} else if (!is_address(send->to)) {
		refuse(send, REFUSAL_UNREACHABLE, "this is no address that SMS can go to");
	} else if (!*text) {
		refuse(send, REFUSAL_TEXT, "there is no text to send");
	} else {
		send->len = sms_piece(send->text, sender->parts_max);
		ask(send);
	}
}

struct hook {
	struct sms_sender *sender;
	struct web_request *request;
	void (*received)(struct web_request *request);
};

static void on_accepted(void *arg, enum accept_result result)
{
	struct hook hook = *(struct hook *)arg; /* it goes with the request */

	if (result == ACCEPTED)
		hook.received(hook.request);
	else
		web_later(hook.request, LATER_S);
	hook.sender->hooks--;
	tell_closed(hook.sender);
}

void sms_hook_accept(struct sms_sender *sender, struct web_request *request,
		     const struct message_in *message,
		     void (*received)(struct web_request *request))
{
	struct hook *hook = arena_alloc(web_arena(request), sizeof *hook);

	*hook = (struct hook){.sender = sender, .request = request, .received = received};
	sender->hooks++;
	sender->channel->host->accept(sender->channel->host->self, sender->channel, message, 1,
				      on_accepted, hook);
}

bool sms_hook_open(struct sms_sender *sender, struct web_request *request)
{
	if (sender->closing)
		web_later(request, LATER_S);
	return !sender->closing;
}

bool sms_same_secret(const char *given, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0;
	return given && secret && strlen(given) == len && !CRYPTO_memcmp(given, secret, len);
}
