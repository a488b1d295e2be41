/* bot/run/rehearse/talk.h - a written conversation, as read from its file.
 *
 * The language is described in tests/talks/README.md. Reading finds every
 * mistake at once; whether groups and channels exist is checked afterwards
 * against a configuration. Everything lives in the arena it was read into.
 */
#ifndef BOT_RUN_REHEARSE_TALK_H
#define BOT_RUN_REHEARSE_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/message.h"
#include "base/error.h"

struct arena;
struct community;
struct config;

enum { TALK_NOBODY = -1, TALK_LISTENERS_MAX = 16, TALK_ADDRESSES_MAX = 4 };

struct talk_address {
	const char *channel;
	const char *address;
};

/* Somebody in the talk. An alias ("the winner") is a person whose identity is
 * found out while the talk is played. */
struct talk_person {
	const char *name;
	int line;
	bool alias;
	struct talk_address addresses[TALK_ADDRESSES_MAX];
	size_t address_count;
	const char *language; /* as the platform tells it; NULL: it does not */
};

enum talk_step_type {
	TALK_NOTE,    /* a line for the reader */
	TALK_SAY,     /* a person writes, presses, reacts */
	TALK_AGAIN,   /* the platform delivers the last message once more */
	TALK_RECEIPT, /* the platform tells what became of the last text to somebody */
	TALK_FATE,    /* what will become of texts to somebody */
	TALK_RESTART, /* the daemon stops, and another one goes on */
	TALK_PASS,    /* time goes by */
	TALK_UNTIL,
	TALK_HEAR,    /* the bot must have said this */
	TALK_SILENCE, /* the bot must have said nothing (more) */
	TALK_CARD,    /* how a message reads by now */
	TALK_SEEN,    /* who, at most, has seen something */
};

enum talk_block { TALK_ALONE, TALK_AT_ONCE, TALK_ANY_ORDER };

enum talk_pick { TALK_EACH, TALK_SOME_OF, TALK_THE_OTHERS };

struct talk_step {
	enum talk_step_type type;
	int line;
	enum talk_block block;
	bool block_first;   /* the first of its block */
	const char *source; /* as written, for messages to the reader */

	/* Who speaks, or who is spoken to; several only for `one of` and TALK_SEEN. */
	int people[TALK_LISTENERS_MAX];
	size_t person_count;
	const char *group;   /* id; NULL: directly */
	const char *channel; /* `by phone`; NULL: the person's first address */
	const char *text;    /* what is said, or the pattern of what is heard */

	/* TALK_SAY */
	const char
		*about; /* pattern of the bot's message that is quoted, reacted to or pressed on */
	const char *button;   /* label; NULL: none is pressed */
	bool old_button;      /* it may be gone from the message by now */
	const char *reaction; /* emoji; NULL: none */
	int times;            /* how often the platform delivers it */

	/* TALK_HEAR, TALK_CARD */
	enum talk_pick pick;
	size_t picked;     /* TALK_SOME_OF: exactly so many */
	int alias;         /* person index that the one who hears is called by from now on */
	int minute_of_day; /* -1: any */
	bool one_part;     /* it fits in one SMS */
	const char *label; /* it has a button of this label */
	bool no_buttons;

	/* TALK_FATE, TALK_RECEIPT */
	struct outcome outcome;
	enum receipt receipt;
	bool every; /* not only the next one */

	/* TALK_PASS: ms. TALK_UNTIL: ms of wall time, see `dated` */
	int64_t duration;
	bool dated; /* duration is a date and time; else a time of day */
};

struct talk_mistake {
	int line;
	const char *sentence;
};

struct talk {
	const char *file;
	const char *title;
	const char
		*config; /* path of the configuration, from the talk's own folder; NULL: default */
	const char *community; /* id; NULL: the first */
	int64_t start;         /* ms as if the community's zone were UTC */
	struct talk_person *people;
	size_t person_count;
	const char **secrets; /* never to be seen in a group */
	size_t secret_count;
	bool words_shown; /* residents' words may stand in a group */
	struct talk_step *steps;
	size_t step_count;
	struct talk_mistake *mistakes;
	size_t mistake_count;
};

/* Reads the file; -1 only if it cannot be read at all. Look at mistake_count. */
int talk_read(struct talk *talk, const char *file, struct arena *arena,
	      struct error *error_r) MUST_CHECK;
/* Adds a mistake for each group and channel that the community does not have. */
void talk_check(struct talk *talk, const struct config *config, const struct community *community,
		struct arena *arena);
void talk_mistake(struct talk *talk, struct arena *arena, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Reads one statement (parse_step.c); false if a mistake was noted. */
bool talk_statement(struct talk *talk, struct arena *arena, const char *line, int number,
		    struct talk_step *step_r);

/* What was caught in braces so far. */
struct talk_variable {
	const char *name, *value;
};

struct talk_variables {
	struct arena *arena;
	struct talk_variable *items;
	size_t count;
};

/* Does the whole text fit the pattern? What it catches is kept if it does. */
bool talk_match(const char *pattern, const char *text, struct talk_variables *variables);
/* The text with its braces filled; NULL if one was never caught (its name in *unknown_r). */
char *talk_fill(const char *text, const struct talk_variables *variables, struct arena *arena,
		const char **unknown_r);

#endif
