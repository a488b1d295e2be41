/* tests/adapters/house.h - a small house for one channel, where adapter tests live.
 *
 * A loop, the HTTP client, the websockets, a web server on a free loopback
 * port, and a host that writes down what the adapter tells it. A test may mount
 * its own provider on the same web server (house_web) before it opens the
 * channel. Everything runs in house_until…() on the caller's thread; nothing
 * sleeps. Strings that are handed out live until house_free().
 *
 *	struct house *house = house_new();
 *	struct kannel own = {.url = arena_printf(house_arena(house), "%s/sendsms", house_url(house))};
 *	assert_int_equal(house_open(house, adapter_find("kannel"), &own), 0);
 *	house_post(house, "/hook/test/mo", form_type, body, len);
 *	assert_true(house_until_accepted(house, 1));
 *	house_free(&house);
 */
#ifndef TESTS_ADAPTERS_HOUSE_H
#define TESTS_ADAPTERS_HOUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "adapters/adapter.h"
#include "adapters/http.h"
#include "adapters/socket.h"
#include "adapters/web.h"
#include "base/arena.h"
#include "base/loop.h"

enum { HOUSE_PATIENCE_MS = 20000 }; /* how long house_until…() wait before they say false */

struct house;

struct house *house_new(void);
/* Closes the channel if it is open and waits for closed(); every handle must be gone then. */
void house_free(struct house **house);

struct loop *house_loop(struct house *house);
struct http *house_http(struct house *house);
struct sockets *house_sockets(struct house *house);
struct web *house_web(struct house *house);
struct arena *house_arena(struct house *house);
const char *house_url(const struct house *house); /* "http://127.0.0.1:40123" */

/* Copies own_size bytes of `own` (settings filled by the caller, the rest zero; strings stay the
 * caller's), mounts the adapter's routes under /hook/test/ and opens the channel "test". What
 * open() answered; its sentence is in house_error(). */
int house_open(struct house *house, const struct adapter *adapter, const void *own);
const char *house_error(const struct house *house);
struct channel *house_channel(struct house *house);
/* Calls close() and waits for closed(). */
bool house_close(struct house *house);

/* What accept() says from now on (at first ACCEPTED). */
void house_accept_as(struct house *house, enum accept_result result);
/* While true, accept() keeps its answers back; false gives them. */
void house_accept_withhold(struct house *house, bool withhold);

/* Runs the loop until `met` is true; false when HOUSE_PATIENCE_MS are over. */
bool house_until(struct house *house, bool (*met)(void *arg), void *arg);
bool house_until_accepted(struct house *house, size_t count);
bool house_until_settled(struct house *house, size_t count);
bool house_until_health(struct house *house, enum channel_health health);
/* Runs the loop for a while: only for "and nothing more comes". */
void house_run_ms(struct house *house, int ms);

/* What came in, in order; message `i`, deep copy. */
size_t house_accepted_count(const struct house *house);
const struct message_in *house_accepted(const struct house *house, size_t i);

struct house_settled {
	const char *send_id;
	struct outcome outcome;
};
size_t house_settled_count(const struct house *house);
const struct house_settled *house_settled(const struct house *house, size_t i);

enum channel_health house_health(const struct house *house);
const char *house_health_why(const struct house *house); /* NULL when up */

void house_send(struct house *house, const struct message_out *message);

/* A request to the house's own web server, answered before it returns. status 0: no answer. */
struct house_answer {
	int status;
	const char *type, *body;
	size_t len;
};
struct house_answer house_get(struct house *house, const char *path);
/* headers: "Name: value", NULL-ended, or NULL. */
struct house_answer house_post(struct house *house, const char *path, const char *const *headers,
			       const char *body, size_t len);

#endif
