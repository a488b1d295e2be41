/* tests/adapters/house.c - the house that adapter tests live in: a host that only writes down. */
#include "tests/adapters/house.h"

#undef NDEBUG /* a test that cannot fail is none */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct waiting {
	void (*done)(void *arg, enum accept_result result);
	void *arg;
};

struct house {
	struct arena *arena;
	struct loop *loop;
	struct http *http;
	struct sockets *sockets;
	struct web *web;
	struct loop_timer *patience, *accepting;
	bool over;
	const char *url;
	struct host host;
	struct channel channel;
	bool open, closed;
	struct error error;
	enum accept_result accept_result;
	bool withhold;
	struct waiting *waiting;
	size_t waiting_count;
	struct message_in *accepted;
	size_t accepted_count;
	struct house_settled *settled;
	size_t settled_count;
	enum channel_health health;
	const char *why;
};

static void on_patience(void *arg)
{
	struct house *house = arg;
	house->over = true;
}

static void on_accepting(void *arg)
{
	struct house *house = arg;
	struct waiting *waiting = house->waiting;
	size_t count = house->waiting_count;

	house->waiting = NULL;
	house->waiting_count = 0;
	for (size_t i = 0; i < count; i++)
		waiting[i].done(waiting[i].arg, house->accept_result);
}

static struct message_in copy(struct arena *arena, const struct message_in *from)
{
	struct message_in m = *from;
	const char **strings[] = {&m.id,   &m.sender, &m.direct, &m.group,    &m.name,
				  &m.text, &m.about,  &m.button, &m.language, &m.media};

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		*strings[i] = arena_str(arena, *strings[i]);
	return m;
}

static void host_accept(void *self, struct channel *channel, const struct message_in *messages,
			size_t count, void (*done)(void *arg, enum accept_result result), void *arg)
{
	struct house *house = self;

	assert(channel == &house->channel);
	for (size_t i = 0; i < count; i++) {
		house->accepted = arena_grow(house->arena, house->accepted, house->accepted_count,
					     sizeof *house->accepted);
		house->accepted[house->accepted_count++] = copy(house->arena, &messages[i]);
	}
	house->waiting = arena_grow(house->arena, house->waiting, house->waiting_count,
				    sizeof *house->waiting);
	house->waiting[house->waiting_count++] = (struct waiting){done, arg};
	if (!house->withhold)
		loop_timer_start(house->accepting, 0, 0);
}

static void host_settled(void *self, struct channel *channel, const char *send_id,
			 const struct outcome *outcome)
{
	struct house *house = self;
	struct house_settled row = {.send_id = arena_str(house->arena, send_id),
				    .outcome = *outcome};

	assert(channel == &house->channel);
	row.outcome.message_id = arena_str(house->arena, outcome->message_id);
	row.outcome.reason = arena_str(house->arena, outcome->reason);
	house->settled = arena_grow(house->arena, house->settled, house->settled_count,
				    sizeof *house->settled);
	house->settled[house->settled_count++] = row;
}

static void host_health(void *self, struct channel *channel, enum channel_health health,
			const char *why)
{
	struct house *house = self;

	assert(channel == &house->channel);
	house->health = health;
	house->why = arena_str(house->arena, why);
}

static void host_closed(void *self, struct channel *channel)
{
	struct house *house = self;

	assert(channel == &house->channel && !house->closed);
	house->closed = true;
}

struct house *house_new(void)
{
	struct house *house = xalloc(sizeof *house);

	house->arena = arena_new();
	house->loop = loop_new();
	house->http = http_new(house->loop);
	house->sockets = sockets_new(house->loop, &house->error);
	assert(house->sockets);
	house->web = web_new(house->loop, "127.0.0.1:0", &house->error);
	assert(house->web);
	house->url = arena_printf(house->arena, "http://127.0.0.1:%d", web_port(house->web));
	house->patience = loop_timer(house->loop, on_patience, house);
	house->accepting = loop_timer(house->loop, on_accepting, house);
	house->host = (struct host){
		.self = house,
		.loop = house->loop,
		.http = house->http,
		.sockets = house->sockets,
		.public_url = house->url,
		.accept = host_accept,
		.settled = host_settled,
		.health = host_health,
		.closed = host_closed,
	};
	return house;
}

void house_free(struct house **house_r)
{
	struct house *house = *house_r;

	*house_r = NULL;
	if (house->open && !house_close(house))
		abort();
	http_free(&house->http);
	sockets_free(&house->sockets);
	web_free(&house->web);
	loop_timer_close(&house->patience);
	loop_timer_close(&house->accepting);
	loop_run(house->loop);
	loop_free(&house->loop);
	free(house->channel.own);
	arena_free(&house->arena);
	free(house);
}

struct loop *house_loop(struct house *house)
{
	return house->loop;
}

struct http *house_http(struct house *house)
{
	return house->http;
}

struct sockets *house_sockets(struct house *house)
{
	return house->sockets;
}

struct web *house_web(struct house *house)
{
	return house->web;
}

struct arena *house_arena(struct house *house)
{
	return house->arena;
}

const char *house_url(const struct house *house)
{
	return house->url;
}

int house_open(struct house *house, const struct adapter *adapter, const void *own)
{
	assert(!house->open && adapter);
	free(house->channel.own);
	house->channel = (struct channel){
		.name = "test",
		.adapter = adapter,
		.host = &house->host,
		.own = xalloc(adapter->own_size ? adapter->own_size : 1),
		.log = {.kind = "channel", .name = "test"},
		.house = house,
	};
	memcpy(house->channel.own, own, adapter->own_size);
	house->closed = false;
	if (adapter->routes)
		web_mount(house->web, "/hook/test/", adapter->routes, &house->channel);
	if (adapter->open(&house->channel, &house->error))
		return -1;
	house->open = true;
	return 0;
}

const char *house_error(const struct house *house)
{
	return house->error.text;
}

struct channel *house_channel(struct house *house)
{
	return &house->channel;
}

static bool is_closed(void *arg)
{
	const struct house *house = arg;
	return house->closed;
}

bool house_close(struct house *house)
{
	assert(house->open);
	house->open = false;
	house_accept_withhold(house, false);
	house->channel.adapter->close(&house->channel);
	return house_until(house, is_closed, house);
}

void house_accept_as(struct house *house, enum accept_result result)
{
	house->accept_result = result;
}

void house_accept_withhold(struct house *house, bool withhold)
{
	house->withhold = withhold;
	if (!withhold && house->waiting_count)
		loop_timer_start(house->accepting, 0, 0);
}

bool house_until(struct house *house, bool (*met)(void *arg), void *arg)
{
	house->over = false;
	loop_timer_start(house->patience, HOUSE_PATIENCE_MS, 0);
	while (!met(arg) && !house->over)
		loop_turn(house->loop, true);
	loop_timer_stop(house->patience);
	return met(arg);
}

struct wanted {
	const struct house *house;
	size_t count;
	enum channel_health health;
};

static bool enough_accepted(void *arg)
{
	const struct wanted *wanted = arg;
	return wanted->house->accepted_count >= wanted->count;
}

static bool enough_settled(void *arg)
{
	const struct wanted *wanted = arg;
	return wanted->house->settled_count >= wanted->count;
}

static bool health_is(void *arg)
{
	const struct wanted *wanted = arg;
	return wanted->house->health == wanted->health;
}

bool house_until_accepted(struct house *house, size_t count)
{
	return house_until(house, enough_accepted,
			   &(struct wanted){.house = house, .count = count});
}

bool house_until_settled(struct house *house, size_t count)
{
	return house_until(house, enough_settled, &(struct wanted){.house = house, .count = count});
}

bool house_until_health(struct house *house, enum channel_health health)
{
	return house_until(house, health_is, &(struct wanted){.house = house, .health = health});
}

void house_run_ms(struct house *house, int ms)
{
	house->over = false;
	loop_timer_start(house->patience, (uint64_t)ms, 0);
	while (!house->over)
		loop_turn(house->loop, true);
}

size_t house_accepted_count(const struct house *house)
{
	return house->accepted_count;
}

const struct message_in *house_accepted(const struct house *house, size_t i)
{
	assert(i < house->accepted_count);
	return &house->accepted[i];
}

size_t house_settled_count(const struct house *house)
{
	return house->settled_count;
}

const struct house_settled *house_settled(const struct house *house, size_t i)
{
	assert(i < house->settled_count);
	return &house->settled[i];
}

enum channel_health house_health(const struct house *house)
{
	return house->health;
}

const char *house_health_why(const struct house *house)
{
	return house->why;
}

void house_send(struct house *house, const struct message_out *message)
{
	house->channel.adapter->send(&house->channel, message);
}

struct asked {
	struct house *house;
	bool done;
	struct house_answer answer;
};

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct asked *asked = arg;
	struct arena *arena = asked->house->arena;

	asked->done = true;
	if (answer->fate != HTTP_ANSWERED)
		return;
	asked->answer = (struct house_answer){
		.status = answer->status,
		.type = arena_str(arena, answer->type),
		.body = arena_bytes(arena, answer->body, answer->len),
		.len = answer->len,
	};
}

static bool is_done(void *arg)
{
	const struct asked *asked = arg;
	return asked->done;
}

static struct house_answer ask(struct house *house, const char *path, const struct http_call *call)
{
	struct asked asked = {.house = house};
	struct http_call to = *call;

	to.url = arena_printf(house->arena, "%s%s", house->url, path);
	http_start(house->http, &to, on_answer, &asked);
	if (!house_until(house, is_done, &asked))
		abort(); /* `asked` must not be left behind on this stack */
	return asked.answer;
}

struct house_answer house_get(struct house *house, const char *path)
{
	return ask(house, path, &(struct http_call){.method = "GET"});
}

struct house_answer house_post(struct house *house, const char *path, const char *const *headers,
			       const char *body, size_t len)
{
	return ask(house, path,
		   &(struct http_call){
			   .method = "POST", .headers = headers, .body = body, .len = len});
}
