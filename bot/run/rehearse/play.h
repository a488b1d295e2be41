/* bot/run/rehearse/play.h - one performance of a talk, and its transcript. */
#ifndef BOT_RUN_REHEARSE_PLAY_H
#define BOT_RUN_REHEARSE_PLAY_H

#include "bot/run/rehearse/stage.h"
#include "bot/run/rehearse/talk.h"

struct buf;

enum entry_type {
	ENTRY_SAID,    /* by a person */
	ENTRY_HEARD,   /* from the bot */
	ENTRY_CHANGED, /* a message of the bot, in place */
	ENTRY_LOST,    /* from the bot, and not delivered */
	ENTRY_NOTE,
	ENTRY_FAILURE,
};

/* One line of what people see. */
struct entry {
	enum entry_type type;
	int64_t at;
	int person; /* who speaks or is spoken to; TALK_NOBODY in a group's message */
	const struct group *group;
	const char *channel;
	const char *text;
	const char *about; /* what is quoted */
	struct message_button buttons[MESSAGE_BUTTONS_MAX];
	size_t button_count;
	const char *
		message_id; /* of the bot's messages; an edit has that of the message it replaces */
	const char *send_id;
	const char *remark;           /* for the reader */
	const struct talk_step *step; /* during which it was said */
	bool expected;                /* a line of the talk speaks of it */
};

/* What will become of texts to somebody. */
struct fate {
	const struct talk_step *step;
	bool used;
};

/* Something that will happen by itself. */
struct pending_due {
	const char *name;
	int64_t at;
};

struct play {
	const struct talk *talk;
	const struct config *config;
	const struct community *community;
	struct arena *arena;
	struct arena *scratch; /* cleared after every look */
	struct stage *stage;
	struct stage_host stage_host;
	struct talk_variables variables;
	struct entry *entries;
	size_t entry_count;
	int *alias; /* who a person of the talk is; itself unless an alias */
	struct fate *fates;
	size_t fate_count;
	struct pending_due *dues;
	size_t due_count;
	size_t message_count;
	/* of the last `one of` */
	int others[TALK_LISTENERS_MAX];
	size_t other_count;
	/* for TALK_AGAIN */
	const char *last_channel;
	struct message_in last;
	const struct talk_step *step; /* being played */
	bool loose; /* what the bot says need not be expected: random people, not a talk */
	bool failed;
	size_t events;
};

struct performance {
	const struct talk *talk;
	const struct config *config;
	const struct community *community;
	const struct locales *locales;
	uint64_t seed;
	bool draft; /* what is unexpected is written down as a talk, and no failure */
};

/* Plays the talk once; the transcript is appended to `out` if wanted. False: it failed. */
bool play_talk(const struct performance *performance, struct arena *arena, struct buf *out);

/* The same in pieces, for people who make it up as they go. play_end() tells whether all was
 * well; the play and all it shows live in the arena. */
struct play *play_begin(const struct performance *performance, struct arena *arena);
/* Steps of a block are played one by one; everything begins to happen with the last. */
void play_step(struct play *play, const struct talk_step *step, bool last_of_block);
bool play_end(struct play *play);

/* play.c's parts */
struct entry *play_entry(struct play *play, enum entry_type type);
void play_fail(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3)));
int play_person(const struct play *play, int person);
/* "bot → 王奶奶" */
const char *play_where(const struct play *play, const struct entry *entry);
/* The newest state of the message that `entry` brought: itself, or its last edit. */
const struct entry *play_now_reads(const struct play *play, const struct entry *entry);

/* hear.c: what the bot says is taken down, and compared with the talk. */
void play_spoken(void *arg, const char *channel, const struct message_out *message,
		 struct outcome *outcome_r);
void play_hear(struct play *play, const struct talk_step *step);
void play_silence(struct play *play, const struct talk_step *step);
void play_card(struct play *play, const struct talk_step *step);
void play_seen(struct play *play, const struct talk_step *step);
/* The newest message of the bot, where somebody can see it, that fits and carries the button. */
const struct entry *play_find(struct play *play, int person, const struct group *group,
			      const char *pattern, const char *label, bool old_button);

/* watch.c: what must hold always, whatever the talk says. */
void watch_entry(struct play *play, const struct entry *entry);
void watch_stepped(void *arg, const struct event *event, const struct commit *commit);
void watch_rest(struct play *play);
void watch_log(struct play *play, const char *line);

/* print.c */
void print_transcript(const struct play *play, struct buf *out);
/* The talk's steps again, with all that the bot said besides. */
void print_draft(const struct play *play, struct buf *out);

#endif
