/* base/arena.c - hands out zeroed memory from blocks that are freed together. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
enum { GAP = 16 }; /* kept poisoned, so that a step over an end is seen */
#else
#define ASAN_POISON_MEMORY_REGION(at, len)   ((void)(at))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at))
enum { GAP = 0 };
#endif

enum { ALIGN = 16, BLOCK = 4 * 1024 };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGN) char data[];
};

struct arena {
	struct block *blocks; /* the newest first */
};

static void out_of_memory(size_t size)
{
	fprintf(stderr, "<2>out of memory: %zu bytes were asked for\n", size);
	abort();
}

void *xalloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);
	if (!p)
		out_of_memory(size);
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		out_of_memory(size);
	return p;
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

void *xmemdup(const void *p, size_t len)
{
	void *copy = xalloc(len);
	if (len)
		memcpy(copy, p, len);
	return copy;
}

static struct block *block_new(size_t least, struct block *next)
{
	size_t size = least > BLOCK ? least : BLOCK;
	struct block *block = malloc(sizeof *block + size);
	if (!block)
		out_of_memory(size);
	*block = (struct block){.next = next, .size = size};
	ASAN_POISON_MEMORY_REGION(block->data, size);
	return block;
}

static void block_free(struct block *block)
{
	ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
	free(block);
}

struct arena *arena_new(void)
{
	return xalloc(sizeof(struct arena));
}

void arena_free(struct arena **arena)
{
	if (!*arena)
		return;
	while ((*arena)->blocks) {
		struct block *block = (*arena)->blocks;
		(*arena)->blocks = block->next;
		block_free(block);
	}
	free(*arena);
	*arena = NULL;
}

void arena_clear(struct arena *arena)
{
	struct block *kept = NULL;
	while (arena->blocks) {
		struct block *block = arena->blocks;
		arena->blocks = block->next;
		/* An outsized block is not worth keeping for the next event. */
		if (!kept && block->size == BLOCK)
			kept = block;
		else
			block_free(block);
	}
	if (kept) {
		kept->next = NULL;
		kept->used = 0;
		ASAN_POISON_MEMORY_REGION(kept->data, kept->size);
	}
	arena->blocks = kept;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		out_of_memory(size);
	size_t need = (size + GAP + ALIGN - 1) / ALIGN * ALIGN;
	struct block *block = arena->blocks;
	if (need == 0)
		need = ALIGN;
	if (!block || block->size - block->used < need) {
		struct block *fresh = block_new(need, block);
		/* A big thing gets a block of its own behind the one that still has room. */
		if (block && need > BLOCK / 4) {
			fresh->next = block->next;
			block->next = fresh;
		} else {
			arena->blocks = fresh;
		}
		block = fresh;
	}
	char *p = block->data + block->used;
	block->used += need;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	memset(p, 0, size);
	return p;
}

char *arena_str(struct arena *arena, const char *s)
{
	return s ? arena_bytes(arena, s, strlen(s)) : NULL;
}

char *arena_bytes(struct arena *arena, const void *data, size_t len)
{
	if (len == SIZE_MAX)
		out_of_memory(len);
	char *copy = arena_alloc(arena, len + 1);
	if (len)
		memcpy(copy, data, len);
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return arena_str(arena, "");
	char *text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t item_size)
{
	/* Room doubles exactly when a power of two is full, so no capacity need be kept. */
	if (count && (count < 4 || (count & (count - 1))))
		return items;
	size_t room = count ? count * 2 : 4;
	if (item_size && room > SIZE_MAX / 2 / item_size)
		out_of_memory(SIZE_MAX);
	void *grown = arena_alloc(arena, room * item_size);
	if (count)
		memcpy(grown, items, count * item_size);
	return grown;
}
