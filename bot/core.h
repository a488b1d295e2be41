/* bot/core.h - what the files of the core share, and nobody else sees.
 *
 * One struct core lives for one step. Documents are fetched by name, changed in
 * place, and written at the end if their bytes differ. A document that the view
 * does not hold yet is handed out empty and `need` is set: the step goes on
 * with it, so that everything missing is asked for at once, and its effects are
 * thrown away.
 */
#ifndef BOT_CORE_H
#define BOT_CORE_H

#include "base/arena.h"
#include "base/text.h"
#include "bot/step.h"
#include "bot/words.h"
#include "config/texts.h"

struct bot {
	struct lexicon lexicon;
	const struct locales *locales;
	const struct community *communities;
	size_t community_count;
	const struct bot_channel *channels;
	size_t channel_count;
};

/* When something is wanted or promised. `at` is wall ms where the part has one. */
enum part {
	PART_NONE, /* nothing said */
	PART_CLOCK,
	PART_DAY,
	PART_MORNING,
	PART_NOON,
	PART_AFTERNOON,
	PART_EVENING,
	PART_NOW,
	PART_ANY,
};

struct moment {
	int part;
	int64_t at;
};

enum stage {
	STAGE_NONE,
	STAGE_KIND,
	STAGE_AREA,
	STAGE_WHEN,
	STAGE_PLACE,
	STAGE_CONFIRM,
	STAGE_CHANGE,
	STAGE_WORDS,
};

/* A request being taken down. */
struct draft {
	int stage;
	const char *words; /* the resident's own, all texts joined */
	const char *last;  /* folded: the text that came last */
	const char *kind, *area;
	const char *place; /* "": asked, and none given */
	struct moment when;
	bool urgent, danger;
	int64_t asked_at; /* ms; also what a button of this question carries */
};

enum question_kind { QUESTION_NONE, QUESTION_DONE, QUESTION_PICK, QUESTION_CHANGE };

/* Something asked of a person besides the draft; the last one is answered first. */
struct question {
	int kind;
	int verb; /* PICK: what to do with the one picked */
	const char *code;
	const char *rest;  /* PICK: words that came with the command */
	const char *group; /* PICK: asked in this group; NULL: in private */
	struct texts options;
	int64_t at;
};

struct person {
	const char *key; /* keyed hash of the address; not stored inside */
	const char *channel, *address;
	const char *language; /* tag */
	const char *handle;
	int64_t number; /* makes "neighbour 37" */
	bool volunteer, stopped;
	bool blocked; /* the platform says so; until they write again only what they ask for is tried */
	int64_t seen_at, danger_at;
	int64_t flood_from, flood_count;
	struct draft draft;
	struct question *questions;
	size_t question_count;
	struct texts requests; /* codes of open tasks asked for */
	struct texts claims;   /* codes held */
};

enum claim_state { CLAIM_HELD, CLAIM_WAY, CLAIM_ARRIVED, CLAIM_DONE };

struct claim {
	int64_t id; /* 1, 2 … within the task */
	const char *person, *handle;
	const char *group; /* where it was claimed; NULL: in private */
	int state;
	int64_t until; /* the lease's end, ms */
	bool reminded;
	struct moment promise;
	const char *promise_words; /* what was not understood as a time */
	const char *safety;
	bool unreached; /* the details could not be delivered yet */
};

struct card {
	const char *group, *message;
	int64_t shown; /* hash of the text last sent */
};

enum task_state { TASK_NONE, TASK_OPEN, TASK_TAKEN, TASK_DONE, TASK_DISPUTED, TASK_CLOSED };
enum task_end {
	END_NONE,
	END_CONFIRMED,
	END_UNCONFIRMED,
	END_CANCELLED,
	END_EXPIRED,
	END_ORGANISER
};

struct task {
	const char *code; /* not stored inside */
	int state, end;
	const char *kind, *area;
	struct moment when;
	bool urgent, danger, told; /* told: organisers know it is unfilled */
	int64_t helpers, created_at, closed_at, last_claim;
	const char *resident; /* person key */
	const char *words, *place;
	struct claim *claims;
	size_t claim_count;
	struct card *cards;
	size_t card_count;
	struct texts late; /* keys of those told that it is taken */
};

/* What hangs in one group: message ids that stand for codes, and codes open. */
struct pin {
	const char *code, *message;
};

struct board {
	const char *id;
	struct pin *pins;
	size_t pin_count;
	struct texts open;
	const char *latest; /* the code shown last */
};

struct record;

struct core {
	const struct bot *bot;
	const struct event *event;
	const struct community *community;
	struct view *view;
	struct arena *arena;
	struct commit *commit;
	bool need;
	uint64_t random;
	struct record *records;
	size_t record_count;
	/* of a message */
	const struct bot_channel *channel;
	const struct group *group; /* NULL: direct */
	struct person *me;
	bool organiser;
	bool danger;      /* this text speaks of danger */
	bool noted;       /* it was added to the draft, and the person should see that */
	const char *text; /* as written; "" if none */
	const char *folded;
	int64_t when_from; /* a clock time without a day is on this day; 0: from now on */
};

/* view.c */
void view_begin(struct view *view);
void view_reads(const struct view *view, struct arena *arena, struct commit *commit);

/* documents.c */
struct person *person_get(struct core *core, const char *key);
struct task *task_get(struct core *core, const char *code);
struct board *board_get(struct core *core, const char *group);
/* Where tasks stand that no group is shown. */
#define BOARD_PRIVATE NULL
void documents_write(struct core *core);
bool texts_have(const struct texts *texts, const char *item);
void texts_add(struct arena *arena, struct texts *texts, const char *item);
void texts_remove(struct texts *texts, const char *item);

/* effects.c */
#define BLANKS(...)                                                                                \
	(struct blank[]){__VA_ARGS__}, sizeof((struct blank[]){__VA_ARGS__}) / sizeof(struct blank)

struct buttons {
	struct message_button items[MESSAGE_BUTTONS_MAX];
	size_t count;
};

struct post {
	const char *text, *about, *edit, *ref, *replaces;
	const struct buttons *buttons;
};

char *core_say(struct core *core, int language, enum text_id id, const struct blank *blanks,
	       size_t count);
void send_group(struct core *core, const struct group *group, const struct post *post);
void send_person(struct core *core, const struct person *person, const struct post *post);
void send_address(struct core *core, const char *channel, const char *address,
		  const struct post *post);
void send_organisers(struct core *core, const char *text);
/* Answers where the message came from. */
void reply(struct core *core, const char *text);
void reply_buttons(struct core *core, const char *text, const struct buttons *buttons);
void say(struct core *core, enum text_id id, const struct blank *blanks, size_t count);
void tell(struct core *core, const struct person *person, enum text_id id,
	  const struct blank *blanks, size_t count);
void due_set(struct core *core, const char *name, int64_t at);
void button_add(struct core *core, struct buttons *buttons, const char *label, const char *data);
uint64_t core_random(struct core *core);
const struct bot_channel *core_channel(const struct core *core, const char *name);

/* language.c */
void language_guess(struct core *core);
bool language_command(struct core *core);
int person_language(const struct core *core, const struct person *person);
/* The language of an answer to this message. */
int reply_language(const struct core *core);
const char *name_in(const struct core *core, const struct names *names, int language,
		    const char *otherwise);
const char *neighbour(struct core *core, const struct person *person, int language);

/* community.c */
const struct kind *kind_find(const struct core *core, const char *id);
const struct area *area_find(const struct core *core, const char *id);
const struct group *group_find(const struct core *core, const char *id);
const struct group *group_at(const struct core *core, const char *channel, const char *address);
bool organiser_is(const struct core *core, const char *channel, const char *address);
bool group_takes(const struct group *group, const struct kind *kind, const struct area *area);
const char *kind_name(struct core *core, const char *id, int language);
const char *area_name(const struct core *core, const char *id, int language);
/* The kind or area that a folded text speaks of most; NULL if none or undecided. */
const struct kind *kind_guess(const struct core *core, const char *folded);
const struct area *area_guess(const struct core *core, const char *folded);

/* codes.c */
bool code_valid(const char *digits);
/* A code no document knows, drawn from the event's seed. */
const char *code_draw(struct core *core);

/* when.c */
/* The last moment that a text speaks of. *rest_r: no words besides it. */
bool moment_find(struct core *core, const char *text, struct moment *moment_r, bool *alone_r);
const char *moment_say(struct core *core, int language, struct moment moment);

/* consent.c, danger.c, flood.c: true if nothing more is to be done */
bool consent_handle(struct core *core);
void consent_stop(struct core *core);
void danger_look(struct core *core);
/* Words of danger stand in this folded text. */
bool danger_in(const struct bot *bot, const char *folded);
bool flood_handle(struct core *core);

/* intake.c, draft.c */
void intake_text(struct core *core);
/* This text wants something done: by its words, or by the community's model. */
bool intake_wants(const struct core *core);
void draft_next(struct core *core);
void draft_answer(struct core *core, const char *text);
void draft_drop(struct core *core);
void draft_note(struct core *core, const char *text);
bool draft_place_said(const struct core *core, const char *folded);

/* cards.c */
enum news { NEWS_CLAIMED, NEWS_REOPENED, NEWS_CLOSED, NEWS_CHANGED };
void cards_post(struct core *core, struct task *task);
void cards_update(struct core *core, struct task *task, enum news news);
/* The platform's id of a card is known now. */
void card_sent(struct core *core, const char *code, const char *group, const char *message);
const char *card_code(const struct board *board, const char *message);
const char *claim_names(struct core *core, const struct task *task, int language);

/* tasks.c */
void task_open(struct core *core);
void task_close(struct core *core, struct task *task, enum task_end end);
void task_reopen(struct core *core, struct task *task);
void task_waited(struct core *core, struct task *task);
size_t task_held(const struct task *task);
bool task_live(const struct task *task);
struct claim *task_claim_of(const struct task *task, const char *person);
void task_due(struct core *core, const struct task *task, int64_t at);
void claim_due(struct core *core, const struct task *task, const struct claim *claim, int64_t at);
void claim_drop(struct core *core, struct task *task, struct claim *claim);
const char *task_line(struct core *core, const struct task *task, int language);

/* claims.c: what volunteers do with a task */
void claim_take(struct core *core, const char *code, const char *rest);
void claim_release(struct core *core, struct task *task, struct claim *claim);
void claim_details(struct core *core, const struct task *task, const struct claim *claim,
		   const struct person *person);
void claim_extend(struct core *core, const struct task *task, struct claim *claim);
void claim_handle(struct core *core, enum verb verb, const char *code, const char *rest);
/* Details that could not be delivered before go out now. */
void claim_waiting(struct core *core);

/* requests.c: what residents do with a task */
void request_handle(struct core *core, enum verb verb, const char *code, const char *rest);
void request_ask_done(struct core *core, struct task *task, const struct claim *claim);
void request_change(struct core *core, const char *code, const char *text);

/* commands.c */
bool command_run(struct core *core, const struct command *command);
void command_do(struct core *core, enum verb verb, const char *code, const char *rest);

/* questions.c */
bool question_answer(struct core *core);
/* A free text that a question waits for. */
bool question_text(struct core *core);
void question_put(struct core *core, struct person *person, const struct question *question);
void question_drop(struct person *person, const char *code);
void question_again(struct core *core);
void question_pick(struct core *core, enum verb verb, const char *rest, const struct texts *codes);

/* organise.c */
void organise_list(struct core *core);
void organise_close(struct core *core, const char *code, const char *reason);
struct texts open_codes(struct core *core, const struct group *group);

/* due.c, outcome.c, direct.c, groups.c */
void due_handle(struct core *core);
void outcome_handle(struct core *core);
void direct_handle(struct core *core);
void group_handle(struct core *core);

#endif
