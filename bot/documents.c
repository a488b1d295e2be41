/* bot/documents.c - people, tasks and boards between JSON and C, by tables of fields. */
#include <json-c/json.h>
#include <string.h>

#include "bot/core.h"

enum field_type {
	FIELD_TEXT,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_CHOICE, /* an int; by name in the document, so that enums may be reordered */
	FIELD_TEXTS,
	FIELD_STRUCT,
	FIELD_LIST,
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	const struct field *inner; /* STRUCT, LIST; ends with a NULL name */
	size_t size, count_offset; /* LIST */
	const char *const *names;  /* CHOICE; ends with NULL; the first is not written */
};

#define ROW(kind, owner, member)                                                                   \
	{                                                                                          \
		.name = #member, .type = kind, .offset = offsetof(struct owner, member)            \
	}
#define CHOICE_ROW(owner, member, choices)                                                         \
	{                                                                                          \
		.name = #member, .type = FIELD_CHOICE, .offset = offsetof(struct owner, member),   \
		.names = choices                                                                   \
	}
#define STRUCT_ROW(owner, member, table)                                                           \
	{                                                                                          \
		.name = #member, .type = FIELD_STRUCT, .offset = offsetof(struct owner, member),   \
		.inner = table                                                                     \
	}
#define LIST_ROW(owner, member, table, item, counter)                                              \
	{                                                                                          \
		.name = #member, .type = FIELD_LIST, .offset = offsetof(struct owner, member),     \
		.inner = table, .size = sizeof(struct item),                                       \
		.count_offset = offsetof(struct owner, counter)                                    \
	}
#define END_ROW                                                                                    \
	{                                                                                          \
		.name = NULL                                                                       \
	}

static const char *const part_names[] = {"none",      "clock",   "day", "morning", "noon",
					 "afternoon", "evening", "now", "any",     NULL};
static const char *const stage_names[] = {"none",    "kind",   "area",  "when", "place",
					  "confirm", "change", "words", NULL};
static const char *const question_names[] = {"none", "done", "pick", "change", NULL};
static const char *const claim_names_table[] = {"held", "way", "arrived", "done", NULL};
static const char *const state_names[] = {"none",     "open",   "taken", "done",
					  "disputed", "closed", NULL};
static const char *const end_names[] = {"none",    "confirmed", "unconfirmed", "cancelled",
					"expired", "organiser", NULL};
static const char *const verb_names[] = {"none", "claim",  "release", "way",    "arrived", "done",
					 "keep", "cancel", "status",  "change", "yes",     "no",
					 "join", "list",   "close",   "code",   NULL};

static const struct field moment_fields[] = {
	CHOICE_ROW(moment, part, part_names),
	ROW(FIELD_INT, moment, at),
	END_ROW,
};

static const struct field draft_fields[] = {
	CHOICE_ROW(draft, stage, stage_names),
	ROW(FIELD_TEXT, draft, words),
	ROW(FIELD_TEXT, draft, last),
	ROW(FIELD_TEXT, draft, kind),
	ROW(FIELD_TEXT, draft, area),
	ROW(FIELD_TEXT, draft, place),
	STRUCT_ROW(draft, when, moment_fields),
	ROW(FIELD_BOOL, draft, urgent),
	ROW(FIELD_BOOL, draft, danger),
	ROW(FIELD_INT, draft, asked_at),
	END_ROW,
};

static const struct field question_fields[] = {
	CHOICE_ROW(question, kind, question_names),
	CHOICE_ROW(question, verb, verb_names),
	ROW(FIELD_TEXT, question, code),
	ROW(FIELD_TEXT, question, rest),
	ROW(FIELD_TEXT, question, group),
	ROW(FIELD_TEXTS, question, options),
	ROW(FIELD_INT, question, at),
	END_ROW,
};

static const struct field person_fields[] = {
	ROW(FIELD_TEXT, person, channel),
	ROW(FIELD_TEXT, person, address),
	ROW(FIELD_TEXT, person, language),
	ROW(FIELD_TEXT, person, handle),
	ROW(FIELD_INT, person, number),
	ROW(FIELD_BOOL, person, volunteer),
	ROW(FIELD_BOOL, person, stopped),
	ROW(FIELD_BOOL, person, blocked),
	ROW(FIELD_INT, person, seen_at),
	ROW(FIELD_INT, person, danger_at),
	ROW(FIELD_INT, person, flood_from),
	ROW(FIELD_INT, person, flood_count),
	STRUCT_ROW(person, draft, draft_fields),
	LIST_ROW(person, questions, question_fields, question, question_count),
	ROW(FIELD_TEXTS, person, requests),
	ROW(FIELD_TEXTS, person, claims),
	END_ROW,
};

static const struct field claim_fields[] = {
	ROW(FIELD_INT, claim, id),
	ROW(FIELD_TEXT, claim, person),
	ROW(FIELD_TEXT, claim, handle),
	ROW(FIELD_TEXT, claim, group),
	CHOICE_ROW(claim, state, claim_names_table),
	ROW(FIELD_INT, claim, until),
	ROW(FIELD_BOOL, claim, reminded),
	STRUCT_ROW(claim, promise, moment_fields),
	ROW(FIELD_TEXT, claim, promise_words),
	ROW(FIELD_TEXT, claim, safety),
	ROW(FIELD_BOOL, claim, unreached),
	END_ROW,
};

static const struct field card_fields[] = {
	ROW(FIELD_TEXT, card, group),
	ROW(FIELD_TEXT, card, message),
	ROW(FIELD_INT, card, shown),
	END_ROW,
};

static const struct field task_fields[] = {
	CHOICE_ROW(task, state, state_names),
	CHOICE_ROW(task, end, end_names),
	ROW(FIELD_TEXT, task, kind),
	ROW(FIELD_TEXT, task, area),
	STRUCT_ROW(task, when, moment_fields),
	ROW(FIELD_BOOL, task, urgent),
	ROW(FIELD_BOOL, task, danger),
	ROW(FIELD_BOOL, task, told),
	ROW(FIELD_INT, task, helpers),
	ROW(FIELD_INT, task, created_at),
	ROW(FIELD_INT, task, closed_at),
	ROW(FIELD_INT, task, last_claim),
	ROW(FIELD_TEXT, task, resident),
	ROW(FIELD_TEXT, task, words),
	ROW(FIELD_TEXT, task, place),
	LIST_ROW(task, claims, claim_fields, claim, claim_count),
	LIST_ROW(task, cards, card_fields, card, card_count),
	ROW(FIELD_TEXTS, task, late),
	END_ROW,
};

static const struct field pin_fields[] = {
	ROW(FIELD_TEXT, pin, code),
	ROW(FIELD_TEXT, pin, message),
	END_ROW,
};

static const struct field board_fields[] = {
	LIST_ROW(board, pins, pin_fields, pin, pin_count),
	ROW(FIELD_TEXTS, board, open),
	ROW(FIELD_TEXT, board, latest),
	END_ROW,
};

static int64_t person_keep(const struct core *core, const void *object)
{
	const struct person *person = object;
	(void)core;
	/* That somebody said STOP must outlive everything. */
	bool bound = person->stopped || person->requests.count || person->claims.count;
	return bound ? 0 : (int64_t)180 * 24 * 3600 * 1000;
}

static int64_t task_keep(const struct core *core, const void *object)
{
	const struct task *task = object;
	return task->state == TASK_CLOSED ? core->community->code_rest : 0;
}

struct document_type {
	const struct field *fields;
	size_t size;
	int64_t (*keep)(const struct core *core, const void *object);
};

static const struct document_type person_type = {person_fields, sizeof(struct person), person_keep};
static const struct document_type task_type = {task_fields, sizeof(struct task), task_keep};
static const struct document_type board_type = {board_fields, sizeof(struct board), NULL};

struct record {
	const char *key;
	const struct document *document; /* NULL: wanted */
	const struct document_type *type;
	void *object;
};

static void decode(struct arena *arena, struct json_object *from, const struct field *fields,
		   char *to);

static void decode_texts(struct arena *arena, struct json_object *from, struct texts *to)
{
	if (!json_object_is_type(from, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(from); i++)
		texts_add(arena, to, json_object_get_string(json_object_array_get_idx(from, i)));
}

static void decode_list(struct arena *arena, struct json_object *from, const struct field *field,
			char *to)
{
	if (!json_object_is_type(from, json_type_array))
		return;
	char *items = NULL;
	size_t count = json_object_array_length(from);
	for (size_t i = 0; i < count; i++) {
		items = arena_grow(arena, items, i, field->size);
		memset(items + i * field->size, 0, field->size);
		decode(arena, json_object_array_get_idx(from, i), field->inner,
		       items + i * field->size);
	}
	*(void **)(void *)(to + field->offset) = items;
	*(size_t *)(void *)(to + field->count_offset) = count;
}

static int choice_find(const char *const *names, const char *name)
{
	for (int i = 0; name && names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return 0;
}

static void decode(struct arena *arena, struct json_object *from, const struct field *fields,
		   char *to)
{
	for (const struct field *field = fields; field->name; field++) {
		struct json_object *value;
		if (!json_object_object_get_ex(from, field->name, &value) || !value)
			continue;
		void *at = to + field->offset;
		switch (field->type) {
		case FIELD_TEXT:
			*(const char **)at = arena_str(arena, json_object_get_string(value));
			break;
		case FIELD_INT:
			*(int64_t *)at = json_object_get_int64(value);
			break;
		case FIELD_BOOL:
			*(bool *)at = json_object_get_boolean(value);
			break;
		case FIELD_CHOICE:
			*(int *)at = choice_find(field->names, json_object_get_string(value));
			break;
		case FIELD_TEXTS:
			decode_texts(arena, value, at);
			break;
		case FIELD_STRUCT:
			decode(arena, value, field->inner, at);
			break;
		case FIELD_LIST:
			decode_list(arena, value, field, to);
			break;
		}
	}
}

static struct json_object *encode(const struct field *fields, const char *from);

static struct json_object *encode_texts(const struct texts *texts)
{
	struct json_object *list = json_object_new_array();
	for (size_t i = 0; i < texts->count; i++)
		json_object_array_add(list, json_object_new_string(texts->items[i]));
	return list;
}

static struct json_object *encode_list(const struct field *field, const char *from)
{
	struct json_object *list = json_object_new_array();
	const char *items = *(char *const *)(const void *)(from + field->offset);
	size_t count = *(const size_t *)(const void *)(from + field->count_offset);
	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, encode(field->inner, items + i * field->size));
	return list;
}

/* NULL where the value is nothing, so that documents stay small. */
static struct json_object *encode_field(const struct field *field, const char *from)
{
	const void *at = from + field->offset;
	struct json_object *inner;
	switch (field->type) {
	case FIELD_TEXT:
		return *(const char *const *)at ? json_object_new_string(*(const char *const *)at)
						: NULL;
	case FIELD_INT:
		return *(const int64_t *)at ? json_object_new_int64(*(const int64_t *)at) : NULL;
	case FIELD_BOOL:
		return *(const bool *)at ? json_object_new_boolean(true) : NULL;
	case FIELD_CHOICE:
		return *(const int *)at ? json_object_new_string(field->names[*(const int *)at])
					: NULL;
	case FIELD_TEXTS:
		return ((const struct texts *)at)->count ? encode_texts(at) : NULL;
	case FIELD_STRUCT:
		inner = encode(field->inner, at);
		if (json_object_object_length(inner))
			return inner;
		json_object_put(inner);
		return NULL;
	case FIELD_LIST:
		return *(const size_t *)(const void *)(from + field->count_offset)
			       ? encode_list(field, from)
			       : NULL;
	}
	return NULL;
}

static struct json_object *encode(const struct field *fields, const char *from)
{
	struct json_object *object = json_object_new_object();
	for (const struct field *field = fields; field->name; field++) {
		struct json_object *value = encode_field(field, from);
		if (value)
			json_object_object_add(object, field->name, value);
	}
	return object;
}

/* The object behind a key, the same one each time within a step. */
static void *record_get(struct core *core, const struct document_type *type, const char *key)
{
	for (size_t i = 0; i < core->record_count; i++)
		if (!strcmp(core->records[i].key, key))
			return core->records[i].object;
	core->records =
		arena_grow(core->arena, core->records, core->record_count, sizeof(*core->records));
	struct record *record = &core->records[core->record_count++];
	*record = (struct record){
		.key = key,
		.document = view_get(core->view, key),
		.type = type,
		.object = arena_alloc(core->arena, type->size),
	};
	void *object = record->object;
	if (!record->document)
		core->need = true;
	else if (record->document->body) {
		struct json_object *json = json_tokener_parse(record->document->body);
		decode(core->arena, json, type->fields, object);
		json_object_put(json);
	}
	return object;
}

struct person *person_get(struct core *core, const char *key)
{
	struct person *person =
		record_get(core, &person_type, arena_printf(core->arena, "person/%s", key));
	person->key = key;
	return person;
}

struct task *task_get(struct core *core, const char *code)
{
	struct task *task =
		record_get(core, &task_type, arena_printf(core->arena, "task/%s", code));
	task->code = code;
	return task;
}

struct board *board_get(struct core *core, const char *group)
{
	const char *key = group ? arena_printf(core->arena, "group/%s", group) : "organisers";
	struct board *board = record_get(core, &board_type, key);
	board->id = group;
	return board;
}

static void record_write(struct core *core, const struct record *record)
{
	struct json_object *json = encode(record->type->fields, record->object);
	size_t len;
	const char *body = json_object_to_json_string_length(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	const struct document *was = record->document;
	bool same = was->body ? was->len == len && !memcmp(was->body, body, len)
			      : json_object_object_length(json) == 0;
	if (!same) {
		core->commit->writes =
			arena_grow(core->arena, core->commit->writes, core->commit->write_count,
				   sizeof(*core->commit->writes));
		core->commit->writes[core->commit->write_count++] = (struct document_write){
			.key = record->key,
			.body = arena_bytes(core->arena, body, len),
			.len = len,
			.keep_ms =
				record->type->keep ? record->type->keep(core, record->object) : 0,
		};
	}
	json_object_put(json);
}

void documents_write(struct core *core)
{
	for (size_t i = 0; i < core->record_count; i++)
		record_write(core, &core->records[i]);
}

bool texts_have(const struct texts *texts, const char *item)
{
	for (size_t i = 0; item && i < texts->count; i++)
		if (!strcmp(texts->items[i], item))
			return true;
	return false;
}

void texts_add(struct arena *arena, struct texts *texts, const char *item)
{
	if (!item || texts_have(texts, item))
		return;
	texts->items = arena_grow(arena, texts->items, texts->count, sizeof(*texts->items));
	texts->items[texts->count++] = arena_str(arena, item);
}

void texts_remove(struct texts *texts, const char *item)
{
	size_t left = 0;
	for (size_t i = 0; i < texts->count; i++)
		if (strcmp(texts->items[i], item))
			texts->items[left++] = texts->items[i];
	texts->count = left;
}
