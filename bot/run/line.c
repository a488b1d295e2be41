/* bot/run/line.c - two ranks first come first served, and a heap of those delayed. */
#include "bot/run/line.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/arena.h"

static bool sooner(const struct line_place *a, const struct line_place *b)
{
	return a->not_before < b->not_before ||
	       (a->not_before == b->not_before && a->number < b->number);
}

static void put(struct line *line, size_t at, struct line_place *place)
{
	line->delayed[at] = place;
	place->at = at;
}

static void sift_up(struct line *line, size_t at)
{
	struct line_place *place = line->delayed[at];

	while (at > 0 && sooner(place, line->delayed[(at - 1) / 2])) {
		put(line, at, line->delayed[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(line, at, place);
}

static void sift_down(struct line *line, size_t at)
{
	struct line_place *place = line->delayed[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= line->delayed_count)
			break;
		if (child + 1 < line->delayed_count &&
		    sooner(line->delayed[child + 1], line->delayed[child]))
			child++;
		if (!sooner(line->delayed[child], place))
			break;
		put(line, at, line->delayed[child]);
		at = child;
	}
	put(line, at, place);
}

static void heap_add(struct line *line, struct line_place *place)
{
	if (line->delayed_count == line->delayed_room) {
		line->delayed_room = line->delayed_room ? 2 * line->delayed_room : 16;
		line->delayed = xrealloc(line->delayed,
					 line->delayed_room * sizeof(struct line_place *));
	}
	put(line, line->delayed_count++, place);
	sift_up(line, place->at);
}

static void heap_remove(struct line *line, struct line_place *place)
{
	size_t at = place->at;

	if (at == --line->delayed_count)
		return;
	put(line, at, line->delayed[line->delayed_count]);
	sift_down(line, at);
	sift_up(line, line->delayed[at]->at);
}

void line_free(struct line *line)
{
	free(line->delayed);
	line->delayed = NULL;
}

void line_leave(struct line *line, struct line_place *place)
{
	switch (place->where) {
	case LINE_FIRST:
		DL_DELETE(line->ranks[0], place);
		break;
	case LINE_SECOND:
		DL_DELETE(line->ranks[1], place);
		break;
	case LINE_DELAYED:
		heap_remove(line, place);
		break;
	case LINE_OUT:
		break;
	}
	place->where = LINE_OUT;
}

static void join_rank(struct line *line, struct line_place *place)
{
	place->where = place->second ? LINE_SECOND : LINE_FIRST;
	DL_APPEND(line->ranks[place->second], place);
}

void line_join(struct line *line, struct line_place *place, bool second, int64_t not_before)
{
	bool delayed = place->where == LINE_DELAYED;

	if (delayed && place->not_before >= not_before) {
		place->second = second;
		return;
	}
	if (place->where != LINE_OUT && place->second == second && !not_before)
		return;
	line_leave(line, place);
	place->second = second;
	place->not_before = not_before;
	place->number = ++line->last_number;
	if (not_before) {
		place->where = LINE_DELAYED;
		heap_add(line, place);
	} else {
		join_rank(line, place);
	}
}

static void promote(struct line *line, int64_t now)
{
	while (line->delayed_count && line->delayed[0]->not_before <= now) {
		struct line_place *place = line->delayed[0];

		line_leave(line, place);
		place->not_before = 0;
		join_rank(line, place);
	}
}

struct line_place *line_take(struct line *line, int64_t now)
{
	struct line_place *place;

	promote(line, now);
	place = line->ranks[0] ? line->ranks[0] : line->ranks[1];
	if (place)
		line_leave(line, place);
	return place;
}

bool line_waits(struct line *line, int64_t now)
{
	promote(line, now);
	return line->ranks[0] || line->ranks[1];
}

int64_t line_next(struct line *line, int64_t now)
{
	if (line_waits(line, now))
		return now;
	return line->delayed_count ? line->delayed[0]->not_before : 0;
}
