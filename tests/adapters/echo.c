/* tests/adapters/echo.c - one adapter in the test house, for the peers tests: it prints what comes
 * in as JSON lines, answers every text with "echo: …", and sends what it reads on stdin.
 *
 *	adapter_echo kannel sendsms_url=http://… secret=…
 *	{"url":"http://127.0.0.1:40123"}                          what it prints first
 *	{"id":"s-1","to":"+86…","text":"…"}                       a line on stdin: a send
 *	{"accept":"later"} or {"accept":"now"}                    on stdin: how to answer hooks
 * It ends with its stdin.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/adapters/provider.h"

struct echo {
	struct house *house;
	struct buf in;
	bool over;
	size_t accepted, settled, echoed;
};

static const char *text_of(struct json_object *json, const char *name)
{
	struct json_object *value;
	return json_object_object_get_ex(json, name, &value) ? json_object_get_string(value) : NULL;
}

static void print(struct json_object *json)
{
	puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(stdout);
	json_object_put(json);
}

static void add(struct json_object *json, const char *name, const char *value)
{
	if (value)
		json_object_object_add(json, name, json_object_new_string(value));
}

static void print_accepted(struct echo *echo, const struct message_in *message)
{
	static const char *const kinds[] = {"text", "button", "reaction", "receipt"};
	static const char *const receipts[] = {"delivered", "failed", "blocked"};
	struct json_object *json = json_object_new_object();

	add(json, "accepted", kinds[message->kind]);
	add(json, "id", message->id);
	add(json, "sender", message->sender);
	add(json, "text", message->text);
	add(json, "about", message->about);
	if (message->kind == MESSAGE_RECEIPT)
		add(json, "receipt", receipts[message->receipt]);
	print(json);
	if (message->kind != MESSAGE_TEXT)
		return;
	struct arena *arena = house_arena(echo->house);
	house_send(echo->house,
		   &(struct message_out){.id = arena_printf(arena, "echo-%zu", ++echo->echoed),
					 .to = message->sender,
					 .text = arena_printf(arena, "echo: %s", message->text)});
}

static void print_settled(const struct house_settled *settled)
{
	static const char *const kinds[] = {"sent", "refused", "retry", "uncertain"};
	struct json_object *json = json_object_new_object();

	add(json, "settled", kinds[settled->outcome.kind]);
	add(json, "id", settled->send_id);
	add(json, "message_id", settled->outcome.message_id);
	add(json, "reason", settled->outcome.reason);
	if (settled->outcome.kind == OUTCOME_REFUSED)
		json_object_object_add(json, "refusal",
				       json_object_new_int((int)settled->outcome.refusal));
	print(json);
}

static void obey(struct echo *echo, const char *line)
{
	struct json_object *json = json_tokener_parse(line);
	const char *accept = text_of(json, "accept");

	if (accept)
		house_accept_as(echo->house, strcmp(accept, "now") ? ACCEPT_LATER : ACCEPTED);
	else
		house_send(echo->house, &(struct message_out){.id = text_of(json, "id"),
							      .to = text_of(json, "to"),
							      .text = text_of(json, "text")});
	json_object_put(json);
}

static void on_input(void *arg, int events)
{
	struct echo *echo = arg;
	char bytes[4096], *end;
	ssize_t n = read(0, bytes, sizeof bytes);

	(void)events;
	if (n <= 0) {
		echo->over = true;
		return;
	}
	buf_add(&echo->in, bytes, (size_t)n);
	while ((end = memchr(echo->in.data, '\n', echo->in.len))) {
		*end = '\0';
		obey(echo, echo->in.data);
		buf_drop(&echo->in, (size_t)(end - echo->in.data) + 1);
	}
}

/* The end, after everything that happened was printed. */
static bool is_over(void *arg)
{
	struct echo *echo = arg;

	while (echo->accepted < house_accepted_count(echo->house))
		print_accepted(echo, house_accepted(echo->house, echo->accepted++));
	while (echo->settled < house_settled_count(echo->house))
		print_settled(house_settled(echo->house, echo->settled++));
	return echo->over;
}

int main(int argc, char **argv)
{
	const struct adapter *adapter = argc > 1 ? adapter_find(argv[1]) : NULL;
	struct echo echo = {.house = house_new()};

	if (!adapter) {
		fputs("adapter_echo ADAPTER NAME=VALUE…\n", stderr);
		return 2;
	}
	void *own = own_new(echo.house, adapter);
	for (int i = 2; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		if (value)
			*value++ = '\0';
		own_set(adapter, own, argv[i], value);
	}
	struct json_object *json = json_object_new_object();
	add(json, "url", house_url(echo.house));
	if (house_open(echo.house, adapter, own)) {
		fprintf(stderr, "%s\n", house_error(echo.house));
		return 1;
	}
	print(json);
	buf_init(&echo.in, 0);
	struct loop_watch *watch =
		loop_watch(house_loop(echo.house), 0, LOOP_READ, on_input, &echo);
	while (!house_until(echo.house, is_over, &echo))
		;
	loop_watch_close(&watch);
	buf_free(&echo.in);
	house_free(&echo.house);
	return 0;
}
