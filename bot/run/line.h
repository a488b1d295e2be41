/* bot/run/line.h - a waiting line: those who may go, in order, and those whose time has not come. */
#ifndef BOT_RUN_LINE_H
#define BOT_RUN_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum line_where { LINE_OUT, LINE_FIRST, LINE_SECOND, LINE_DELAYED };

/* Embed it; zeroed means "not in line". */
struct line_place {
	void *owner;
	enum line_where where;
	bool second; /* of the two ranks the one that yields */
	int64_t not_before;
	uint64_t number; /* order of arrival */
	struct line_place *prev, *next;
	size_t at; /* in the heap */
};

struct line {
	struct line_place *ranks[2];
	struct line_place **delayed; /* binary heap by not_before, then number */
	size_t delayed_count, delayed_room;
	uint64_t last_number;
};

void line_free(struct line *line);
/* Joins, or changes rank; a place that is delayed already never gets an earlier time. */
void line_join(struct line *line, struct line_place *place, bool second, int64_t not_before);
void line_leave(struct line *line, struct line_place *place);
/* The next one that may go at `now`, first rank first; it has left the line then. NULL: none. */
struct line_place *line_take(struct line *line, int64_t now);
/* Does anybody wait who may go? */
bool line_waits(struct line *line, int64_t now);
/* When somebody may go: `now` or later; 0: nobody is in line. */
int64_t line_next(struct line *line, int64_t now);

#endif
