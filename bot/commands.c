/* bot/commands.c - what a command means to the person who gave it, and to which task. */
#include <string.h>

#include "bot/core.h"

/* One code to go on with, or NULL after having said why not, or having asked. */
static const char *choose(struct core *core, enum verb verb, const char *rest,
			  const struct texts *codes, enum text_id none)
{
	if (codes->count == 1)
		return codes->items[0];
	if (!codes->count)
		say(core, none, NULL, 0);
	else
		question_pick(core, verb, rest, codes);
	return NULL;
}

/* The task that this group was shown last, if somebody holds it: what a late "I take it" means. */
static const char *taken_last(struct core *core)
{
	const char *code = board_get(core, core->group->id)->latest;
	if (!code)
		return NULL;
	return task_get(core, code)->state == TASK_TAKEN ? code : NULL;
}

static void do_claim(struct core *core, enum verb verb, const char *code, const char *rest)
{
	if (!code) {
		if (!core->group && !core->me->volunteer && !core->organiser) {
			say(core, core->community->join_open ? TEXT_JOIN_FIRST : TEXT_JOIN_CLOSED,
			    NULL, 0);
			return;
		}
		struct texts codes = open_codes(core, core->group);
		if (!codes.count && core->group && (code = taken_last(core))) {
			claim_take(core, code, rest);
			return;
		}
		if (!codes.count && *rest && core->me->claims.count == 1)
			code = core->me->claims.items[0];
		else
			code = choose(core, verb, rest, &codes, TEXT_CLAIM_NONE);
	}
	if (code)
		claim_take(core, code, rest);
}

/* What the holder of a task says of it. */
static void do_held(struct core *core, enum verb verb, const char *code, const char *rest)
{
	if (!code)
		code = choose(core, verb, rest, &core->me->claims, TEXT_HOLD_NONE);
	if (code)
		claim_handle(core, verb, code, rest);
}

/* What somebody says of an own request. */
static void do_own(struct core *core, enum verb verb, const char *code, const char *rest)
{
	if (!code)
		code = choose(core, verb, rest, &core->me->requests, TEXT_REQUEST_NONE);
	if (code)
		request_handle(core, verb, code, rest);
}

static void do_done(struct core *core, enum verb verb, const char *code, const char *rest)
{
	const struct person *me = core->me;
	bool own = code ? texts_have(&me->requests, code)
			: !me->claims.count && me->requests.count > 0;
	(own ? do_own : do_held)(core, verb, code, rest);
}

static void do_cancel(struct core *core, enum verb verb, const char *code, const char *rest)
{
	struct person *me = core->me;
	if (!code && me->draft.stage && !core->group) {
		draft_drop(core);
		say(core, TEXT_DRAFT_DROPPED, NULL, 0);
		return;
	}
	/* Who helps and says "cancel" gives the task back; the request is the resident's. */
	bool held =
		code ? texts_have(&me->claims, code) : !me->requests.count && me->claims.count > 0;
	if (held)
		do_held(core, VERB_RELEASE, code, rest);
	else
		do_own(core, verb, code, rest);
}

static void do_status(struct core *core, enum verb verb, const char *code, const char *rest)
{
	const struct person *me = core->me;
	if (!code && me->draft.stage && !me->requests.count && !me->claims.count) {
		say(core, TEXT_STATUS_DRAFT, NULL, 0);
		question_again(core);
		return;
	}
	if (code || me->requests.count < 2) {
		bool held = code ? texts_have(&me->claims, code)
				 : !me->requests.count && me->claims.count > 0;
		(held ? do_held : do_own)(core, held ? VERB_CODE : verb, code, rest);
		return;
	}
	for (size_t i = 0; i < me->requests.count; i++)
		request_handle(core, verb, me->requests.items[i], rest);
}

static void do_change(struct core *core, enum verb verb, const char *code, const char *rest)
{
	struct draft *draft = &core->me->draft;
	if (!code && draft->stage && !core->group) {
		draft->stage = STAGE_CHANGE;
		draft_next(core);
		return;
	}
	do_own(core, verb, code, rest);
}

static void do_join(struct core *core, enum verb verb, const char *code, const char *rest)
{
	struct person *me = core->me;
	(void)verb, (void)code, (void)rest;
	if (!me->volunteer && !core->community->join_open && !core->group) {
		say(core, TEXT_JOIN_CLOSED, NULL, 0);
		return;
	}
	me->volunteer = true;
	say(core, TEXT_JOINED, NULL, 0);
}

static void do_list(struct core *core, enum verb verb, const char *code, const char *rest)
{
	(void)verb, (void)code, (void)rest;
	organise_list(core);
}

static void do_close(struct core *core, enum verb verb, const char *code, const char *rest)
{
	struct texts codes = open_codes(core, NULL);
	if (code)
		organise_close(core, code, rest);
	else if (codes.count)
		question_pick(core, verb, rest, &codes);
	else
		say(core, TEXT_LIST_EMPTY, NULL, 0);
}

static void do_code(struct core *core, enum verb verb, const char *code, const char *rest)
{
	const struct person *me = core->me;
	const struct blank blank = {.name = "code", .value = code};
	if (texts_have(&me->claims, code))
		claim_handle(core, verb, code, rest);
	else if (texts_have(&me->requests, code))
		request_handle(core, VERB_STATUS, code, rest);
	else if (me->volunteer || core->organiser)
		say(core,
		    code_valid(code) && task_get(core, code)->state == TASK_OPEN
			    ? TEXT_CODE_OPEN
			    : TEXT_CLAIM_UNKNOWN,
		    &blank, 1);
	else
		say(core, TEXT_NOT_YOURS, &blank, 1);
}

static const struct {
	void (*run)(struct core *core, enum verb verb, const char *code, const char *rest);
	bool group; /* may be said in a group */
} commands[VERB_COUNT] = {
	[VERB_CLAIM] = {do_claim, true},    [VERB_RELEASE] = {do_held, true},
	[VERB_WAY] = {do_held, true},       [VERB_ARRIVED] = {do_held, true},
	[VERB_DONE] = {do_held, true},      [VERB_KEEP] = {do_held, true},
	[VERB_CANCEL] = {do_cancel, false}, [VERB_STATUS] = {do_status, false},
	[VERB_CHANGE] = {do_change, false}, [VERB_YES] = {do_own, false},
	[VERB_NO] = {do_own, false},        [VERB_JOIN] = {do_join, false},
	[VERB_LIST] = {do_list, false},     [VERB_CLOSE] = {do_close, false},
	[VERB_CODE] = {do_code, false},
};

void command_do(struct core *core, enum verb verb, const char *code, const char *rest)
{
	if (!commands[verb].run || (core->group && !commands[verb].group))
		return;
	if (verb == VERB_DONE && !core->group)
		do_done(core, verb, code, rest);
	else
		commands[verb].run(core, verb, code, rest);
}

/* "完成 2025 报税" is no command: after a code comes nothing, a time, or a real task's words. */
static bool command_meant(struct core *core, const struct command *command)
{
	if (!command->verb)
		return false;
	/* "结束" alone is an organiser's word, and everybody else's talk. */
	if (!command->code)
		return command->verb != VERB_CLOSE || core->organiser;
	/* Behind an organiser's "close 4711" stands a reason in any words. */
	if (command->verb == VERB_CLOSE && core->organiser)
		return true;
	/* While a question is open, four digits alone may be a door; only own codes are codes. */
	bool own = texts_have(&core->me->claims, command->code) ||
		   texts_have(&core->me->requests, command->code);
	if (command->verb == VERB_CODE && core->me->draft.stage && !own)
		return false;
	struct moment moment;
	bool alone = true;
	if (*command->rest && !moment_find(core, command->rest, &moment, &alone))
		alone = false;
	if (alone && (command->verb != VERB_CODE || !*command->rest))
		return true;
	bool known = own || (code_valid(command->code) &&
			     task_get(core, command->code)->state != TASK_NONE);
	return known;
}

bool command_run(struct core *core, const struct command *command)
{
	if (!command_meant(core, command))
		return false;
	if (command->verb == VERB_CODE && *command->rest &&
	    texts_have(&core->me->claims, command->code)) {
		/* "4711 七点到": the helper names a time. */
		struct moment moment;
		if (moment_find(core, command->rest, &moment, NULL))
			command_do(core, VERB_CLAIM, command->code, command->rest);
		else
			return false;
		return true;
	}
	command_do(core, command->verb, command->code, command->rest);
	return true;
}
