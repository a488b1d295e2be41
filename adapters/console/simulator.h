/* adapters/console/simulator.h - what the simulator's files share.
 *
 * simulator.c is the adapter, simulator_talks.c keeps what was said (in memory,
 * bounded, gone with the daemon), simulator_pages.c serves the page,
 * simulator_typed.c takes what people type there. Private to the folder; loop thread only.
 */
#ifndef ADAPTERS_CONSOLE_SIMULATOR_H
#define ADAPTERS_CONSOLE_SIMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"
#include "adapters/web.h"

struct arena;
struct json_object;
struct loop_timer;

enum {
	SIMULATOR_NOTES_MAX = 200, /* kept per conversation */
	SIMULATOR_PAGES_MAX = 32,  /* open event streams */
	SIMULATOR_POINTS_MAX = 4000,
	SIMULATOR_ID_MAX = 64,
};

enum role { ROLE_RESIDENT, ROLE_VOLUNTEER, ROLE_ORGANISER };

struct person {
	const char *address, *name, *language; /* language NULL: not told */
	enum role role;
};

struct room {
	const char *id, *title, *language;
};

struct note_button {
	char *label, *data;
};

struct note_reaction {
	char *emoji;
	const struct person *by;
};

/* One message as the page shows it. `seq` is its place, `rev` grows at every change; both come
 * from one counter that starts at the wall clock, so a later daemon's are greater. */
struct note {
	char *id;
	const struct person *from; /* NULL: the bot */
	char *text;                /* a press: the button's label, "" if not known any more */
	char *about;               /* NULL: quotes nothing */
	bool press, edited;
	int64_t at, seq, rev;
	struct note_button buttons[MESSAGE_BUTTONS_MAX];
	size_t button_count;
	struct note_reaction *reactions;
	size_t reaction_count;
};

/* A conversation: the bot with one phone, or a group. Exactly one of both is set. */
struct talk {
	const struct person *phone;
	const struct room *room;
	struct note *notes[SIMULATOR_NOTES_MAX]; /* by seq */
	size_t count;
};

struct simulator {
	/* rows of the settings table */
	struct texts residents, volunteers, organisers, groups;
	bool open;
	/* from here on made by open() */
	struct channel *channel;
	struct arena *arena; /* people and rooms */
	struct person *people;
	size_t people_count;
	struct room *rooms;
	size_t room_count;
	struct talk *talks; /* of every person, then of every room */
	size_t talk_count;
	int64_t stamp, session;
	struct page *pages;
	size_t page_count;
	struct settlement *settlements, **settlements_end;
	struct loop_timer *timer;
	size_t waiting; /* messages handed to the house, answer not yet known */
	bool held, closing;
};

/* simulator_talks.c */
const struct person *simulator_person(const struct simulator *simulator, const char *address);
struct talk *simulator_talk(struct simulator *simulator, const char *to, bool group);
int64_t simulator_stamp(struct simulator *simulator);
struct note *talk_note(const struct talk *talk, const char *id);
/* Takes the note over and puts it at its place. A full talk forgets its oldest: NULL if that is
 * this very note. */
struct note *talk_add(struct talk *talk, struct note *note);
/* False if that person had given that reaction before. */
bool note_react(struct note *note, const struct person *by, const char *emoji);
void note_buttons(struct note *note, const struct message_button *buttons, size_t count);
void note_free(struct note *note);
struct json_object *note_json(const struct talk *talk, const struct note *note);
/* Everything a page must know when it opens. */
struct json_object *simulator_json(const struct simulator *simulator);
void simulator_forget(struct simulator *simulator);

/* simulator_pages.c */
extern const struct web_route simulator_routes[];
void pages_tell(struct simulator *simulator, const struct talk *talk, const struct note *note);
void pages_close(struct simulator *simulator);
/* True if the request was refused: it came from elsewhere. */
bool pages_refused(const struct simulator *simulator, struct web_request *request);
/* Answers and lets go of the object. */
void pages_reply_json(struct web_request *request, int status, struct json_object *object);

/* simulator_typed.c: POST send; arg is the channel. */
void simulator_take(void *arg, struct web_request *request);

/* simulator.c */
/* After the last thing under way has ended, tells the house that the channel is closed. */
void simulator_rest(struct simulator *simulator);

#endif
