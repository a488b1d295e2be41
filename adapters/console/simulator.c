/* adapters/console/simulator.c - a channel whose platform is a page that we serve ourselves. */
#include <stdlib.h>
#include <string.h>

#include "adapters/console/simulator.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/loop.h"

static const struct setting simulator_settings[] = {
	{.name = "residents",
	 .type = SETTING_TEXTS,
	 .offset = offsetof(struct simulator, residents),
	 .flags = SETTING_REQUIRED | SETTING_NO_RELOAD,
	 .help = "Residents' phones on the page, each \"+8613800000001 Mrs Wang zh-CN\": number, "
		 "name shown on the page only, language (may be left out)."},
	{.name = "volunteers",
	 .type = SETTING_TEXTS,
	 .offset = offsetof(struct simulator, volunteers),
	 .flags = SETTING_NO_RELOAD,
	 .help = "Volunteers, written like residents; they speak in the groups under their names."},
	{.name = "organisers",
	 .type = SETTING_TEXTS,
	 .offset = offsetof(struct simulator, organisers),
	 .flags = SETTING_NO_RELOAD,
	 .help = "Organisers, written like residents; they may speak in the groups too."},
	{.name = "groups",
	 .type = SETTING_TEXTS,
	 .offset = offsetof(struct simulator, groups),
	 .flags = SETTING_NO_RELOAD,
	 .help = "Group chats, each \"volunteers Helping hands zh-CN\": id (the address of the "
		 "community's group), title, language."},
	{.name = "open",
	 .type = SETTING_BOOL,
	 .offset = offsetof(struct simulator, open),
	 .standard = "no",
	 .help = "Serve the page to other machines too, under the host of public_url. Whoever can "
		 "open the page can be anybody on it."},
	{.name = NULL},
};

struct settlement {
	struct settlement *next;
	char *send_id, *message_id;
	bool sent;
};

static bool address_ok(const char *address, size_t len)
{
	return len > 0 && len <= SIMULATOR_ID_MAX &&
	       strspn(address,
		      "+-_.:@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
		       strlen(address);
}

static bool language_ok(const char *tag)
{
	size_t len = strlen(tag);
	return len >= 2 && len <= 12 && strspn(tag, "abcdefghijklmnopqrstuvwxyz") >= 2 &&
	       (tag[2] == '\0' || tag[2] == '-' || tag[3] == '\0' || tag[3] == '-');
}

/* "address some name language": the last word is a language only if it looks like a tag. */
static int entry_split(struct arena *arena, const char *row, struct person *person_r)
{
	char *copy = arena_str(arena, row);
	char *name = copy + strcspn(copy, " ");
	if (*name != '\0')
		*name++ = '\0';
	name += strspn(name, " ");
	if (!address_ok(copy, strlen(copy)) || *name == '\0')
		return -1;
	person_r->address = copy;
	person_r->name = name;
	char *last = strrchr(name, ' ');
	if (last != NULL && language_ok(last + 1)) {
		person_r->language = last + 1;
		while (last > name && last[-1] == ' ')
			last--;
		*last = '\0';
	}
	return 0;
}

static int add_people(struct simulator *simulator, const char *row, const struct texts *texts,
		      enum role role, struct error *error_r)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct person person = {.role = role};
		if (entry_split(simulator->arena, texts->items[i], &person) != 0)
			return error_set(error_r,
					 "%s: entry %zu should be an address, a name and maybe a "
					 "language, such as \"+8613800000001 Wang zh-CN\"",
					 row, i + 1);
		if (simulator_person(simulator, person.address) != NULL)
			return error_set(error_r,
					 "%s: entry %zu has an address that another one has", row,
					 i + 1);
		simulator->people[simulator->people_count++] = person;
	}
	return 0;
}

static int add_rooms(struct simulator *simulator, struct error *error_r)
{
	for (size_t i = 0; i < simulator->groups.count; i++) {
		struct person entry = {.name = NULL};
		if (entry_split(simulator->arena, simulator->groups.items[i], &entry) != 0)
			return error_set(error_r,
					 "groups: entry %zu should be an id, a title and maybe a "
					 "language, such as \"volunteers Helpers en\"",
					 i + 1);
		for (size_t j = 0; j < simulator->room_count; j++)
			if (strcmp(simulator->rooms[j].id, entry.address) == 0)
				return error_set(error_r, "groups: \"%s\" is there twice",
						 entry.address);
		simulator->rooms[simulator->room_count++] = (struct room){
			.id = entry.address, .title = entry.name, .language = entry.language};
	}
	return 0;
}

static void settle_all(void *arg)
{
	struct simulator *simulator = arg;
	struct channel *channel = simulator->channel;
	/* The house may send again from inside settled(): those wait for the next turn. */
	struct settlement *list = simulator->settlements;
	simulator->settlements = NULL;
	simulator->settlements_end = &simulator->settlements;
	while (list != NULL) {
		struct settlement *settlement = list;
		list = settlement->next;
		struct outcome outcome = {.kind = OUTCOME_SENT,
					  .message_id = settlement->message_id};
		if (!settlement->sent)
			outcome = (struct outcome){.kind = OUTCOME_REFUSED,
						   .refusal = REFUSAL_UNREACHABLE,
						   .reason = "no such phone or group on the page"};
		channel->host->settled(channel->host->self, channel, settlement->send_id, &outcome);
		free(settlement->send_id);
		free(settlement->message_id);
		free(settlement);
	}
	simulator_rest(simulator);
}

static void settle_later(struct simulator *simulator, const struct message_out *message, bool sent)
{
	struct settlement *settlement = xalloc(sizeof *settlement);
	settlement->send_id = xstrdup(message->id);
	settlement->message_id = xstrdup(message->edit != NULL ? message->edit : message->id);
	settlement->sent = sent;
	*simulator->settlements_end = settlement;
	simulator->settlements_end = &settlement->next;
	loop_timer_start(simulator->timer, 0, 0);
}

static int simulator_open(struct channel *channel, struct error *error_r)
{
	struct simulator *simulator = channel->own;
	simulator->channel = channel;
	simulator->settlements_end = &simulator->settlements;
	simulator->arena = arena_new();
	size_t people = simulator->residents.count + simulator->volunteers.count +
			simulator->organisers.count;
	simulator->people = arena_alloc(simulator->arena, (people + 1) * sizeof *simulator->people);
	simulator->rooms = arena_alloc(simulator->arena,
				       (simulator->groups.count + 1) * sizeof *simulator->rooms);
	if (add_people(simulator, "residents", &simulator->residents, ROLE_RESIDENT, error_r) !=
		    0 ||
	    add_people(simulator, "volunteers", &simulator->volunteers, ROLE_VOLUNTEER, error_r) !=
		    0 ||
	    add_people(simulator, "organisers", &simulator->organisers, ROLE_ORGANISER, error_r) !=
		    0 ||
	    add_rooms(simulator, error_r) != 0) {
		simulator_forget(simulator);
		return -1;
	}
	simulator->talk_count = simulator->people_count + simulator->room_count;
	simulator->talks = xalloc((simulator->talk_count + 1) * sizeof *simulator->talks);
	for (size_t i = 0; i < simulator->people_count; i++)
		simulator->talks[i].phone = &simulator->people[i];
	for (size_t i = 0; i < simulator->room_count; i++)
		simulator->talks[simulator->people_count + i].room = &simulator->rooms[i];
	simulator->stamp = clock_wall_ms() * 1000;
	simulator->session = simulator->stamp;
	simulator->timer = loop_timer(channel->host->loop, settle_all, simulator);
	channel->host->health(channel->host->self, channel, CHANNEL_UP, NULL);
	return 0;
}

void simulator_rest(struct simulator *simulator)
{
	if (!simulator->closing || simulator->waiting > 0 || simulator->settlements != NULL ||
	    simulator->timer == NULL)
		return;
	loop_timer_close(&simulator->timer);
	simulator_forget(simulator);
	struct channel *channel = simulator->channel;
	channel->host->closed(channel->host->self, channel);
}

static void simulator_close(struct channel *channel)
{
	struct simulator *simulator = channel->own;
	simulator->closing = true;
	pages_close(simulator);
	/* What is still to be settled has been shown; the timer says so and then that we rest. */
	loop_timer_start(simulator->timer, 0, 0);
}

/* A send repeated by the house finds its note there and changes nothing. */
static void show(struct simulator *simulator, struct talk *talk, const struct message_out *message)
{
	const char *id = message->edit != NULL ? message->edit : message->id;
	struct note *note = talk_note(talk, id);
	if (note != NULL && message->edit == NULL)
		return;
	if (note == NULL) {
		/* Also an edit of what an earlier life of the daemon had posted. */
		note = xalloc(sizeof *note);
		note->id = xstrdup(id);
		note->at = clock_wall_ms();
		note->seq = simulator_stamp(simulator);
		note->about = message->about != NULL ? xstrdup(message->about) : NULL;
		note = talk_add(talk, note);
	}
	free(note->text);
	note->text = xstrdup(message->text != NULL ? message->text : "");
	note->edited = message->edit != NULL;
	note->rev = simulator_stamp(simulator);
	/* Phones are plain: no buttons there, as on the oldest one in the neighbourhood. */
	note_buttons(note, message->buttons, talk->room != NULL ? message->button_count : 0);
	pages_tell(simulator, talk, note);
}

static void simulator_send(struct channel *channel, const struct message_out *message)
{
	struct simulator *simulator = channel->own;
	struct talk *talk = simulator_talk(simulator, message->to, message->group);
	if (talk != NULL)
		show(simulator, talk, message);
	settle_later(simulator, message, talk != NULL);
}

static void simulator_hold(struct channel *channel, bool held)
{
	struct simulator *simulator = channel->own;
	simulator->held = held;
}

const struct adapter simulator_adapter = {
	.name = "simulator",
	.can = CAN_DIRECT | CAN_GROUP | CAN_EDIT | CAN_BUTTON | CAN_REACT | CAN_QUOTE | CAN_ONCE,
	.text_max = SIMULATOR_POINTS_MAX,
	.own_size = sizeof(struct simulator),
	.settings = simulator_settings,
	.routes = simulator_routes,
	.has_page = true,
	.open = simulator_open,
	.close = simulator_close,
	.send = simulator_send,
	.hold = simulator_hold,
};
