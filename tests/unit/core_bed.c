/* tests/unit/core_bed.c - the bed: a community of two areas, and a store as simple as can be. */
#include "tests/unit/core_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define WORDS(...)                                                                                 \
	{                                                                                          \
		.items = (const char *[]){__VA_ARGS__},                                            \
		.count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                   \
	}

static struct area areas[] = {
	{.id = "east", .name = {{"东区", "East"}}, .words = WORDS("东区", "east", "3号楼")},
	{.id = "west", .name = {{"西区", "West"}}, .words = WORDS("西区", "west", "13号楼")},
};

static struct kind kinds[] = {
	{.id = "shopping",
	 .name = {{"买菜", "shopping"}},
	 .helpers = 1,
	 .words = WORDS("买菜", "买", "groceries", "buy")},
	{.id = "repair",
	 .name = {{"维修", "repair"}},
	 .helpers = 1,
	 .words = WORDS("修", "漏水", "repair", "leak")},
	{.id = "moving",
	 .name = {{"搬东西", "moving"}},
	 .helpers = 2,
	 .words = WORDS("搬", "carry")},
	{.id = "legal",
	 .name = {{"法律", "legal"}},
	 .helpers = 1,
	 .sensitive = true,
	 .words = WORDS("律师", "lawyer")},
};

static struct group groups[] = {
	{.id = "all", .channel = "chat", .address = "g-all", .language = 0},
	{.id = "plain",
	 .channel = "plain",
	 .address = "g-plain",
	 .language = 1,
	 .areas = WORDS("west")},
};

static struct organiser organisers[] = {{.channel = "chat", .address = "boss"}};

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

const struct community bed_community = {
	.id = "bed",
	.name = {{"幸福里", "Bed"}},
	.zone = "Asia/Shanghai",
	.country = "CN",
	.emergency = WORDS("110", "119"),
	.areas = areas,
	.area_count = 2,
	.kinds = kinds,
	.kind_count = 4,
	.groups = groups,
	.group_count = 2,
	.organisers = organisers,
	.organiser_count = 1,
	.channels = WORDS("sms", "chat", "plain"),
	.join_open = true,
	.lease = 2 * HOUR,
	.lease_reminder = 30 * MINUTE,
	.unfilled = 30 * MINUTE,
	.confirm_wait = 12 * HOUR,
	.draft_wait = 30 * MINUTE,
	.code_rest = (int64_t)90 * 24 * HOUR,
	.flood_count = 20,
	.flood_window = 10 * MINUTE,
};

static const struct bot_channel channels[] = {
	{.name = "sms", .can = CAN_DIRECT | IS_SMS, .text_max = 1000},
	{.name = "chat",
	 .can = CAN_DIRECT | CAN_GROUP | CAN_EDIT | CAN_BUTTON | CAN_REACT | CAN_QUOTE,
	 .text_max = 4096},
	{.name = "plain", .can = CAN_DIRECT | CAN_GROUP | CAN_QUOTE, .text_max = 4096},
};

struct bed *bed_new(void)
{
	struct bed *bed = xalloc(sizeof(*bed));
	struct error error;
	const char *source = getenv("LINLI_SOURCE");
	char folder[512];
	snprintf(folder, sizeof(folder), "%s/config/locales", source ? source : ".");
	bed->locales = locales_load(folder, &error);
	if (!bed->locales)
		fail_msg("%s", error.text);
	bed->bot = bot_new(bed->locales, &bed_community, 1, channels, 3);
	bed->arena = arena_new();
	bed->now = 1772416800000; /* Monday 2026-03-02 10:00 in Shanghai */
	return bed;
}

void bed_free(struct bed **bed)
{
	struct bed *gone = *bed;
	for (size_t i = 0; i < gone->document_count; i++) {
		free((char *)gone->documents[i].key);
		free((char *)gone->documents[i].body);
	}
	for (size_t i = 0; i < gone->due_count; i++)
		free(gone->dues[i].name);
	bot_free(&gone->bot);
	locales_free(&gone->locales);
	arena_free(&gone->arena);
	free(gone);
	*bed = NULL;
}

static struct document *find(const struct bed *bed, const char *key)
{
	for (size_t i = 0; i < bed->document_count; i++)
		if (!strcmp(bed->documents[i].key, key))
			return (struct document *)&bed->documents[i];
	return NULL;
}

const char *bed_document(const struct bed *bed, const char *key)
{
	const struct document *document = find(bed, key);
	return document ? document->body : NULL;
}

static void write_document(struct bed *bed, const struct document_write *write)
{
	struct document *document = find(bed, write->key);
	if (!document) {
		assert_true(bed->document_count < BED_DOCUMENTS);
		document = &bed->documents[bed->document_count++];
		*document = (struct document){.key = xstrdup(write->key)};
	}
	free((char *)document->body);
	document->body = write->body ? xstrdup(write->body) : NULL;
	document->len = write->len;
	document->version++;
}

static void set_due(struct bed *bed, const struct due_write *due)
{
	size_t at = 0;
	while (at < bed->due_count && strcmp(bed->dues[at].name, due->name) != 0)
		at++;
	if (at == bed->due_count) {
		if (!due->at)
			return;
		assert_true(bed->due_count < BED_DUES);
		bed->dues[bed->due_count++].name = xstrdup(due->name);
	}
	bed->dues[at].at = due->at;
	if (!due->at) {
		free(bed->dues[at].name);
		bed->dues[at] = bed->dues[--bed->due_count];
	}
}

static void step_whole(struct bed *bed, const struct event *event, struct arena *arena,
		       struct commit *commit_r)
{
	struct view *view = view_new(arena);
	int rounds = 0;
	while (bot_step(bed->bot, event, view, arena, commit_r) == STEP_NEED) {
		const char *const *keys;
		size_t count = view_wanted(view, &keys);
		assert_true(count > 0);
		assert_true(++rounds < 20);
		for (size_t i = 0; i < count; i++) {
			const struct document *found = find(bed, keys[i]);
			struct document none = {.key = keys[i]};
			view_put(view, found ? found : &none);
		}
		bed->steps++;
	}
}

static void same_commit(const struct commit *a, const struct commit *b)
{
	assert_int_equal(a->write_count, b->write_count);
	assert_int_equal(a->send_count, b->send_count);
	assert_int_equal(a->due_count, b->due_count);
	for (size_t i = 0; i < a->write_count; i++) {
		assert_string_equal(a->writes[i].key, b->writes[i].key);
		assert_string_equal(a->writes[i].body, b->writes[i].body);
	}
	for (size_t i = 0; i < a->send_count; i++) {
		assert_string_equal(a->sends[i].id, b->sends[i].id);
		assert_int_equal(a->sends[i].len, b->sends[i].len);
		assert_memory_equal(a->sends[i].payload, b->sends[i].payload, a->sends[i].len);
	}
}

static void check_commit(const struct bed *bed, const struct commit *commit)
{
	for (size_t i = 0; i < commit->write_count; i++) {
		/* What is written was read, at the version that is there. */
		bool read = false;
		for (size_t k = 0; k < commit->read_count; k++)
			read = read || !strcmp(commit->reads[k].key, commit->writes[i].key);
		assert_true(read);
		assert_true(text_valid(commit->writes[i].body, commit->writes[i].len));
	}
	for (size_t k = 0; k < commit->read_count; k++) {
		const struct document *document = find(bed, commit->reads[k].key);
		assert_int_equal(commit->reads[k].version, document ? document->version : 0);
	}
}

void bed_event(struct bed *bed, struct event *event)
{
	char id[32];
	snprintf(id, sizeof(id), "%lu-0", ++bed->events);
	event->id = id;
	event->community = "bed";
	event->now = bed->now;
	event->utc_offset = 8 * 3600;
	event->seed = ++bed->seed * 0x9e3779b97f4a7c15u;
	struct arena *again = arena_new();
	struct commit commit;
	arena_clear(bed->arena);
	step_whole(bed, event, bed->arena, &bed->commit);
	step_whole(bed, event, again, &commit);
	same_commit(&bed->commit, &commit);
	check_commit(bed, &bed->commit);
	arena_free(&again);
	for (size_t i = 0; i < bed->commit.write_count; i++)
		write_document(bed, &bed->commit.writes[i]);
	for (size_t i = 0; i < bed->commit.due_count; i++)
		set_due(bed, &bed->commit.dues[i]);
	bed->send_count = 0;
	for (size_t i = 0; i < bed->commit.send_count; i++) {
		const struct send *send = &bed->commit.sends[i];
		assert_true(bed->send_count < BED_SENDS);
		assert_true(text_valid(send->payload, send->len));
		struct outgoing *outgoing = &bed->sends[bed->send_count];
		bed->channels[bed->send_count++] = send->channel;
		assert_int_equal(outgoing_decode(send->payload, send->len, bed->arena, outgoing),
				 0);
		assert_string_equal(outgoing->message.id, send->id);
		assert_true(*outgoing->message.text);
	}
}

static void bed_message(struct bed *bed, const char *channel, const char *group, const char *sender,
			const char *text)
{
	char message_id[32], key[64];
	snprintf(message_id, sizeof(message_id), "m%lu", bed->events + 1);
	snprintf(key, sizeof(key), "key-%s", sender);
	struct event event = {
		.type = EVENT_MESSAGE,
		.channel = channel,
		.sender_key = key,
		.message = {.id = message_id,
			    .sender = sender,
			    .group = group,
			    .text = text,
			    .name = group ? sender : NULL},
	};
	/* The text may live in the last event's arena. */
	event.message.text = xstrdup(text);
	bed->now += 1000;
	bed_event(bed, &event);
	free((char *)event.message.text);
}

void bed_direct(struct bed *bed, const char *channel, const char *sender, const char *text)
{
	bed_message(bed, channel, NULL, sender, text);
}

void bed_group(struct bed *bed, const char *group, const char *sender, const char *text)
{
	bed_message(bed, strcmp(group, "g-plain") ? "chat" : "plain", group, sender, text);
}

void bed_pass(struct bed *bed, int64_t ms)
{
	int64_t end = bed->now + ms;
	for (;;) {
		const struct bed_due *next = NULL;
		for (size_t i = 0; i < bed->due_count; i++)
			if (bed->dues[i].at <= end && (!next || bed->dues[i].at < next->at))
				next = &bed->dues[i];
		if (!next)
			break;
		struct event event = {
			.type = EVENT_DUE, .due = xstrdup(next->name), .due_at = next->at};
		char *name = (char *)event.due;
		if (next->at > bed->now)
			bed->now = next->at;
		set_due(bed, &(struct due_write){.name = name, .at = 0});
		bed_event(bed, &event);
		free(name);
	}
	bed->now = end;
}

const char *bed_sent(const struct bed *bed, const char *to, size_t *count_r)
{
	const char *text = NULL;
	size_t count = 0;
	for (size_t i = 0; i < bed->send_count; i++) {
		if (strcmp(bed->sends[i].message.to, to) != 0)
			continue;
		text = text ? text : bed->sends[i].message.text;
		count++;
	}
	if (count_r)
		*count_r = count;
	return text;
}

const char *bed_code(struct bed *bed)
{
	static const char *const boards[] = {"group/all", "organisers"};
	for (size_t i = 0; i < 2; i++) {
		const char *body = bed_document(bed, boards[i]);
		const char *open = body ? strstr(body, "\"open\":[\"") : NULL;
		if (open)
			return arena_bytes(bed->arena, open + 9, strcspn(open + 9, "\""));
	}
	return NULL;
}
