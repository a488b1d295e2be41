/* bot/lexicon.h - the word lists of all locales, merged and found without searching.
 *
 * Private to the core. Built once per bot; read-only afterwards.
 */
#ifndef BOT_LEXICON_H
#define BOT_LEXICON_H

#include <stddef.h>
#include <stdint.h>

struct locales;

/* Each row is a list in config/locales: its name there and its name here. */
#define LEXICON_LISTS(X)                                                                           \
	X(STOP, "stop")                                                                            \
	X(STOP_SMS, "stop_sms")                                                                    \
	X(START, "start")                                                                          \
	X(HELP, "help")                                                                            \
	X(CLAIM, "claim")                                                                          \
	X(ACCEPT, "accept")                                                                        \
	X(RELEASE, "release")                                                                      \
	X(WAY, "way")                                                                              \
	X(ARRIVED, "arrived")                                                                      \
	X(DONE, "done")                                                                            \
	X(KEEP, "keep")                                                                            \
	X(CANCEL, "cancel")                                                                        \
	X(STATUS, "status")                                                                        \
	X(CHANGE, "change")                                                                        \
	X(YES, "yes")                                                                              \
	X(NO, "no")                                                                                \
	X(JOIN, "join")                                                                            \
	X(LIST, "list")                                                                            \
	X(CLOSE, "close")                                                                          \
	X(POST, "post")                                                                            \
	X(SKIP, "skip")                                                                            \
	X(POLITE, "polite")                                                                        \
	X(NOISE, "noise")                                                                          \
	X(GREETING, "greeting")                                                                    \
	X(THANKS, "thanks")                                                                        \
	X(ASKING, "asking")                                                                        \
	X(QUESTION, "question")                                                                    \
	X(URGENT, "urgent")                                                                        \
	X(PLACE, "place")                                                                          \
	X(HOUSE, "house")                                                                          \
	X(DANGER, "danger")                                                                        \
	X(DANGER_WHOLE, "danger_whole")                                                            \
	X(REACTION, "reaction")                                                                    \
	X(CHOOSE, "choose")                                                                        \
	X(ORDINAL_1, "ordinal_1")                                                                  \
	X(ORDINAL_2, "ordinal_2")                                                                  \
	X(ORDINAL_3, "ordinal_3")                                                                  \
	X(ORDINAL_4, "ordinal_4")                                                                  \
	X(ORDINAL_5, "ordinal_5")                                                                  \
	X(ORDINAL_6, "ordinal_6")                                                                  \
	X(ORDINAL_7, "ordinal_7")                                                                  \
	X(ORDINAL_8, "ordinal_8")                                                                  \
	X(ORDINAL_9, "ordinal_9")                                                                  \
	X(NUMBER_0, "number_0")                                                                    \
	X(NUMBER_1, "number_1")                                                                    \
	X(NUMBER_2, "number_2")                                                                    \
	X(NUMBER_3, "number_3")                                                                    \
	X(NUMBER_4, "number_4")                                                                    \
	X(NUMBER_5, "number_5")                                                                    \
	X(NUMBER_6, "number_6")                                                                    \
	X(NUMBER_7, "number_7")                                                                    \
	X(NUMBER_8, "number_8")                                                                    \
	X(NUMBER_9, "number_9")                                                                    \
	X(NUMBER_10, "number_10")                                                                  \
	X(NUMBER_11, "number_11")                                                                  \
	X(NUMBER_12, "number_12")                                                                  \
	X(NUMBER_15, "number_15")                                                                  \
	X(NUMBER_20, "number_20")                                                                  \
	X(NUMBER_30, "number_30")                                                                  \
	X(NUMBER_40, "number_40")                                                                  \
	X(NUMBER_45, "number_45")                                                                  \
	X(NUMBER_50, "number_50")                                                                  \
	X(WHEN_START, "when_start")                                                                \
	X(WHEN_DAY, "when_day")                                                                    \
	X(WHEN_IN, "when_in")                                                                      \
	X(WHEN_HALF, "when_half")                                                                  \
	X(WHEN_AND_HALF, "when_and_half")                                                          \
	X(WHEN_HOURS, "when_hours")                                                                \
	X(WHEN_MINUTES, "when_minutes")                                                            \
	X(WHEN_DAYS, "when_days")                                                                  \
	X(WHEN_AFTER, "when_after")                                                                \
	X(WHEN_AT, "when_at")                                                                      \
	X(WHEN_OCLOCK, "when_oclock")                                                              \
	X(WHEN_QUARTER, "when_quarter")                                                            \
	X(WHEN_MINUTE_MARK, "when_minute_mark")                                                    \
	X(WHEN_PM, "when_pm")                                                                      \
	X(WHEN_AM, "when_am")                                                                      \
	X(WHEN_DAY_0, "when_day_0")                                                                \
	X(WHEN_DAY_1, "when_day_1")                                                                \
	X(WHEN_DAY_2, "when_day_2")                                                                \
	X(WHEN_PART_0_0, "when_part_0_0")                                                          \
	X(WHEN_PART_0_1, "when_part_0_1")                                                          \
	X(WHEN_PART_1_0, "when_part_1_0")                                                          \
	X(WHEN_PART_1_1, "when_part_1_1")                                                          \
	X(WHEN_PART_2_0, "when_part_2_0")                                                          \
	X(WHEN_PART_2_1, "when_part_2_1")                                                          \
	X(WHEN_PART_3_0, "when_part_3_0")                                                          \
	X(WHEN_PART_3_1, "when_part_3_1")                                                          \
	X(WHEN_PART_0, "when_part_0")                                                              \
	X(WHEN_PART_1, "when_part_1")                                                              \
	X(WHEN_PART_2, "when_part_2")                                                              \
	X(WHEN_PART_3, "when_part_3")                                                              \
	X(WHEN_NEXT, "when_next")                                                                  \
	X(WHEN_NOW, "when_now")                                                                    \
	X(WHEN_ANY, "when_any")                                                                    \
	X(WHEN_FILLER, "when_filler")                                                              \
	X(WEEKDAY_0, "weekday_0")                                                                  \
	X(WEEKDAY_1, "weekday_1")                                                                  \
	X(WEEKDAY_2, "weekday_2")                                                                  \
	X(WEEKDAY_3, "weekday_3")                                                                  \
	X(WEEKDAY_4, "weekday_4")                                                                  \
	X(WEEKDAY_5, "weekday_5")                                                                  \
	X(WEEKDAY_6, "weekday_6")

enum list {
#define LEXICON_ID(id, name) LIST_##id,
	LEXICON_LISTS(LEXICON_ID)
#undef LEXICON_ID
		LIST_COUNT
};

struct lexicon_word {
	const char *word; /* folded; borrowed from the locales */
	size_t len;
};

struct lexicon_list {
	struct lexicon_word *words;
	size_t count;
	uint64_t first[4]; /* a bit for each first letter that occurs */
};

struct lexicon {
	struct lexicon_list lists[LIST_COUNT];
};

void lexicon_load(struct lexicon *lexicon, const struct locales *locales);
void lexicon_clear(struct lexicon *lexicon);
/* False if no word of the list begins like this place; true says nothing. */
static inline int lexicon_may(const struct lexicon_list *list, const char *place)
{
	const unsigned char *p = (const unsigned char *)place;
	unsigned bit = p[0] < 0x80 || !p[1] ? p[0] : (p[0] * 31u + p[1] * 7u + p[2]) & 255u;
	return (list->first[bit >> 6] >> (bit & 63)) & 1;
}

#endif
