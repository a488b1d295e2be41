/* tests/browser/echo.c - the simulator in a small house that answers, for tests of the page alone.
 *
 * Prints "url …" and then obeys lines on stdin: "away" (the store is away: 503), "back", "hold"
 * (nothing is answered), "restart" (the channel is closed and opened anew), "quit". To a text it
 * answers "echo: …" on the same phone; "card" makes it post a card in the group, a pressed button
 * edits that card. How often the house was asked is printed as "accepted N".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/console/simulator.h"
#include "tests/adapters/house.h"

struct echo {
	struct house *house;
	struct simulator own;
	size_t answered, sent;
	const char **taken; /* ids of what was accepted */
	size_t taken_count;
	char line[256];
	size_t len;
	bool away, quit;
};

static const char *residents[] = {"+8613800000001 王奶奶 zh-CN", "+8613800000002 Mr Brown en"};
static const char *volunteers[] = {"+8613900000001 李明 zh-CN", "+8613900000002 Sarah en"};
static const char *organisers[] = {"+8613700000001 赵主任 zh-CN"};
static const char *groups[] = {"volunteers 志愿者互助群 zh-CN"};

static void say(struct echo *echo, struct message_out message)
{
	message.id = arena_printf(house_arena(echo->house), "send-%zu", ++echo->sent);
	house_send(echo->house, &message);
}

/* As every house does: a repeat has no effect. */
static bool taken(struct echo *echo, const char *id)
{
	for (size_t i = 0; i < echo->taken_count; i++)
		if (strcmp(echo->taken[i], id) == 0)
			return true;
	echo->taken = arena_grow(house_arena(echo->house), echo->taken, echo->taken_count,
				 sizeof *echo->taken);
	echo->taken[echo->taken_count++] = id;
	return false;
}

static void answer(struct echo *echo, const struct message_in *message)
{
	struct arena *arena = house_arena(echo->house);
	printf("accepted %zu\n", echo->answered);
	fflush(stdout);
	if (message->kind == MESSAGE_BUTTON) {
		say(echo, (struct message_out){
				  .to = message->group,
				  .group = true,
				  .text = arena_printf(arena, "taken by %s", message->name),
				  .edit = message->about,
			  });
	} else if (message->kind == MESSAGE_TEXT && message->group == NULL) {
		say(echo, (struct message_out){
				  .to = message->sender,
				  .text = arena_printf(arena, "echo: %s", message->text),
			  });
		if (strcmp(message->text, "card") == 0)
			say(echo, (struct message_out){
					  .to = "volunteers",
					  .group = true,
					  .text = "4713\n<b>groceries</b> & \"medicine\"",
					  .buttons = {{.label = "Take it", .data = "claim"},
						      {.label = "Ask", .data = "ask"}},
					  .button_count = 2,
				  });
	}
}

static void obey(struct echo *echo, const char *line)
{
	echo->away = strcmp(line, "away") == 0 || (echo->away && strcmp(line, "back") != 0);
	house_accept_as(echo->house, echo->away ? ACCEPT_LATER : ACCEPTED);
	house_accept_withhold(echo->house, strcmp(line, "hold") == 0);
	if (strcmp(line, "restart") == 0 &&
	    (!house_close(echo->house) ||
	     house_open(echo->house, house_channel(echo->house)->adapter, &echo->own) != 0))
		abort();
	echo->quit = strcmp(line, "quit") == 0;
}

static void on_stdin(void *arg, int events)
{
	struct echo *echo = arg;
	(void)events;
	ssize_t got = read(0, echo->line + echo->len, sizeof echo->line - echo->len - 1);
	if (got <= 0) {
		echo->quit = true;
		return;
	}
	echo->len += (size_t)got;
	echo->line[echo->len] = '\0';
}

/* Something to do outside of the loop's callbacks. */
static bool something(void *arg)
{
	struct echo *echo = arg;
	return echo->quit || house_accepted_count(echo->house) > echo->answered ||
	       strchr(echo->line, '\n') != NULL;
}

int main(void)
{
	struct echo echo = {.house = house_new()};
	echo.own = (struct simulator){
		.residents = {residents, 2},
		.volunteers = {volunteers, 2},
		.organisers = {organisers, 1},
		.groups = {groups, 1},
	};
	if (house_open(echo.house, adapter_find("simulator"), &echo.own) != 0) {
		fprintf(stderr, "%s\n", house_error(echo.house));
		return 1;
	}
	struct loop_watch *watch =
		loop_watch(house_loop(echo.house), 0, LOOP_READ, on_stdin, &echo);
	printf("url %s/hook/test/\n", house_url(echo.house));
	fflush(stdout);
	while (!echo.quit) {
		house_until(echo.house, something, &echo);
		for (; house_accepted_count(echo.house) > echo.answered; echo.answered++)
			if (!echo.away &&
			    !taken(&echo, house_accepted(echo.house, echo.answered)->id))
				answer(&echo, house_accepted(echo.house, echo.answered));
		char *end = strchr(echo.line, '\n');
		if (end == NULL)
			continue;
		*end = '\0';
		obey(&echo, echo.line);
		echo.len -= (size_t)(end + 1 - echo.line);
		memmove(echo.line, end + 1, echo.len + 1);
	}
	loop_watch_close(&watch);
	house_free(&echo.house);
	return 0;
}
