/* adapters/adapter.h - what a chat platform or SMS provider has to be.
 *
 * An adapter turns wire traffic into struct message_in and struct message_out
 * into wire traffic. It knows neither conversations nor Redis nor the bot; it
 * speaks upward only through `channel->host`. The bargain:
 *
 *  - Nothing blocks; every call happens on the loop thread.
 *  - `channel->own` is the adapter's struct: the house allocates own_size
 *    zeroed bytes, fills the rows of `settings` into it, calls open(), and
 *    frees it after closed(). No file-level state: many accounts, one process.
 *  - const arguments are borrowed until the call returns; copy what you keep.
 *  - Each send() ends in exactly one host->settled(), never from inside send().
 *    When the request left and no answer came, that is OUTCOME_UNCERTAIN:
 *    whether somebody is texted twice is decided by the house.
 *  - host->accept() says later, once, whether the messages are durable. Only
 *    then may the platform be told "received" (200, next offset, ack).
 *  - close() stops taking anything in, cancels requests (their sends settle as
 *    UNCERTAIN or RETRY), and calls host->closed() once, maybe later.
 *  - No text, name or address goes to a log or into a reason.
 *
 * A new adapter is one file, one line in registry.c, one in CMakeLists.txt, one
 * folder of fixtures in tests/adapters/fixtures.
 */
#ifndef ADAPTERS_ADAPTER_H
#define ADAPTERS_ADAPTER_H

#include "adapters/message.h"
#include "base/error.h"
#include "base/log.h"
#include "config/settings.h"

struct channel;
struct http;      /* adapters/http.h: outgoing requests */
struct loop;
struct sockets;   /* adapters/socket.h: websockets */
struct web_route; /* adapters/web.h: incoming requests */

enum accept_result {
	ACCEPTED,     /* durable, or seen before: tell the platform "received" */
	ACCEPT_LATER, /* the store is away: 503 and Retry-After, or hold back and offer again */
};

enum channel_health { CHANNEL_STARTING, CHANNEL_UP, CHANNEL_RETRYING, CHANNEL_DEAD };

/* What the house lends to a channel. `self` goes first in every call. */
struct host {
	void *self;
	struct loop *loop;
	struct http *http;
	struct sockets *sockets;
	const char *public_url;
	/* `done` comes once, later, never from inside. The messages are copied. */
	void (*accept)(void *self, struct channel *channel, const struct message_in *messages,
		       size_t count, void (*done)(void *arg, enum accept_result result), void *arg);
	void (*settled)(void *self, struct channel *channel, const char *send_id,
			const struct outcome *outcome);
	/* `why` in English for the operator, NULL when up. */
	void (*health)(void *self, struct channel *channel, enum channel_health health,
		       const char *why);
	void (*closed)(void *self, struct channel *channel);
	/* The store just came back: channels that hold back may go on (optional member below). */
};

struct channel {
	const char *name;
	const struct adapter *adapter;
	const struct host *host;
	void *own;
	struct log_subject log; /* kind "channel", name */
	void *house;            /* the runner's, not the adapter's */
};

struct adapter {
	const char *name;     /* and the value of `adapter:` in the file */
	unsigned can;         /* enum capability */
	size_t text_max;      /* code points in one message; 0: no limit. SMS: parts are counted instead */
	int64_t rate;         /* sends a second the platform stands; 0: no limit */
	int64_t group_gap_ms; /* least pause between two sends to one group; 0: none */
	size_t in_flight_max; /* sends under way at once; 0: 64 */
	size_t own_size;
	const struct setting *settings;
	bool has_page;        /* routes[""] is a page for people: "/" leads to it */
	const struct web_route *routes; /* under /hook/<channel name>/; ends with a NULL path; NULL: none */

	int (*open)(struct channel *channel, struct error *error_r) MUST_CHECK;
	void (*close)(struct channel *channel);
	void (*send)(struct channel *channel, const struct message_out *message);
	/* Optional: true = the store is away, take nothing in; false = go on. */
	void (*hold)(struct channel *channel, bool held);
};

/* registry.c: every adapter there is; NULL-ended. */
extern const struct adapter *const adapters[];
const struct adapter *adapter_find(const char *name);

#endif
