/* bot/words.h - commands and answers as people type them.
 *
 * Private to the core. All texts here are folded (base/text.h).
 */
#ifndef BOT_WORDS_H
#define BOT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "bot/lexicon.h"

struct arena;
struct bot;

enum verb {
	VERB_NONE,
	VERB_CLAIM,
	VERB_RELEASE,
	VERB_WAY,
	VERB_ARRIVED,
	VERB_DONE,
	VERB_KEEP,
	VERB_CANCEL,
	VERB_STATUS,
	VERB_CHANGE,
	VERB_YES,
	VERB_NO,
	VERB_JOIN,
	VERB_LIST,
	VERB_CLOSE,
	VERB_CODE, /* a code and nothing else */
	VERB_COUNT,
};

struct command {
	enum verb verb;
	const char *code; /* NULL: none named */
	const char *rest; /* folded words after it; "" if none */
};

/* What a folded text commands; VERB_NONE if it is no command. */
struct command words_parse(const struct bot *bot, struct arena *arena, const char *folded);
/* A verb by its name in button data. */
enum verb words_verb(const char *name, size_t len);
const char *words_verb_name(enum verb verb);

/* The whole text is a word of this list, in any language. */
bool words_are(const struct bot *bot, enum list list, const char *folded);
/* Longer words may have one letter wrong. */
bool words_nearly(const struct bot *bot, enum list list, const char *folded);
/* The text begins with a word of this list. */
bool words_begin(const struct bot *bot, enum list list, const char *folded);
/* A word of this list stands somewhere in the text. */
bool words_in(const struct bot *bot, enum list list, const char *folded);
/* Bytes of the longest word of the list standing at this place; 0: none. */
size_t words_at(const struct bot *bot, enum list list, const char *text, const char *place);
/* Every word of the text is one of the list. */
bool words_only(const struct bot *bot, enum list list, const char *folded);
/* Nothing but greetings, thanks and the like. */
bool words_small_talk(const struct bot *bot, const char *folded);
/* A question to us rather than an answer; `text` as written, `folded` the same folded. */
bool words_question(const struct bot *bot, const char *text, const char *folded);
/* A word of this list, with nothing around it but thanks and courtesies. */
bool words_politely(const struct bot *bot, enum list list, const char *folded);
/* `word` stands in `folded`, not as a part of a longer word or number. */
bool word_in(const char *folded, const char *word);
/* 0 … 99 when the text is a choice ("3", "三", "选3", "the third"); -1. */
int words_digit(const struct bot *bot, const char *folded);
/* A number word at this place (digits or words): its value and bytes; -1. */
int words_number(const struct bot *bot, const char *text, const char *place, size_t *bytes_r);
/* A reaction that means "I take it"; as the platform gives it. */
bool words_reaction(const struct bot *bot, struct arena *arena, const char *reaction);

#endif
