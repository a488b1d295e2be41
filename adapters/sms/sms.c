/* adapters/sms/sms.c - a text is measured in SMS parts and cut into pieces that fit. */
#include "adapters/sms/sms.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "base/arena.h"

enum { GSM7_ALONE = 160, GSM7_PART = 153, UCS2_ALONE = 70, UCS2_PART = 67 };

/* Septets of each ASCII character, 3GPP TS 23.038 tables 1 and 2; 0: not in the alphabet. */
static const unsigned char ascii_septets[128] = {
	['\n'] = 1, ['\r'] = 1, ['\f'] = 2, [' '] = 1, ['!'] = 1, ['"'] = 1, ['#'] = 1, ['$'] = 1,
	['%'] = 1,  ['&'] = 1,  ['\''] = 1, ['('] = 1, [')'] = 1, ['*'] = 1, ['+'] = 1, [','] = 1,
	['-'] = 1,  ['.'] = 1,  ['/'] = 1,  ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1,
	['5'] = 1,  ['6'] = 1,  ['7'] = 1,  ['8'] = 1, ['9'] = 1, [':'] = 1, [';'] = 1, ['<'] = 1,
	['='] = 1,  ['>'] = 1,  ['?'] = 1,  ['@'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1,
	['E'] = 1,  ['F'] = 1,  ['G'] = 1,  ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1,
	['M'] = 1,  ['N'] = 1,  ['O'] = 1,  ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1,
	['U'] = 1,  ['V'] = 1,  ['W'] = 1,  ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['['] = 2, ['\\'] = 2,
	[']'] = 2,  ['^'] = 2,  ['_'] = 1,  ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1,
	['f'] = 1,  ['g'] = 1,  ['h'] = 1,  ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1,
	['n'] = 1,  ['o'] = 1,  ['p'] = 1,  ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1,
	['v'] = 1,  ['w'] = 1,  ['x'] = 1,  ['y'] = 1, ['z'] = 1, ['{'] = 2, ['|'] = 2, ['}'] = 2,
	['~'] = 2,
};

/* The rest of table 1, by code point. Only the euro sign costs two septets. */
static const uint16_t other_letters[] = {
	0x00A1, 0x00A3, 0x00A4, 0x00A5, 0x00A7, 0x00BF, 0x00C4, 0x00C5, 0x00C6, 0x00C7,
	0x00C9, 0x00D1, 0x00D6, 0x00D8, 0x00DC, 0x00DF, 0x00E0, 0x00E4, 0x00E5, 0x00E6,
	0x00E8, 0x00E9, 0x00EC, 0x00F1, 0x00F2, 0x00F6, 0x00F8, 0x00F9, 0x00FC, 0x0393,
	0x0394, 0x0398, 0x039B, 0x039E, 0x03A0, 0x03A3, 0x03A6, 0x03A8, 0x03A9,
};

static size_t septets(int32_t point)
{
	if (point < 128)
		return ascii_septets[point];
	if (point == 0x20AC)
		return 2;
	if (point > 0x03A9)
		return 0;
	for (size_t i = 0; i < sizeof(other_letters) / sizeof(*other_letters); i++)
		if (other_letters[i] == point)
			return 1;
	return 0;
}

/* The next code point; a byte that is not UTF-8 counts as U+FFFD. Returns its bytes, 0 at the end.
 */
static size_t next_point(const char *s, size_t len, int32_t *point_r)
{
	if (!len)
		return 0;
	if ((unsigned char)*s < 128) {
		*point_r = *s;
		return 1;
	}
	utf8proc_ssize_t n =
		utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)len, point_r);
	if (n > 0)
		return (size_t)n;
	*point_r = 0xFFFD;
	return 1;
}

/* How far a text has filled its parts, in both codings at once. */
struct pack {
	bool gsm7; /* so far */
	size_t septets, units;
	size_t gsm7_parts, gsm7_fill;
	size_t ucs2_parts, ucs2_fill;
};

/* What no part may end within: a grapheme cluster, or a code point of a giant one. */
struct atom {
	size_t bytes, septets, units;
	bool gsm7;
	int32_t first, last;
};

static void atom_add(struct atom *atom, size_t bytes, int32_t point)
{
	size_t cost = septets(point);
	if (!atom->bytes)
		*atom = (struct atom){.gsm7 = true, .first = point};
	atom->bytes += bytes;
	atom->septets += cost;
	atom->units += point > 0xFFFF ? 2 : 1;
	atom->gsm7 = atom->gsm7 && cost;
	atom->last = point;
}

static struct atom next_atom(const char *s, size_t len)
{
	struct atom atom = {0}, first = {0};
	int32_t point, before = 0;
	utf8proc_int32_t state = 0;
	for (;;) {
		size_t n = next_point(s + atom.bytes, len - atom.bytes, &point);
		if (!n || (atom.bytes && utf8proc_grapheme_break_stateful(before, point, &state)))
			return atom;
		atom_add(&atom, n, point);
		if (!first.bytes)
			first = atom;
		if (atom.units > UCS2_PART)
			return first;
		before = point;
		/* The usual case without asking: between two printing ASCII characters is a break.
		 */
		if (point >= ' ' && point < 127 && atom.bytes < len && s[atom.bytes] >= ' ' &&
		    s[atom.bytes] < 127)
			return atom;
	}
}

static void pack_fill(size_t *parts, size_t *fill, size_t cost, size_t room)
{
	if (!*parts || *fill + cost > room) {
		(*parts)++;
		*fill = 0;
	}
	*fill += cost;
}

static void pack_add(struct pack *pack, const struct atom *atom)
{
	pack->gsm7 = pack->gsm7 && atom->gsm7;
	pack->septets += atom->septets;
	pack->units += atom->units;
	pack_fill(&pack->gsm7_parts, &pack->gsm7_fill, atom->septets, GSM7_PART);
	pack_fill(&pack->ucs2_parts, &pack->ucs2_fill, atom->units, UCS2_PART);
}

static size_t pack_parts(const struct pack *pack)
{
	if (pack->gsm7)
		return pack->septets <= GSM7_ALONE ? 1 : pack->gsm7_parts;
	return pack->units <= UCS2_ALONE ? 1 : pack->ucs2_parts;
}

struct sms_size sms_measure(const char *text)
{
	struct pack pack = {.gsm7 = true};
	size_t len = strlen(text);
	int32_t point;
	for (size_t at = 0, n; (n = next_point(text + at, len - at, &point)); at += n) {
		size_t cost = septets(point);
		pack.gsm7 = pack.gsm7 && cost;
		pack.septets += cost;
		pack.units += point > 0xFFFF ? 2 : 1;
	}
	bool alone = pack.gsm7 ? pack.septets <= GSM7_ALONE : pack.units <= UCS2_ALONE;
	if (!alone) {
		pack = (struct pack){.gsm7 = true};
		for (size_t at = 0; at < len;) {
			struct atom atom = next_atom(text + at, len - at);
			pack_add(&pack, &atom);
			at += atom.bytes;
		}
	}
	return (struct sms_size){
		.coding = pack.gsm7 ? SMS_GSM7 : SMS_UCS2,
		.units = pack.gsm7 ? pack.septets : pack.units,
		.parts = pack_parts(&pack),
	};
}

/* Where a reader would take breath. */
enum mark {
	MARK_NONE,
	MARK_HAN,
	MARK_CLOSE,
	MARK_SPACE,
	MARK_LINE,
	MARK_CLAUSE,
	MARK_DOT,
	MARK_END
};

static enum mark mark_of(int32_t point)
{
	static const struct {
		int32_t point;
		enum mark mark;
	} marks[] = {
		{'\n', MARK_LINE},     {' ', MARK_SPACE},     {'\t', MARK_SPACE},
		{'\r', MARK_SPACE},    {0x3000, MARK_SPACE},  {'.', MARK_DOT},
		{'!', MARK_DOT},       {'?', MARK_DOT},       {';', MARK_DOT},
		{0x3002, MARK_END},    {0xFF01, MARK_END},    {0xFF1F, MARK_END},
		{0xFF1B, MARK_END},    {0x2026, MARK_END},    {0xFF0C, MARK_CLAUSE},
		{0x3001, MARK_CLAUSE}, {0xFF1A, MARK_CLAUSE}, {')', MARK_CLOSE},
		{']', MARK_CLOSE},     {'}', MARK_CLOSE},     {'"', MARK_CLOSE},
		{'\'', MARK_CLOSE},    {',', MARK_CLOSE},     {':', MARK_CLOSE},
		{0x201D, MARK_CLOSE},  {0x2019, MARK_CLOSE},  {0x300D, MARK_CLOSE},
		{0x300F, MARK_CLOSE},  {0xFF09, MARK_CLOSE},  {0x300B, MARK_CLOSE},
		{0x3011, MARK_CLOSE},  {0x3009, MARK_CLOSE},
	};
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (marks[i].point == point)
			return marks[i].mark;
	if ((point >= 0x2E80 && point < 0xD800) || (point >= 0xF900 && point < 0xFB00) ||
	    (point >= 0x20000 && point < 0x40000))
		return MARK_HAN;
	return MARK_NONE;
}

/* Best first. */
enum cut { CUT_SENTENCE, CUT_SPACE, CUT_HAN, CUT_KINDS };

struct breath {
	enum mark stop;   /* MARK_LINE, END, DOT or CLAUSE still in force */
	enum mark before; /* of the character just passed */
	size_t cuts[CUT_KINDS];
};

/* May a piece end here, before a character with this mark? */
static void breath_look(struct breath *breath, size_t at, enum mark next)
{
	bool line = breath->before == MARK_LINE;
	if (!at || (!line && next >= MARK_CLOSE))
		return;
	bool space = breath->before == MARK_SPACE;
	if (line || breath->stop == MARK_END || (breath->stop == MARK_DOT && space))
		breath->cuts[CUT_SENTENCE] = at;
	else if (space || breath->stop == MARK_CLAUSE)
		breath->cuts[CUT_SPACE] = at;
	else if (next == MARK_HAN || breath->before == MARK_HAN)
		breath->cuts[CUT_HAN] = at;
}

static void breath_pass(struct breath *breath, enum mark mark)
{
	breath->before = mark;
	if (mark >= MARK_LINE)
		breath->stop = mark;
	else if (mark != MARK_CLOSE && mark != MARK_SPACE)
		breath->stop = MARK_NONE;
}

size_t sms_piece(const char *text, size_t parts_max)
{
	struct pack pack = {.gsm7 = true};
	struct breath breath = {.stop = MARK_NONE};
	size_t len = strlen(text), at = 0;
	if (!parts_max)
		parts_max = 1;
	if (len <= UCS2_ALONE)
		return len;
	while (at < len) {
		struct atom atom = next_atom(text + at, len - at);
		breath_look(&breath, at, mark_of(atom.first));
		pack_add(&pack, &atom);
		if (pack_parts(&pack) > parts_max)
			break;
		breath_pass(&breath, mark_of(atom.last));
		at += atom.bytes;
	}
	if (at == len)
		return len;
	for (size_t i = 0; i < CUT_KINDS; i++)
		if (breath.cuts[i] > at - at / 3)
			return breath.cuts[i];
	return at;
}

char **sms_split(struct arena *arena, const char *text, size_t parts_max)
{
	size_t count = 0;
	char **pieces = NULL;
	while (*text) {
		size_t n = sms_piece(text, parts_max);
		pieces = arena_grow(arena, pieces, count, sizeof *pieces);
		pieces[count++] = arena_bytes(arena, text, n);
		text += n;
	}
	pieces = arena_grow(arena, pieces, count, sizeof *pieces);
	pieces[count] = NULL;
	return pieces;
}
