/* config/mistakes.h - what is wrong in a file, all of it, each at its line and column. */
#ifndef CONFIG_MISTAKES_H
#define CONFIG_MISTAKES_H

#include <stddef.h>

struct arena;

struct mistake {
	int line, column; /* from 1; column in characters. 0: the file as a whole */
	const char *sentence;
	const char *file;
};

/* Collects; lives in its arena. `file` goes to every mistake added after it was set. */
struct mistakes {
	struct arena *arena;
	const char *file;
	struct mistake *items;
	size_t count;
};

void mistake_add(struct mistakes *mistakes, int line, int column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* By file as met, then line, then column. */
void mistakes_sort(struct mistakes *mistakes);

/* The name among `names` (NULL-ended) that a misspelt one most likely means; NULL if none is near. */
const char *mistake_nearest(const char *misspelt, const char *const *names);

#endif
