/* bot/words.c - commands and answers as people type them, read by the locales' word lists. */
#include <stdlib.h>
#include <string.h>

#include "bot/core.h"

enum { FUZZY_LETTERS = 5, CODE_LEAST = 4, CODE_MOST = 6 };

/* One row per verb: its list in the locales, and how loosely it is read. */
static const struct verb_row {
	const char *name; /* also in button data */
	enum list list;
	bool bare;  /* may stand without a code */
	bool fuzzy; /* a misspelling may stand without a code */
	bool timed; /* may be followed by a time instead of a code */
} rows[VERB_COUNT] = {
	[VERB_CLAIM] = {"claim", LIST_CLAIM, true, true, true},
	[VERB_RELEASE] = {"release", LIST_RELEASE, true, false, false},
	[VERB_WAY] = {"way", LIST_WAY, true, true, false},
	[VERB_ARRIVED] = {"arrived", LIST_ARRIVED, true, true, false},
	[VERB_DONE] = {"done", LIST_DONE, true, true, false},
	[VERB_KEEP] = {"keep", LIST_KEEP, true, true, false},
	[VERB_CANCEL] = {"cancel", LIST_CANCEL, true, false, false},
	[VERB_STATUS] = {"status", LIST_STATUS, true, true, false},
	[VERB_CHANGE] = {"change", LIST_CHANGE, true, true, false},
	[VERB_YES] = {"yes", LIST_YES, false, false, false},
	[VERB_NO] = {"no", LIST_NO, false, false, false},
	[VERB_JOIN] = {"join", LIST_JOIN, true, false, false},
	[VERB_LIST] = {"list", LIST_LIST, true, false, false},
	[VERB_CLOSE] = {"close", LIST_CLOSE, true, false, false},
	[VERB_CODE] = {"code", LIST_NOISE, false, false, false},
};

static bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool ascii_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Two neighbours that belong to one word or one number. */
static bool joined(char a, char b)
{
	return (ascii_digit(a) && ascii_digit(b)) || (ascii_letter(a) && ascii_letter(b));
}

static bool stands(const char *text, const char *place, const char *word, size_t len)
{
	if (strncmp(place, word, len) != 0 || (place > text && joined(place[-1], place[0])))
		return false;
	const char *end = place + len;
	if (!joined(end[-1], end[0]))
		return true;
	/* "leaks", "leaking", "broken pipes": the same word with its English endings. */
	static const char *const endings[] = {"s", "es", "ed", "ing"};
	for (size_t i = 0; ascii_letter(end[-1]) && i < sizeof(endings) / sizeof(*endings); i++) {
		size_t more = strlen(endings[i]);
		if ((len > 3 || more == 1) && !strncmp(end, endings[i], more) &&
		    !ascii_letter(end[more]))
			return true;
	}
	return false;
}

bool word_in(const char *folded, const char *word)
{
	size_t len = strlen(word);
	if (!len)
		return false;
	for (const char *at = folded; (at = strstr(at, word)); at++)
		if (stands(folded, at, word, len))
			return true;
	return false;
}

size_t words_at(const struct bot *bot, enum list list, const char *text, const char *place)
{
	const struct lexicon_list *words = &bot->lexicon.lists[list];
	size_t longest = 0;
	if (!lexicon_may(words, place))
		return 0;
	for (size_t w = 0; w < words->count; w++) {
		size_t len = words->words[w].len;
		if (len > longest && stands(text, place, words->words[w].word, len))
			longest = len;
	}
	return longest;
}

/* Optimal string alignment of at most one: a wrong, missing, extra or swapped letter. */
static bool one_off(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), head = 0, tail = 0;
	while (head < la && head < lb && a[head] == b[head])
		head++;
	while (tail < la - head && tail < lb - head && a[la - 1 - tail] == b[lb - 1 - tail])
		tail++;
	size_t ra = la - head - tail, rb = lb - head - tail;
	if (ra <= 1 && rb <= 1)
		return true;
	return ra == 2 && rb == 2 && a[head] == b[head + 1] && a[head + 1] == b[head];
}

static bool all_latin(const char *s)
{
	for (; *s; s++)
		if (!ascii_letter(*s) && *s != ' ')
			return false;
	return true;
}

static bool words_match(const struct bot *bot, enum list list, const char *folded, bool fuzzy)
{
	if (!*folded)
		return false;
	const struct lexicon_list *words = &bot->lexicon.lists[list];
	for (size_t w = 0; w < words->count; w++) {
		const char *word = words->words[w].word;
		if (!strcmp(word, folded))
			return true;
		if (fuzzy && words->words[w].len >= FUZZY_LETTERS &&
		    strlen(folded) >= FUZZY_LETTERS && word[0] == folded[0] && all_latin(word) &&
		    all_latin(folded) && one_off(word, folded))
			return true;
	}
	return false;
}

bool words_are(const struct bot *bot, enum list list, const char *folded)
{
	return words_match(bot, list, folded, false);
}

bool words_nearly(const struct bot *bot, enum list list, const char *folded)
{
	return words_match(bot, list, folded, true);
}

bool words_begin(const struct bot *bot, enum list list, const char *folded)
{
	return words_at(bot, list, folded, folded) > 0;
}

bool words_in(const struct bot *bot, enum list list, const char *folded)
{
	const struct lexicon_list *words = &bot->lexicon.lists[list];
	for (size_t w = 0; w < words->count; w++)
		if (word_in(folded, words->words[w].word))
			return true;
	return false;
}

static bool only(const struct bot *bot, enum list list, enum list other, const char *folded)
{
	const char *at = folded;
	while (*at) {
		size_t len = words_at(bot, list, folded, at);
		size_t more = words_at(bot, other, folded, at);
		len = more > len ? more : len;
		if (!len)
			return false;
		at += len;
		at += *at == 's' && ascii_letter(at[-1]);
		at += strspn(at, " ");
	}
	return at > folded;
}

bool words_only(const struct bot *bot, enum list list, const char *folded)
{
	return only(bot, list, list, folded);
}

bool words_small_talk(const struct bot *bot, const char *folded)
{
	return only(bot, LIST_GREETING, LIST_THANKS, folded);
}

bool words_question(const struct bot *bot, const char *text, const char *folded)
{
	size_t len = strlen(text);
	while (len && text[len - 1] == ' ')
		len--;
	bool mark = (len && text[len - 1] == '?') || (len >= 3 && !memcmp(text + len - 3, "？", 3));
	return mark || words_in(bot, LIST_QUESTION, folded);
}

bool words_politely(const struct bot *bot, enum list list, const char *folded)
{
	size_t len = words_at(bot, list, folded, folded);
	const char *rest = folded + len + strspn(folded + len, " ");
	return len && (!*rest || only(bot, LIST_POLITE, LIST_THANKS, rest));
}

static void trim(char **text)
{
	*text += strspn(*text, " ");
	for (size_t len = strlen(*text); len && (*text)[len - 1] == ' ';)
		(*text)[--len] = 0;
}

/* Cuts one word of a list from the beginning or the end; false if there is none. */
static bool strip_once(const struct bot *bot, enum list list, char **text)
{
	char *s = *text;
	size_t len = words_at(bot, list, s, s);
	if (len && s[len]) {
		*text = s + len;
		trim(text);
		return true;
	}
	for (char *end = s + strlen(s), *at = end; at-- > s + 1;) {
		len = words_at(bot, list, s, at);
		if (len && at + len == end) {
			*at = 0;
			trim(text);
			return true;
		}
	}
	return false;
}

static char *strip(const struct bot *bot, struct arena *arena, enum list list, const char *text)
{
	char *s = arena_str(arena, text);
	trim(&s);
	while (strip_once(bot, list, &s))
		;
	return s;
}

static enum verb verb_whole(const struct bot *bot, const char *text, bool coded)
{
	for (enum verb verb = VERB_CLAIM; verb < VERB_CODE; verb++)
		if ((coded || rows[verb].bare) && words_are(bot, rows[verb].list, text))
			return verb;
	for (enum verb verb = VERB_CLAIM; verb < VERB_CODE; verb++)
		if ((coded || rows[verb].fuzzy) && words_nearly(bot, rows[verb].list, text))
			return verb;
	return VERB_NONE;
}

/* The same, with words of a list around it; looked at after every cut, as "来不了了" is a word. */
static enum verb verb_within(const struct bot *bot, struct arena *arena, enum list list,
			     const char *text, bool coded)
{
	char *s = arena_str(arena, text);
	trim(&s);
	enum verb verb = verb_whole(bot, s, coded);
	while (!verb && strip_once(bot, list, &s))
		verb = verb_whole(bot, s, coded);
	return verb;
}

/* The verb that a text begins with, and the words after it. */
static enum verb verb_first(const struct bot *bot, const char *text, size_t *len_r)
{
	enum verb found = VERB_NONE;
	*len_r = 0;
	for (enum verb verb = VERB_CLAIM; verb < VERB_CODE; verb++) {
		size_t len = words_at(bot, rows[verb].list, text, text);
		if (len > *len_r) {
			*len_r = len;
			found = verb;
		}
	}
	return found;
}

static struct command parse_around(const struct bot *bot, struct arena *arena, const char *head,
				   const char *code, const char *tail)
{
	struct command command = {.code = code, .rest = tail};
	const char *bare = strip(bot, arena, LIST_NOISE, head);
	command.verb = verb_within(bot, arena, LIST_NOISE, head, true);
	if (command.verb || *bare) {
		/* "接 4711 了" */
		if (words_only(bot, LIST_NOISE, tail))
			command.rest = "";
		return command;
	}
	if (!*strip(bot, arena, LIST_NOISE, tail) || words_only(bot, LIST_NOISE, tail)) {
		command.verb = VERB_CODE;
		command.rest = "";
		return command;
	}
	const char *after = strip(bot, arena, LIST_NOISE, tail);
	size_t len;
	command.verb = verb_first(bot, after, &len);
	command.rest = command.verb ? after + len + strspn(after + len, " ") : tail;
	if (!command.verb)
		command.verb = VERB_CODE;
	return command;
}

static struct command parse_coded(const struct bot *bot, struct arena *arena, const char *folded)
{
	for (const char *at = folded; *at;) {
		size_t digits = strspn(at, "0123456789");
		if (!digits) {
			at++;
			continue;
		}
		if (digits >= CODE_LEAST && digits <= CODE_MOST) {
			const char *tail = at + digits;
			struct command command = parse_around(
				bot, arena, arena_bytes(arena, folded, (size_t)(at - folded)),
				arena_bytes(arena, at, digits), tail + strspn(tail, " "));
			if (command.verb)
				return command;
		}
		at += digits;
	}
	return (struct command){.rest = ""};
}

struct command words_parse(const struct bot *bot, struct arena *arena, const char *folded)
{
	struct command command = parse_coded(bot, arena, folded);
	if (command.verb)
		return command;
	/* Without a code the word must stand alone: "接我一下" asks for something else. */
	const char *bare = strip(bot, arena, LIST_POLITE, folded);
	command.verb = verb_within(bot, arena, LIST_POLITE, folded, false);
	if (command.verb)
		return command;
	command.verb = verb_within(bot, arena, LIST_NOISE, folded, false);
	if (command.verb && command.verb != VERB_CLAIM)
		return command;
	command.verb = VERB_NONE;
	size_t len;
	enum verb verb = verb_first(bot, bare, &len);
	if (verb && rows[verb].timed) {
		const char *rest = bare + len + strspn(bare + len, " ");
		size_t bytes;
		/* Only a time may follow; the caller judges the rest of it. */
		if (words_at(bot, LIST_WHEN_DAY, rest, rest) ||
		    words_at(bot, LIST_WHEN_START, rest, rest) ||
		    words_number(bot, rest, rest, &bytes) >= 0)
			return (struct command){.verb = verb, .rest = rest};
	}
	return command;
}

enum verb words_verb(const char *name, size_t len)
{
	for (enum verb verb = VERB_CLAIM; verb < VERB_COUNT; verb++)
		if (strlen(rows[verb].name) == len && !memcmp(rows[verb].name, name, len))
			return verb;
	return VERB_NONE;
}

const char *words_verb_name(enum verb verb)
{
	return rows[verb].name;
}

/* What the lists from LIST_NUMBER_0 on stand for. */
static const int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 20, 30, 40, 45, 50};

int words_number(const struct bot *bot, const char *text, const char *place, size_t *bytes_r)
{
	size_t digits = strspn(place, "0123456789");
	*bytes_r = digits;
	if (digits)
		return digits <= 2 ? (int)strtol(place, NULL, 10) : -1;
	int value = -1;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		size_t len = words_at(bot, (enum list)(LIST_NUMBER_0 + i), text, place);
		if (len > *bytes_r) {
			*bytes_r = len;
			value = numbers[i];
		}
	}
	return value;
}

int words_digit(const struct bot *bot, const char *folded)
{
	size_t bytes;
	for (int tries = 0; tries < 2; tries++) {
		int value = words_number(bot, folded, folded, &bytes);
		if (value >= 0 &&
		    (!folded[bytes] ||
		     words_only(bot, LIST_CHOOSE, folded + bytes + strspn(folded + bytes, " "))))
			return value;
		/* "选3", "the third": once, the words of choosing go. */
		size_t len;
		while ((len = words_at(bot, LIST_CHOOSE, folded, folded))) {
			folded += len;
			folded += strspn(folded, " ");
		}
		for (int i = 1; i <= 9; i++)
			if (words_are(bot, (enum list)(LIST_ORDINAL_1 + i - 1), folded))
				return i;
	}
	return -1;
}

bool words_reaction(const struct bot *bot, struct arena *arena, const char *reaction)
{
	/* 👍 ✋ 🙋 ✅ 🙌 💪 🤝 🖐; skin tones and joiners follow and do not matter.
	 */
	static const int32_t hands[] = {0x1F44D, 0x270B,  0x1F64B, 0x2705,
					0x1F64C, 0x1F4AA, 0x1F91D, 0x1F590};
	int32_t point = 0;
	if (!reaction || !text_next(reaction, &point))
		return false;
	for (size_t i = 0; i < sizeof(hands) / sizeof(*hands); i++)
		if (point == hands[i])
			return true;
	return words_are(bot, LIST_REACTION, text_fold(arena, reaction));
}
