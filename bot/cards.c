/* bot/cards.c - the messages in group chats that show a task, and where they hang.
 *
 * A card says kind, area, time, head count, code and urgency, and who takes it;
 * nothing that the resident wrote.
 */
#include <string.h>

#include "bot/core.h"

enum { PINS_MAX = 200 };

static int64_t text_hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return (int64_t)(h >> 1);
}

const char *claim_names(struct core *core, const struct task *task, int language)
{
	const char *names = "";
	for (size_t i = 0; i < task->claim_count; i++)
		names = arena_printf(core->arena, "%s%s%s", names,
				     i ? core_say(core, language, TEXT_COMMA, NULL, 0) : "",
				     task->claims[i].handle);
	return names;
}

const char *task_line(struct core *core, const struct task *task, int language)
{
	const char *comma = core_say(core, language, TEXT_COMMA, NULL, 0);
	const char *line = kind_name(core, task->kind, language);
	if (task->area)
		line = arena_printf(core->arena, "%s%s%s", line, comma,
				    area_name(core, task->area, language));
	if (task->urgent)
		line = arena_printf(core->arena, "%s%s%s", line, comma,
				    core_say(core, language, TEXT_URGENT, NULL, 0));
	if (task->when.part)
		line = arena_printf(core->arena, "%s%s%s", line, comma,
				    moment_say(core, language, task->when));
	return line;
}

/* The best way to take it that this channel offers; word and code work everywhere. */
static enum text_id card_how(const struct bot_channel *channel)
{
	if (channel && channel->can & CAN_BUTTON)
		return TEXT_CARD_HOW_BUTTON;
	if (channel && channel->can & CAN_REACT && channel->can & CAN_QUOTE)
		return TEXT_CARD_HOW_REACT;
	if (channel && channel->can & CAN_QUOTE)
		return TEXT_CARD_HOW_QUOTE;
	return TEXT_CARD_HOW_WORD;
}

static const char *card_text(struct core *core, const struct task *task, const struct group *group)
{
	int language = group->language;
	const struct blank code = {.name = "code", .value = task->code};
	const struct blank line = {.name = "summary", .value = task_line(core, task, language)};
	const struct blank names = {.name = "names", .value = claim_names(core, task, language)};
	long left = (long)task->helpers - (long)task_held(task);
	const char *text, *how;
	switch (task->state) {
	case TASK_OPEN:
		how = core_say(core, language, card_how(core_channel(core, group->channel)), &code,
			       1);
		if (task->claim_count)
			return core_say(core, language, TEXT_CARD_PARTLY,
					BLANKS(code, line, names, {.name = "count", .number = left},
					       {.name = "how", .value = how}));
		text = core_say(core, language, TEXT_CARD_OPEN,
				BLANKS(code, line, {.name = "count", .number = left},
				       {.name = "how", .value = how}));
		return text;
	case TASK_TAKEN:
		return core_say(core, language, TEXT_CARD_TAKEN, BLANKS(code, line, names));
	case TASK_DONE:
	case TASK_DISPUTED:
		return core_say(core, language, TEXT_CARD_DONE, BLANKS(code, line, names));
	default:
		return core_say(core, language,
				task->end == END_CONFIRMED || task->end == END_UNCONFIRMED
					? TEXT_CARD_FINISHED
					: TEXT_CARD_CLOSED,
				BLANKS(code, line));
	}
}

static void card_buttons(struct core *core, const struct task *task, const struct group *group,
			 struct buttons *buttons)
{
	if (task->state == TASK_OPEN)
		button_add(core, buttons,
			   core_say(core, group->language, TEXT_BUTTON_CLAIM, NULL, 0),
			   arena_printf(core->arena, "claim:%s", task->code));
}

static void card_send(struct core *core, const struct task *task, struct card *card,
		      const struct group *group, const char *edit)
{
	const char *key = arena_printf(core->arena, "card/%s/%s", task->code, group->id);
	struct buttons buttons = {.count = 0};
	card_buttons(core, task, group, &buttons);
	struct post post = {.text = card_text(core, task, group), .buttons = &buttons};
	card->shown = text_hash(post.text);
	post.edit = edit;
	post.replaces = edit ? key : NULL;
	post.ref = edit ? NULL : key;
	send_group(core, group, &post);
}

void cards_post(struct core *core, struct task *task)
{
	const struct kind *kind = kind_find(core, task->kind);
	const struct area *area = area_find(core, task->area);
	for (size_t i = 0; i < core->community->group_count; i++) {
		const struct group *group = &core->community->groups[i];
		if (!group_takes(group, kind, area))
			continue;
		task->cards = arena_grow(core->arena, task->cards, task->card_count,
					 sizeof(*task->cards));
		struct card *card = &task->cards[task->card_count++];
		*card = (struct card){.group = group->id};
		card_send(core, task, card, group, NULL);
		struct board *board = board_get(core, group->id);
		texts_add(core->arena, &board->open, task->code);
		board->latest = task->code;
	}
	if (!task->card_count)
		texts_add(core->arena, &board_get(core, BOARD_PRIVATE)->open, task->code);
}

/* Says in one line what an edit would have shown, where cards cannot be edited. */
static void card_line(struct core *core, const struct task *task, const struct group *group,
		      enum news news)
{
	int language = group->language;
	const struct blank code = {.name = "code", .value = task->code};
	const struct blank names = {.name = "names", .value = claim_names(core, task, language)};
	const char *text = NULL;
	if (news == NEWS_CLAIMED && task->state == TASK_TAKEN)
		text = core_say(core, language, TEXT_GROUP_TAKEN, BLANKS(code, names));
	else if (news == NEWS_CLAIMED && task->state == TASK_OPEN)
		text = core_say(core, language, TEXT_GROUP_JOINED,
				BLANKS(code, names,
				       {.name = "count",
					.number = (long)task->helpers - (long)task_held(task)}));
	else if (news == NEWS_CLOSED && (task->end == END_CANCELLED || task->end == END_ORGANISER ||
					 task->end == END_EXPIRED))
		text = core_say(core, language, TEXT_GROUP_WITHDRAWN, &code, 1);
	if (text)
		send_group(core, group, &(struct post){.text = text});
}

static void card_news(struct core *core, struct task *task, struct card *card,
		      const struct group *group, enum news news)
{
	const struct bot_channel *channel = core_channel(core, group->channel);
	bool edits = channel && channel->can & CAN_EDIT;
	bool changed = text_hash(card_text(core, task, group)) != card->shown;
	if (news == NEWS_REOPENED || (news == NEWS_CHANGED && !edits)) {
		/* An edit far up is not seen: the task hangs again, below, and the old one says so.
		 */
		if (edits && card->message)
			send_group(core, group,
				   &(struct post){
					   .text = core_say(
						   core, group->language, TEXT_CARD_MOVED,
						   BLANKS({.name = "code", .value = task->code})),
					   .edit = card->message});
		card->message = NULL;
		card_send(core, task, card, group, NULL);
	} else if (!edits) {
		card_line(core, task, group, news);
	} else if (card->message && changed) {
		card_send(core, task, card, group, card->message);
	}
	/* Editable and its id not known yet: card_sent() sees that `shown` is old. */
}

void cards_update(struct core *core, struct task *task, enum news news)
{
	for (size_t i = 0; i <= task->card_count; i++) {
		struct card *card = i < task->card_count ? &task->cards[i] : NULL;
		if (!card && task->card_count)
			break;
		struct board *board = board_get(core, card ? card->group : BOARD_PRIVATE);
		if (task->state == TASK_OPEN)
			texts_add(core->arena, &board->open, task->code);
		else
			texts_remove(&board->open, task->code);
		const struct group *group = card ? group_find(core, card->group) : NULL;
		if (group)
			card_news(core, task, card, group, news);
	}
}

void card_sent(struct core *core, const char *code, const char *group_id, const char *message)
{
	const struct group *group = group_find(core, group_id);
	struct task *task = task_get(core, code);
	if (!group || !message || !task->state)
		return;
	struct board *board = board_get(core, group_id);
	if (board->pin_count >= PINS_MAX) {
		memmove(board->pins, board->pins + 1, (PINS_MAX - 1) * sizeof(*board->pins));
		board->pin_count = PINS_MAX - 1;
	}
	board->pins = arena_grow(core->arena, board->pins, board->pin_count, sizeof(*board->pins));
	board->pins[board->pin_count++] =
		(struct pin){.code = code, .message = arena_str(core->arena, message)};
	for (size_t i = 0; i < task->card_count; i++) {
		struct card *card = &task->cards[i];
		if (strcmp(card->group, group_id) != 0)
			continue;
		card->message = arena_str(core->arena, message);
		card_news(core, task, card, group, NEWS_CLAIMED);
	}
}

const char *card_code(const struct board *board, const char *message)
{
	for (size_t i = board->pin_count; message && i-- > 0;)
		if (!strcmp(board->pins[i].message, message))
			return board->pins[i].code;
	return NULL;
}
