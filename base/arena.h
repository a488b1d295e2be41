/* base/arena.h - memory for one event, freed whole.
 *
 * Everything handed out is zeroed and lives until arena_clear() or
 * arena_free(). There is no free for a single thing. Running out of memory
 * ends the process (so does every x…() here), so nobody checks for NULL.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **arena);
/* Forgets everything handed out; keeps one block for the next event. */
void arena_clear(struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size);
/* NUL-terminated copies. arena_str(a, NULL) is NULL. */
char *arena_str(struct arena *arena, const char *s);
char *arena_bytes(struct arena *arena, const void *data, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Grows an array that lives in the arena: `items = arena_grow(a, items, n,
 * sizeof *items)` makes room for item n (0-based); amortised, doubling at
 * powers of two. The old array is left behind. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t item_size);

/* The same bargain outside an arena: zeroed, never NULL; free() with free(). */
void *xalloc(size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
void *xmemdup(const void *p, size_t len);

#endif
