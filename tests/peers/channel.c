/* tests/peers/channel.c - one channel without a daemon, for tests that play the other end.
 *
 *	channel ADAPTER setting=value …
 *
 * A JSON line on stdout for all that the adapter tells: {"event":"accepted"|"settled"|"health"|
 * "closed", …}. A JSON line on stdin for all that a house does: {"do":"send", …message_out…},
 * {"do":"accept","as":"accepted"|"later"}, {"do":"withhold","on":true}, {"do":"hold","on":true},
 * {"do":"close"}. The end of stdin closes too. Lists are written with commas.
 */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/adapter.h"
#include "adapters/http.h"
#include "adapters/socket.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"

struct accepting {
	struct accepting *next;
	void (*done)(void *arg, enum accept_result result);
	void *arg;
};

struct program {
	struct arena *arena;
	struct loop *loop;
	struct loop_watch *input;
	struct loop_timer *answering;
	struct buf line;
	struct host host;
	struct channel channel;
	enum accept_result result;
	bool withhold, closing, closed;
	struct accepting *first, **last;
};

static void text(struct json_object *object, const char *name, const char *value)
{
	if (value)
		json_object_object_add(object, name, json_object_new_string(value));
}

static void say(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(object);
}

static struct json_object *event(const char *name)
{
	struct json_object *object = json_object_new_object();

	text(object, "event", name);
	return object;
}

/* ---- the host ---- */

static void answer_all(void *arg)
{
	struct program *program = arg;
	struct accepting *row = program->first;

	program->first = NULL;
	program->last = &program->first;
	while (row) {
		struct accepting *next = row->next;

		row->done(row->arg, program->result);
		free(row);
		row = next;
	}
}

static void on_accept(void *self, struct channel *channel, const struct message_in *messages,
		      size_t count, void (*done)(void *arg, enum accept_result result), void *arg)
{
	static const char *const kinds[] = {"text", "button", "reaction", "receipt"};
	static const char *const receipts[] = {"delivered", "failed", "blocked"};
	struct program *program = self;
	struct accepting *row = xalloc(sizeof *row);

	(void)channel;
	for (size_t i = 0; i < count; i++) {
		const struct message_in *m = &messages[i];
		struct json_object *object =
			event(program->result == ACCEPTED ? "accepted" : "put off");

		text(object, "kind", kinds[m->kind]);
		text(object, "id", m->id);
		text(object, "sender", m->sender);
		text(object, "direct", m->direct);
		text(object, "group", m->group);
		text(object, "name", m->name);
		text(object, "text", m->text);
		text(object, "about", m->about);
		text(object, "button", m->button);
		text(object, "language", m->language);
		text(object, "media", m->media);
		if (m->kind == MESSAGE_RECEIPT)
			text(object, "receipt", receipts[m->receipt]);
		json_object_object_add(object, "sent_at", json_object_new_int64(m->sent_at));
		if (m->latitude != 0 || m->longitude != 0) {
			json_object_object_add(object, "latitude",
					       json_object_new_double(m->latitude));
			json_object_object_add(object, "longitude",
					       json_object_new_double(m->longitude));
		}
		say(object);
	}
	row->done = done;
	row->arg = arg;
	*program->last = row;
	program->last = &row->next;
	if (!program->withhold)
		loop_timer_start(program->answering, 0, 0);
}

static void on_settled(void *self, struct channel *channel, const char *send_id,
		       const struct outcome *outcome)
{
	static const char *const kinds[] = {"sent", "refused", "retry", "uncertain"};
	static const char *const refusals[] = {"other", "blocked", "unreachable", "text",
					       "channel"};
	struct json_object *object = event("settled");

	(void)self, (void)channel;
	text(object, "id", send_id);
	text(object, "outcome", kinds[outcome->kind]);
	if (outcome->kind == OUTCOME_REFUSED)
		text(object, "refusal", refusals[outcome->refusal]);
	text(object, "message_id", outcome->message_id);
	text(object, "reason", outcome->reason);
	json_object_object_add(object, "retry_ms", json_object_new_int64(outcome->retry_ms));
	say(object);
}

static void on_health(void *self, struct channel *channel, enum channel_health health,
		      const char *why)
{
	static const char *const healths[] = {"starting", "up", "retrying", "dead"};
	struct json_object *object = event("health");

	(void)self, (void)channel;
	text(object, "health", healths[health]);
	text(object, "why", why);
	say(object);
}

static void on_closed(void *self, struct channel *channel)
{
	struct program *program = self;

	(void)channel;
	program->closed = true;
	say(event("closed"));
	loop_stop(program->loop);
}

/* ---- the line protocol ---- */

static const char *get(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member) && member
		       ? json_object_get_string(member)
		       : NULL;
}

static bool on(struct json_object *object)
{
	struct json_object *member;

	return json_object_object_get_ex(object, "on", &member) && json_object_get_boolean(member);
}

static void do_send(struct program *program, struct json_object *object)
{
	struct json_object *member;
	struct message_out out = {
		.id = get(object, "id"),
		.to = get(object, "to"),
		.text = get(object, "text"),
		.about = get(object, "about"),
		.edit = get(object, "edit"),
	};

	if (json_object_object_get_ex(object, "group", &member))
		out.group = json_object_get_boolean(member);
	if (json_object_object_get_ex(object, "buttons", &member))
		for (; out.button_count < json_object_array_length(member); out.button_count++) {
			struct json_object *row =
				json_object_array_get_idx(member, out.button_count);

			out.buttons[out.button_count].label = get(row, "label");
			out.buttons[out.button_count].data = get(row, "data");
		}
	program->channel.adapter->send(&program->channel, &out);
}

static void do_close(struct program *program)
{
	if (program->closing)
		return;
	program->closing = true;
	loop_watch_close(&program->input);
	program->channel.adapter->close(&program->channel);
}

static void do_line(struct program *program, const char *line)
{
	struct json_object *object = json_tokener_parse(line);
	const char *what = get(object, "do");

	if (!what) {
		fprintf(stderr, "not a line of the protocol\n");
		exit(2);
	}
	if (!strcmp(what, "send"))
		do_send(program, object);
	else if (!strcmp(what, "accept"))
		program->result = strcmp(get(object, "as"), "later") ? ACCEPTED : ACCEPT_LATER;
	else if (!strcmp(what, "withhold"))
		program->withhold = on(object);
	else if (!strcmp(what, "hold") && program->channel.adapter->hold)
		program->channel.adapter->hold(&program->channel, on(object));
	if (!program->withhold)
		loop_timer_start(program->answering, 0, 0);
	if (!strcmp(what, "close"))
		do_close(program);
	json_object_put(object);
}

static void on_input(void *arg, int events)
{
	struct program *program = arg;
	char chunk[4096];
	ssize_t n = read(0, chunk, sizeof chunk);
	char *end;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		program->withhold = false;
		loop_timer_start(program->answering, 0, 0);
		do_close(program);
		return;
	}
	buf_add(&program->line, chunk, (size_t)n);
	while (program->line.len && (end = strchr(program->line.data, '\n'))) {
		*end = '\0';
		do_line(program, program->line.data);
		buf_drop(&program->line, (size_t)(end - program->line.data) + 1);
	}
}

/* ---- settings ---- */

static int64_t milliseconds(const char *value)
{
	char *unit;
	long long n = strtoll(value, &unit, 10);

	return !strcmp(unit, "ms")  ? n
	       : !strcmp(unit, "m") ? n * 60000
	       : !strcmp(unit, "h") ? n * 3600000
				    : n * 1000;
}

static void fill(struct program *program, const struct setting *row, void *own, const char *value)
{
	void *at = (char *)own + row->offset;
	struct texts *texts = at;

	switch (row->type) {
	case SETTING_BOOL:
		*(bool *)at = !strcmp(value, "true");
		break;
	case SETTING_INT:
		*(int64_t *)at = strtoll(value, NULL, 10);
		break;
	case SETTING_DURATION:
		*(int64_t *)at = milliseconds(value);
		break;
	case SETTING_TEXTS:
		while (*value) {
			size_t len = strcspn(value, ",");

			texts->items = arena_grow(program->arena, texts->items, texts->count,
						  sizeof *texts->items);
			texts->items[texts->count++] = arena_bytes(program->arena, value, len);
			value += len + (value[len] == ',');
		}
		break;
	default:
		*(const char **)at = value;
	}
}

static void set(struct program *program, void *own, const char *pair)
{
	size_t len = strcspn(pair, "=");

	for (const struct setting *row = program->channel.adapter->settings; row->name; row++)
		if (strlen(row->name) == len && !strncmp(row->name, pair, len) && pair[len]) {
			fill(program, row, own, pair + len + 1);
			return;
		}
	fprintf(stderr, "no such setting: %s\n", pair);
	exit(2);
}

int main(int argc, char **argv)
{
	struct program program = {.arena = arena_new(), .loop = loop_new()};
	const struct adapter *adapter = argc > 1 ? adapter_find(argv[1]) : NULL;
	struct error error = {""};
	void *own;

	signal(SIGPIPE, SIG_IGN);
	if (!adapter) {
		fprintf(stderr, "usage: channel ADAPTER setting=value ...\n");
		return 2;
	}
	program.last = &program.first;
	buf_init(&program.line, 0);
	program.host = (struct host){
		.self = &program,
		.loop = program.loop,
		.http = http_new(program.loop),
		.sockets = sockets_new(program.loop, &error),
		.public_url = "http://127.0.0.1:9",
		.accept = on_accept,
		.settled = on_settled,
		.health = on_health,
		.closed = on_closed,
	};
	own = xalloc(adapter->own_size);
	program.channel = (struct channel){.name = "test",
					   .adapter = adapter,
					   .host = &program.host,
					   .own = own,
					   .log = {"channel", "test"}};
	for (const struct setting *row = adapter->settings; row->name; row++)
		if (row->standard)
			fill(&program, row, own, row->standard);
	for (int i = 2; i < argc; i++)
		set(&program, own, argv[i]);
	program.answering = loop_timer(program.loop, answer_all, &program);
	program.input = loop_watch(program.loop, 0, LOOP_READ, on_input, &program);
	if (!program.host.sockets || adapter->open(&program.channel, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	loop_run(program.loop);
	free(own);
	loop_timer_close(&program.answering);
	http_free(&program.host.http);
	sockets_free(&program.host.sockets);
	loop_run(program.loop);
	loop_free(&program.loop);
	buf_free(&program.line);
	arena_free(&program.arena);
	return program.closed ? 0 : 1;
}
