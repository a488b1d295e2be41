/* tests/unit/core_bed.h - a core with documents in a plain map: send it messages, see what it does.
 */
#ifndef TESTS_UNIT_CORE_BED_H
#define TESTS_UNIT_CORE_BED_H

#include "base/arena.h"
#include "bot/step.h"
#include "config/texts.h"

enum { BED_DOCUMENTS = 4096, BED_SENDS = 64, BED_DUES = 4096 };

struct bed_due {
	char *name;
	int64_t at;
};

struct bed {
	struct locales *locales;
	struct bot *bot;
	struct arena *arena; /* of the last event */
	int64_t now;
	uint64_t seed;
	unsigned long events, steps;
	struct document documents[BED_DOCUMENTS]; /* keys and bodies malloc'ed */
	size_t document_count;
	struct bed_due dues[BED_DUES];
	size_t due_count;
	struct outgoing sends[BED_SENDS]; /* of the last event, with their channels */
	const char *channels[BED_SENDS];
	size_t send_count;
	struct commit commit; /* of the last event */
};

extern const struct community bed_community;

struct bed *bed_new(void);
void bed_free(struct bed **bed);
/* Steps an event and applies it; a second step must give the same bytes. */
void bed_event(struct bed *bed, struct event *event);
void bed_direct(struct bed *bed, const char *channel, const char *sender, const char *text);
void bed_group(struct bed *bed, const char *group, const char *sender, const char *text);
/* Lets time pass; all dues fire in order. */
void bed_pass(struct bed *bed, int64_t ms);
const char *bed_document(const struct bed *bed, const char *key);
/* The text sent to this address by the last event; NULL if none. Counts in *count_r if given. */
const char *bed_sent(const struct bed *bed, const char *to, size_t *count_r);
/* The code of the first open task, from the board of a group. */
const char *bed_code(struct bed *bed);

#endif
