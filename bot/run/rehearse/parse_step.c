/* bot/run/rehearse/parse_step.c - reads one statement of a talk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/civil.h"
#include "bot/run/rehearse/talk.h"

/* What is left of a statement's head. */
struct scan {
	struct talk *talk;
	struct arena *arena;
	int line;
	const char *p;
	bool failed;
};

static void fail(struct scan *scan, const char *sentence)
{
	if (!scan->failed)
		talk_mistake(scan->talk, scan->arena, scan->line, "%s (at \"%s\")", sentence,
			     scan->p);
	scan->failed = true;
}

static void skip(struct scan *scan)
{
	while (*scan->p == ' ' || *scan->p == '\t')
		scan->p++;
}

static bool at_end(struct scan *scan)
{
	skip(scan);
	return !*scan->p;
}

/* Takes these words if they come next, and end where a word ends. */
static bool take(struct scan *scan, const char *words)
{
	size_t len = strlen(words);
	skip(scan);
	if (strncmp(scan->p, words, len))
		return false;
	if (!strchr(" ,\t", scan->p[len]) && words[len - 1] != ',')
		return false;
	scan->p += len;
	skip(scan);
	return true;
}

static const char *take_word(struct scan *scan)
{
	skip(scan);
	size_t len = strcspn(scan->p, " ,\t");
	const char *word = len ? arena_bytes(scan->arena, scan->p, len) : NULL;
	scan->p += len;
	return word;
}

static const char *take_between(struct scan *scan, char open, char close)
{
	skip(scan);
	const char *end = *scan->p == open ? strchr(scan->p + 1, close) : NULL;
	if (!end)
		return NULL;
	const char *inside = arena_bytes(scan->arena, scan->p + 1, (size_t)(end - scan->p) - 1);
	scan->p = end + 1;
	return inside;
}

/* The longest name that stands here. */
static int take_person(struct scan *scan)
{
	int best = TALK_NOBODY;
	size_t best_len = 0;
	skip(scan);
	for (size_t i = 0; i < scan->talk->person_count; i++) {
		size_t len = strlen(scan->talk->people[i].name);
		if (len > best_len && !strncmp(scan->p, scan->talk->people[i].name, len) &&
		    strchr(" ,\t", scan->p[len])) {
			best = (int)i;
			best_len = len;
		}
	}
	scan->p += best_len;
	return best;
}

static bool add_person(struct scan *scan, struct talk_step *step)
{
	int person = take_person(scan);
	if (person == TALK_NOBODY || step->person_count == TALK_LISTENERS_MAX)
		return false;
	step->people[step->person_count++] = person;
	return true;
}

static bool take_people(struct scan *scan, struct talk_step *step)
{
	do {
		if (!add_person(scan, step))
			return false;
	} while (take(scan, ","));
	return true;
}

/* A person, or else the name of a group. */
static void take_target(struct scan *scan, struct talk_step *step)
{
	if (add_person(scan, step))
		return;
	step->group = take_word(scan);
	if (!step->group)
		fail(scan, "to whom?");
}

static int64_t unit_ms(const char *word)
{
	static const struct {
		const char *word;
		int64_t ms;
	} units[] = {
		{"second", 1000},          {"minute", 60 * 1000},          {"hour", 3600 * 1000},
		{"day", 24 * 3600 * 1000}, {"week", 7 * 24 * 3600 * 1000},
	};
	for (size_t i = 0; word && i < sizeof(units) / sizeof(*units); i++) {
		size_t len = strlen(units[i].word);
		if (!strncmp(word, units[i].word, len) && (!word[len] || !strcmp(word + len, "s")))
			return units[i].ms;
	}
	return 0;
}

/* "2 hours" */
static bool take_duration(struct scan *scan, int64_t *ms_r)
{
	skip(scan);
	char *end;
	long count = strtol(scan->p, &end, 10);
	if (end == scan->p || count < 0 || count > 100000)
		return false;
	const char *start = scan->p;
	scan->p = end;
	*ms_r = count * unit_ms(take_word(scan));
	if (!*ms_r)
		scan->p = start;
	return *ms_r > 0;
}

/* "07:00": minutes, or -1. */
static int take_clock(struct scan *scan)
{
	int hour, minute, used = 0;
	skip(scan);
	if (sscanf(scan->p, "%2d:%2d%n", &hour, &minute, &used) != 2 || !used || hour > 23 ||
	    minute > 59 || hour < 0 || minute < 0)
		return -1;
	scan->p += used;
	return hour * 60 + minute;
}

static int add_alias(struct scan *scan)
{
	const char *name = take_between(scan, '(', ')');
	if (!name)
		return TALK_NOBODY;
	struct talk *talk = scan->talk;
	for (size_t i = 0; i < talk->person_count; i++)
		if (!strcmp(talk->people[i].name, name)) {
			fail(scan, "somebody is called that already");
			return TALK_NOBODY;
		}
	talk->people =
		arena_grow(scan->arena, talk->people, talk->person_count, sizeof(*talk->people));
	talk->people[talk->person_count] =
		(struct talk_person){.name = name, .line = scan->line, .alias = true};
	return (int)talk->person_count++;
}

/* What may follow the one spoken to: ", by phone, at 07:00, in one part, with [label]". */
static void hear_clauses(struct scan *scan, struct talk_step *step)
{
	while (!scan->failed && !at_end(scan)) {
		take(scan, ",");
		if (take(scan, "by"))
			step->channel = take_word(scan);
		else if (take(scan, "at"))
			step->minute_of_day = take_clock(scan);
		else if (take(scan, "in one part"))
			step->one_part = true;
		else if (take(scan, "without buttons"))
			step->no_buttons = true;
		else if (take(scan, "with"))
			step->label = take_between(scan, '[', ']');
		else
			fail(scan, "not understood; known are by CHANNEL, at HH:MM, in one part, "
				   "with [BUTTON], without buttons");
	}
}

static bool take_arrow(struct scan *scan)
{
	return take(scan, "→") || take(scan, "->") || take(scan, "to");
}

/* "one of", "2 of": how many; 0 if nothing of the kind stands here. */
static size_t take_some(struct scan *scan)
{
	const char *start = scan->p;
	char *end;
	if (take(scan, "one of"))
		return 1;
	skip(scan);
	long count = strtol(scan->p, &end, 10);
	if (end > scan->p && count > 0 && count < TALK_LISTENERS_MAX) {
		scan->p = end;
		if (take(scan, "of"))
			return (size_t)count;
	}
	scan->p = start;
	return 0;
}

static void read_hear(struct scan *scan, struct talk_step *step)
{
	step->type = TALK_HEAR;
	if (!take_arrow(scan)) {
		fail(scan, "whom does the bot speak to? write \"bot → NAME: …\"");
		return;
	}
	if ((step->picked = take_some(scan))) {
		step->pick = TALK_SOME_OF;
		if (!take_people(scan, step) || step->person_count <= step->picked)
			fail(scan, "\"one of\" takes two names or more, \"2 of\" three");
		step->alias = add_alias(scan);
		if (step->alias != TALK_NOBODY && step->picked > 1)
			fail(scan, "several cannot be called by one name");
	} else if (take(scan, "the others")) {
		step->pick = TALK_THE_OTHERS;
		step->alias = add_alias(scan);
	} else {
		take_target(scan, step);
	}
	hear_clauses(scan, step);
}

static void take_about(struct scan *scan, struct talk_step *step)
{
	step->about = take_between(scan, '"', '"');
	if (!step->about)
		fail(scan, "on which message? write a pattern in double quotes");
}

/* ", in volunteers, by phone, quoting "…", presses [..], reacts 👍 on "…", delivered 3 times" */
static void say_clauses(struct scan *scan, struct talk_step *step)
{
	while (!scan->failed && !at_end(scan)) {
		take(scan, ",");
		if (take(scan, "in")) {
			step->group = take_word(scan);
		} else if (take(scan, "by")) {
			step->channel = take_word(scan);
		} else if (take(scan, "quoting") || take(scan, "on")) {
			take_about(scan, step);
		} else if (take(scan, "presses")) {
			step->old_button = take(scan, "old");
			step->button = take_between(scan, '[', ']');
			if (!step->button)
				fail(scan, "which button? write [its label]");
		} else if (take(scan, "reacts")) {
			step->reaction = take_word(scan);
		} else if (take(scan, "delivered")) {
			step->times = (int)strtol(scan->p, (char **)&scan->p, 10);
			if (step->times < 1 || !take(scan, "times"))
				fail(scan, "how often? write \"delivered 3 times\"");
		} else {
			fail(scan, "not understood; known are in GROUP, by CHANNEL, quoting \"…\", "
				   "presses [BUTTON], reacts EMOJI, on \"…\", delivered 3 times");
		}
	}
}

static void read_say(struct scan *scan, struct talk_step *step)
{
	step->type = TALK_SAY;
	step->times = 1;
	if (!add_person(scan, step)) {
		fail(scan, "no person begins this line, and it is no other statement");
		return;
	}
	say_clauses(scan, step);
	if (step->reaction && !step->about)
		fail(scan, "a reaction is on a message: reacts 👍 on \"…\"");
	if ((step->reaction || step->button) && step->text && *step->text)
		fail(scan, "who presses or reacts says nothing with it");
}

static void read_fate(struct scan *scan, struct talk_step *step)
{
	static const struct {
		const char *word;
		enum refusal refusal;
	} refusals[] = {
		{"blocked", REFUSAL_BLOCKED}, {"unreachable", REFUSAL_UNREACHABLE},
		{"text", REFUSAL_TEXT},       {"channel", REFUSAL_CHANNEL},
		{"other", REFUSAL_OTHER},
	};
	step->type = TALK_FATE;
	take_target(scan, step);
	if (take(scan, "is uncertain") || take(scan, "are uncertain")) {
		step->outcome.kind = OUTCOME_UNCERTAIN;
	} else if (take(scan, "must wait")) {
		step->outcome.kind = OUTCOME_RETRY;
		if (!take_duration(scan, &step->outcome.retry_ms))
			fail(scan, "how long? write \"must wait 30 seconds\"");
	} else if (take(scan, "arrive") || take(scan, "arrives")) {
		step->outcome.kind = OUTCOME_SENT;
	} else if (take(scan, "is refused") || take(scan, "are refused")) {
		step->outcome.kind = OUTCOME_REFUSED;
		size_t i = 0, count = sizeof(refusals) / sizeof(*refusals);
		while (i < count && (!step->text || strcmp(refusals[i].word, step->text)))
			i++;
		if (i == count)
			fail(scan,
			     "a refusal is one of blocked, unreachable, text, channel, other");
		else
			step->outcome.refusal = refusals[i].refusal;
	} else {
		fail(scan, "is refused: REASON, is uncertain, must wait 30 seconds, or arrives?");
	}
}

static void read_receipt(struct scan *scan, struct talk_step *step)
{
	step->type = TALK_RECEIPT;
	take_target(scan, step);
	if (take(scan, "is delivered"))
		step->receipt = RECEIPT_DELIVERED;
	else if (take(scan, "is reported failed"))
		step->receipt = RECEIPT_FAILED;
	else if (take(scan, "is reported blocked"))
		step->receipt = RECEIPT_BLOCKED;
	else
		fail(scan, "is delivered, is reported failed, or is reported blocked?");
}

static void read_until(struct scan *scan, struct talk_step *step)
{
	struct civil civil = {0};
	step->type = TALK_UNTIL;
	int used = 0;
	if (sscanf(scan->p, "%4d-%2d-%2d %n", &civil.year, &civil.month, &civil.day, &used) == 3) {
		step->dated = true;
		scan->p += used;
	}
	int minute = take_clock(scan);
	if (minute < 0 || (step->dated && (civil.month < 1 || civil.month > 12 || civil.day < 1)))
		fail(scan, "until when? write 07:00 or 2026-03-03 07:00");
	step->duration = minute * (int64_t)60000 + (step->dated ? civil_to_ms(&civil, 0) : 0);
}

static void read_card(struct scan *scan, struct talk_step *step)
{
	step->type = TALK_CARD;
	step->about = take_between(scan, '"', '"');
	if (!step->about)
		step->about = arena_printf(scan->arena, "*%s*", take_word(scan));
	if (!take(scan, "in") && !take(scan, "to"))
		fail(scan, "where is that message? write \"card {code} in GROUP: …\"");
	take_target(scan, step);
	take(scan, "now");
	take(scan, "reads");
	hear_clauses(scan, step);
}

/* Takes `head` apart; `rest` is what stands after the colon, NULL if there is none. */
static void read_head(struct scan *scan, struct talk_step *step)
{
	if (take(scan, "--")) {
		step->type = TALK_NOTE;
		step->text = arena_str(scan->arena, scan->p);
		scan->p += strlen(scan->p);
	} else if (take(scan, "bot says nothing") || take(scan, "nobody hears anything")) {
		step->type = TALK_SILENCE;
		if (take(scan, "to"))
			take_target(scan, step);
	} else if (take(scan, "bot")) {
		read_hear(scan, step);
	} else if (take(scan, "card") || take(scan, "message")) {
		read_card(scan, step);
	} else if (take(scan, "nobody has seen")) {
		step->type = TALK_SEEN;
	} else if (take(scan, "only")) {
		step->type = TALK_SEEN;
		if (!take_people(scan, step) ||
		    !(take(scan, "has seen") || take(scan, "have seen")))
			fail(scan, "only A, B have seen: PATTERN");
	} else if (take(scan, "the next text to")) {
		read_fate(scan, step);
	} else if (take(scan, "every text to")) {
		step->every = true;
		read_fate(scan, step);
	} else if (take(scan, "the last text to")) {
		read_receipt(scan, step);
	} else if (take(scan, "the same message arrives again")) {
		step->type = TALK_AGAIN;
	} else if (take(scan, "the daemon restarts")) {
		step->type = TALK_RESTART;
	} else if (take(scan, "until")) {
		read_until(scan, step);
	} else if (take_duration(scan, &step->duration)) {
		step->type = TALK_PASS;
		if (!take(scan, "pass") && !take(scan, "passes"))
			fail(scan, "time passes: \"2 hours pass\"");
	} else {
		read_say(scan, step);
	}
	if (!scan->failed && !at_end(scan))
		fail(scan, "too much on this line");
}

/* The colon after the head: followed by a blank or the end, not inside quotes or brackets. */
static const char *find_colon(const char *line, size_t *width_r)
{
	char inside = 0;
	for (const char *p = line; *p; p++) {
		if (inside) {
			inside = *p == inside ? 0 : inside;
		} else if (*p == '"' || *p == '[' || *p == '{') {
			inside = *p == '"' ? '"' : *p == '[' ? ']' : '}';
		} else if (*p == ':' && (!p[1] || p[1] == ' ')) {
			*width_r = 1;
			return p;
		} else if (!strncmp(p, "：", strlen("："))) {
			*width_r = strlen("：");
			return p;
		}
	}
	return NULL;
}

bool talk_statement(struct talk *talk, struct arena *arena, const char *line, int number,
		    struct talk_step *step_r)
{
	size_t width = 0;
	const char *colon = strncmp(line, "--", 2) ? find_colon(line, &width) : NULL;
	const char *head = colon ? arena_bytes(arena, line, (size_t)(colon - line)) : line;
	*step_r = (struct talk_step){
		.line = number,
		.source = arena_str(arena, line),
		.alias = TALK_NOBODY,
		.minute_of_day = -1,
	};
	if (colon) {
		colon += width;
		while (*colon == ' ')
			colon++;
		step_r->text = arena_str(arena, colon);
	}
	struct scan scan = {.talk = talk, .arena = arena, .line = number, .p = head};
	read_head(&scan, step_r);
	return !scan.failed;
}
