/* bot/reading.h - what one text says, read without a person, a store or an answer.
 *
 * For `linli intake` and for measuring. Pure.
 */
#ifndef BOT_READING_H
#define BOT_READING_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct bot;
struct community;

struct reading {
	bool request;         /* the model's word; without a model, that of the word lists */
	double score;         /* 0 … 1; without a model 0 or 1 */
	const char *kind;     /* id; NULL: none or undecided */
	const char *area;     /* id; NULL */
	const char *time;     /* "2026-11-24T18:00", "2026-11-24", "2026-11-24 morning", "now",
				 "any", in the community's zone; NULL: none said */
	const char *language; /* tag; NULL: open */
	bool urgent;
};

/* `now` in wall ms, `utc_offset` in s as in struct event. Strings live in the arena or the bot. */
struct reading reading_of(const struct bot *bot, const struct community *community,
			  const char *text, int64_t now, int utc_offset, struct arena *arena);

#endif
