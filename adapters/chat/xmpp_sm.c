/* adapters/chat/xmpp_sm.c - counts stanzas both ways, so that none is lost when a connection is
 * (XEP-0198).
 *
 * Incoming: the server may forget what we count, so a stanza counts when the house has it for good,
 * and in order. Outgoing: what the server has not counted is sent again after a resume.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/stanza.h"
#include "adapters/chat/xmpp.h"
#include "adapters/chat/xmpp_names.h"
#include "adapters/socket.h"
#include "base/arena.h"
#include "base/buf.h"

static bool read_h(const char *h, uint32_t *number_r)
{
	char *end;
	unsigned long long n;

	if (!h || *h < '0' || *h > '9')
		return false;
	n = strtoull(h, &end, 10);
	*number_r = (uint32_t)n;
	return !*end && n <= UINT32_MAX;
}

static void free_out(struct sm_out *out)
{
	if (out->send)
		out->send->unacked = NULL;
	free(out->xml);
	free(out);
}

void sm_write(struct xmpp *xmpp, struct buf *xml, struct xmpp_send *send)
{
	struct sm *sm = &xmpp->sm;
	struct sm_out *out;

	if (xml->full) {
		buf_free(xml);
		return;
	}
	if (sm->on) {
		out = xalloc(sizeof *out);
		out->number = ++sm->written;
		out->xml = xmemdup(xml->data, xml->len + 1);
		out->len = xml->len;
		out->send = send;
		if (send)
			send->unacked = out;
		if (sm->out_last)
			sm->out_last->next = out;
		else
			sm->out_first = out;
		sm->out_last = out;
		sm->out_count++;
	}
	xmpp_write(xmpp, xml);
	buf_free(xml);
	/* The answer to this question is what settles a send to one person. */
	if (sm->on && send)
		xmpp_literal(xmpp, "<r xmlns='" NS_SM "'/>");
	if (sm->out_count > XMPP_UNACKED_MAX)
		xmpp_redial(xmpp, 0, "the server acknowledges nothing");
}

void sm_enabled(struct xmpp *xmpp, const struct xml_element *enabled)
{
	struct sm *sm = &xmpp->sm;
	const char *resume = xml_attribute(enabled, "resume");
	const char *id = xml_attribute(enabled, "id");

	sm->on = true;
	sm->received = sm->handled = sm->written = 0;
	free(sm->id);
	sm->id = id && resume && (!strcmp(resume, "true") || !strcmp(resume, "1")) ? xstrdup(id)
										   : NULL;
}

/* Takes the first unacknowledged stanza off. */
static struct sm_out *shift(struct sm *sm)
{
	struct sm_out *out = sm->out_first;

	sm->out_first = out->next;
	if (!sm->out_first)
		sm->out_last = NULL;
	sm->out_count--;
	return out;
}

int sm_acked(struct xmpp *xmpp, const struct xml_element *element)
{
	struct sm *sm = &xmpp->sm;
	uint32_t h;

	if (!read_h(xml_attribute(element, "h"), &h) || (int32_t)(sm->written - h) < 0)
		return -1;
	while (sm->out_first && (int32_t)(h - sm->out_first->number) >= 0) {
		struct sm_out *out = shift(sm);
		struct xmpp_send *send = out->send;

		free_out(out);
		if (send)
			out_acked(xmpp, send);
	}
	if (xml_is(element, NS_SM, "resumed"))
		sm->written = h;
	return 0;
}

void sm_resend(struct xmpp *xmpp)
{
	struct sm *sm = &xmpp->sm;
	struct sm_out *out = sm->out_first;
	bool any = out != NULL;

	sm->out_first = sm->out_last = NULL;
	sm->out_count = 0;
	while (out) {
		struct sm_out *next = out->next;

		if (out->needless) {
			free_out(out);
		} else {
			struct buf xml;

			out->next = NULL;
			out->number = ++sm->written;
			if (sm->out_last)
				sm->out_last->next = out;
			else
				sm->out_first = out;
			sm->out_last = out;
			sm->out_count++;
			buf_init(&xml, 0);
			buf_add(&xml, out->xml, out->len);
			xmpp_write(xmpp, &xml);
			buf_free(&xml);
		}
		out = next;
	}
	if (any)
		xmpp_literal(xmpp, "<r xmlns='" NS_SM "'/>");
}

void sm_lost(struct xmpp *xmpp, const char *h_text)
{
	struct sm *sm = &xmpp->sm;
	uint32_t h = 0;
	bool known = read_h(h_text, &h);

	while (sm->out_first) {
		struct sm_out *out = shift(sm);
		struct xmpp_send *send = out->send;
		bool has = known && (int32_t)(h - out->number) >= 0;

		free_out(out);
		if (!send)
			continue;
		if (known && !has)
			out_settle(xmpp, send,
				   &(struct outcome){.kind = OUTCOME_RETRY,
						     .reason = "the session ended before the "
							       "server took it"});
		else if (has)
			out_acked(xmpp, send);
	}
	for (struct xmpp_send *send = xmpp->sends, *next; send; send = next) {
		next = send->next;
		if (send->room && !send->lookup)
			send->lost = true;
		else
			out_uncertain(xmpp, send, "the session ended before the server answered");
	}
	free(sm->id);
	sm->id = NULL;
	sm->on = false;
}

static void write_ack(struct xmpp *xmpp)
{
	struct buf xml;

	buf_init(&xml, 0);
	buf_printf(&xml, "<a xmlns='" NS_SM "' h='%" PRIu32 "'/>", xmpp->sm.handled);
	xmpp_write(xmpp, &xml);
	buf_free(&xml);
}

void sm_answer_request(struct xmpp *xmpp)
{
	if (!xmpp->sm.on)
		return;
	write_ack(xmpp);
	xmpp->sm.ack_owed = xmpp->sm.in_first != NULL;
}

/* Reading stops while something waits for the store, or too much is under way. */
void sm_hold(struct xmpp *xmpp)
{
	struct sm *sm = &xmpp->sm;
	bool hold = sm->held || sm->in_count > XMPP_INBOUND_MAX;

	for (struct inbound *in = sm->in_first; in && !hold; in = in->next)
		hold = in->waiting;
	/* A login has to be read even while nothing can be stored. */
	if (xmpp->socket && xmpp->stage == XMPP_READY)
		socket_hold(xmpp->socket, hold);
}

static void free_inbound(struct inbound *inbound)
{
	arena_free(&inbound->arena);
	free(inbound);
}

struct inbound *sm_inbound(struct xmpp *xmpp, struct arena *arena)
{
	struct sm *sm = &xmpp->sm;
	struct inbound *inbound = xalloc(sizeof *inbound);

	inbound->xmpp = xmpp;
	inbound->arena = arena;
	inbound->counted = sm->on;
	sm->received++;
	if (sm->in_last)
		sm->in_last->next = inbound;
	else
		sm->in_first = inbound;
	sm->in_last = inbound;
	sm->in_count++;
	return inbound;
}

static void write_receipt(struct xmpp *xmpp, const struct inbound *inbound)
{
	struct buf xml;

	if (xmpp->stage != XMPP_READY)
		return;
	buf_init(&xml, 0);
	buf_str(&xml, "<message xmlns='" NS_CLIENT "' type='chat'");
	xml_write_attribute(&xml, "to", inbound->receipt_to);
	buf_str(&xml, "><received xmlns='" NS_RECEIPTS "'");
	xml_write_attribute(&xml, "id", inbound->receipt_id);
	buf_str(&xml, "/></message>");
	sm_write(xmpp, &xml, NULL);
}

/* Counts what is done, in order, up to the first that is not. */
static void advance(struct xmpp *xmpp)
{
	struct sm *sm = &xmpp->sm;

	while (sm->in_first && sm->in_first->done) {
		struct inbound *inbound = sm->in_first;

		sm->in_first = inbound->next;
		if (!sm->in_first)
			sm->in_last = NULL;
		sm->in_count--;
		if (inbound->counted)
			sm->handled++;
		free_inbound(inbound);
	}
	if (sm->ack_owed && !sm->in_first && xmpp->stage == XMPP_READY) {
		sm->ack_owed = false;
		write_ack(xmpp);
	}
	sm_hold(xmpp);
}

static void on_accepted(void *arg, enum accept_result result)
{
	struct inbound *inbound = arg;
	struct xmpp *xmpp = inbound->xmpp;

	xmpp->sm.offers--;
	if (result == ACCEPTED) {
		inbound->done = true;
		if (inbound->receipt_id)
			write_receipt(xmpp, inbound);
		advance(xmpp);
	} else {
		inbound->waiting = true;
		sm_hold(xmpp);
	}
	xmpp_maybe_closed(xmpp);
}

static void offer(struct inbound *inbound)
{
	const struct host *host = inbound->xmpp->channel->host;

	inbound->waiting = false;
	inbound->xmpp->sm.offers++;
	host->accept(host->self, inbound->xmpp->channel, inbound->messages, inbound->count,
		     on_accepted, inbound);
}

void sm_offer(struct inbound *inbound)
{
	struct xmpp *xmpp = inbound->xmpp;
	bool behind = false;

	if (!inbound->count) {
		inbound->done = true;
		advance(xmpp);
		return;
	}
	for (struct inbound *in = xmpp->sm.in_first; in && in != inbound; in = in->next)
		behind |= in->waiting;
	if (behind)
		inbound->waiting = true;
	else
		offer(inbound);
	sm_hold(xmpp);
}

void sm_offer_again(struct xmpp *xmpp)
{
	if (xmpp->closing)
		return;
	for (struct inbound *in = xmpp->sm.in_first; in; in = in->next)
		if (in->waiting)
			offer(in);
	sm_hold(xmpp);
}

void sm_disconnected(struct xmpp *xmpp)
{
	/* What was not done comes again after a resume; the house knows it by its id. */
	for (struct inbound *in = xmpp->sm.in_first; in; in = in->next)
		in->counted = false;
	xmpp->sm.received = xmpp->sm.handled;
	xmpp->sm.ack_owed = false;
}

void sm_free(struct xmpp *xmpp)
{
	struct sm *sm = &xmpp->sm;

	while (sm->out_first)
		free_out(shift(sm));
	while (sm->in_first) {
		struct inbound *next = sm->in_first->next;

		free_inbound(sm->in_first);
		sm->in_first = next;
	}
	sm->in_last = NULL;
	free(sm->id);
	sm->id = NULL;
}
