/* bot/lexicon.c - gathers the word lists of all locales, so that a word is looked up in no time. */
#include "bot/lexicon.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "config/texts.h"

static const char *const names[LIST_COUNT] = {
#define LEXICON_NAME(id, name) [LIST_##id] = name,
	LEXICON_LISTS(LEXICON_NAME)
#undef LEXICON_NAME
};

static void list_add(struct lexicon_list *list, const char *word)
{
	if (!*word)
		return;
	list->words[list->count++] = (struct lexicon_word){.word = word, .len = strlen(word)};
	const unsigned char *p = (const unsigned char *)word;
	unsigned bit = p[0] < 0x80 || !p[1] ? p[0] : (p[0] * 31u + p[1] * 7u + p[2]) & 255u;
	list->first[bit >> 6] |= (uint64_t)1 << (bit & 63);
}

void lexicon_load(struct lexicon *lexicon, const struct locales *locales)
{
	for (int i = 0; i < LIST_COUNT; i++) {
		struct lexicon_list *list = &lexicon->lists[i];
		size_t total = 0;
		for (int k = 0; k < (int)locales_count(locales); k++)
			total += locale_words(locales, k, names[i]).count;
		*list = (struct lexicon_list){.words = xalloc((total + 1) * sizeof(*list->words))};
		for (int k = 0; k < (int)locales_count(locales); k++) {
			struct word_list words = locale_words(locales, k, names[i]);
			for (size_t w = 0; w < words.count; w++)
				list_add(list, words.words[w]);
		}
	}
}

void lexicon_clear(struct lexicon *lexicon)
{
	for (int i = 0; i < LIST_COUNT; i++)
		free(lexicon->lists[i].words);
}
