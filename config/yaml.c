/* config/yaml.c - reads YAML into a tree of nodes that know where they stand. */
#include "config/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/buf.h"

enum { FILE_MAX_BYTES = 1024 * 1024, DEPTH_MAX = 32, NODES_MAX = 100 * 1000, KEYS_MAX = 4096 };

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct mistakes *mistakes;
	size_t nodes;
	bool failed; /* no way on */
};

const char *yaml_kind_name(enum yaml_kind kind)
{
	static const char *const names[] = {
		[YAML_NOTHING] = "nothing",
		[YAML_TEXT] = "a single value",
		[YAML_LIST] = "a list",
		[YAML_MAP] = "a section with keys",
	};
	return names[kind];
}

static void add(struct reader *reader, const yaml_mark_t *mark, const char *sentence)
{
	mistake_add(reader->mistakes, (int)mark->line + 1, (int)mark->column + 1, "%s", sentence);
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
	if (reader->failed)
		return false;
	if (yaml_parser_parse(&reader->parser, event))
		return true;
	const yaml_parser_t *parser = &reader->parser;
	reader->failed = true;
	const char *problem = parser->problem ? parser->problem : "unreadable";
	int line = (int)parser->problem_mark.line + 1, column = (int)parser->problem_mark.column + 1;
	if (parser->error == YAML_READER_ERROR)
		mistake_add(reader->mistakes, line, column, "not UTF-8 text: %s", problem);
	else
		mistake_add(reader->mistakes, line, column, "not YAML: %s%s%s", problem,
			    parser->context ? ", " : "", parser->context ? parser->context : "");
	return false;
}

static struct yaml_node *node_new(struct reader *reader, enum yaml_kind kind,
				  const yaml_mark_t *mark)
{
	if (++reader->nodes > NODES_MAX) {
		add(reader, mark, "the file has too many values");
		reader->failed = true;
	}
	struct yaml_node *node = arena_alloc(reader->arena, sizeof *node);
	node->kind = kind;
	node->line = (int)mark->line + 1;
	node->column = (int)mark->column + 1;
	return node;
}

/* Anchors and tags are read on past, so that other mistakes are still found. */
static void refuse_ornaments(struct reader *reader, const yaml_event_t *event,
			     const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		add(reader, &event->start_mark,
		    "anchors (&) are not understood here; write the value out");
	if (tag)
		add(reader, &event->start_mark, "tags (!) are not understood here");
}

static struct yaml_node *read_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	refuse_ornaments(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(text, '\0', len))
		add(reader, &event->start_mark, "a value must not hold a NUL character");
	bool nothing =
		plain && (len == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
	struct yaml_node *node =
		node_new(reader, nothing ? YAML_NOTHING : YAML_TEXT, &event->start_mark);
	node->text = nothing ? NULL : arena_bytes(reader->arena, text, len);
	return node;
}

static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event, int depth);

static struct yaml_node *read_list(struct reader *reader, const yaml_event_t *start, int depth)
{
	struct yaml_node *list = node_new(reader, YAML_LIST, &start->start_mark);
	yaml_event_t event;
	while (next_event(reader, &event)) {
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		struct yaml_node *item = read_node(reader, &event, depth + 1);
		if (!item)
			continue;
		list->items =
			arena_grow(reader->arena, list->items, list->count, sizeof *list->items);
		list->items[list->count++] = item;
	}
	return list;
}

static void add_pair(struct reader *reader, struct yaml_node *map, struct yaml_node *key,
		     struct yaml_node *value)
{
	if (key->kind != YAML_TEXT) {
		mistake_add(reader->mistakes, key->line, key->column, "a key must be a word, not %s",
			    yaml_kind_name(key->kind));
		return;
	}
	/* Doubled keys are looked for one by one; a hostile file must not make that long. */
	if (map->count >= KEYS_MAX) {
		if (!reader->failed)
			mistake_add(reader->mistakes, key->line, key->column,
				    "this section has more than %d keys", KEYS_MAX);
		reader->failed = true;
		return;
	}
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->keys[i]->text, key->text) == 0) {
			mistake_add(reader->mistakes, key->line, key->column,
				    "\"%s\" is here a second time; first in line %d", key->text,
				    map->keys[i]->line);
			return;
		}
	}
	map->keys = arena_grow(reader->arena, map->keys, map->count, sizeof *map->keys);
	map->items = arena_grow(reader->arena, map->items, map->count, sizeof *map->items);
	map->keys[map->count] = key;
	map->items[map->count++] = value;
}

static struct yaml_node *read_map(struct reader *reader, const yaml_event_t *start, int depth)
{
	struct yaml_node *map = node_new(reader, YAML_MAP, &start->start_mark);
	yaml_event_t event;
	while (next_event(reader, &event)) {
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		struct yaml_node *key = read_node(reader, &event, depth + 1);
		if (!next_event(reader, &event))
			break;
		struct yaml_node *value = read_node(reader, &event, depth + 1);
		if (key && value)
			add_pair(reader, map, key, value);
	}
	return map;
}

/* Consumes the event. NULL for what is no value here. */
static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event, int depth)
{
	struct yaml_node *node = NULL;
	if (depth > DEPTH_MAX) {
		add(reader, &event->start_mark, "nested too deeply");
		reader->failed = true;
		yaml_event_delete(event);
		return NULL;
	}
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		node = read_scalar(reader, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		refuse_ornaments(reader, event, event->data.sequence_start.anchor,
				 event->data.sequence_start.tag);
		node = read_list(reader, event, depth);
		break;
	case YAML_MAPPING_START_EVENT:
		refuse_ornaments(reader, event, event->data.mapping_start.anchor,
				 event->data.mapping_start.tag);
		node = read_map(reader, event, depth);
		break;
	case YAML_ALIAS_EVENT:
		add(reader, &event->start_mark,
		    "aliases (*) are not understood here; write the value out");
		node = node_new(reader, YAML_NOTHING, &event->start_mark);
		break;
	default:
		break;
	}
	yaml_event_delete(event);
	return node;
}

static struct yaml_node *read_stream(struct reader *reader)
{
	struct yaml_node *root = NULL;
	yaml_event_t event;
	while (next_event(reader, &event)) {
		if (event.type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		if (event.type == YAML_DOCUMENT_START_EVENT && root) {
			add(reader, &event.start_mark, "a second document (---) begins here");
			reader->failed = true;
		}
		struct yaml_node *node = read_node(reader, &event, 1);
		if (node)
			root = node;
	}
	return root;
}

struct yaml_node *yaml_read(struct arena *arena, const char *text, size_t len,
			    struct mistakes *mistakes)
{
	if (len > FILE_MAX_BYTES) {
		mistake_add(mistakes, 0, 0, "the file is larger than 1 MiB");
		return NULL;
	}
	struct reader reader = {.arena = arena, .mistakes = mistakes};
	if (!yaml_parser_initialize(&reader.parser)) {
		mistake_add(mistakes, 0, 0, "the YAML reader could not start");
		return NULL;
	}
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	struct yaml_node *root = read_stream(&reader);
	yaml_parser_delete(&reader.parser);
	if (!root && !reader.failed)
		mistake_add(mistakes, 1, 1, "the file is empty");
	return reader.failed ? NULL : root;
}

struct yaml_node *yaml_read_file(struct arena *arena, const char *file, struct mistakes *mistakes)
{
	FILE *stream = fopen(file, "rbe");
	if (!stream) {
		mistake_add(mistakes, 0, 0, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	struct buf text;
	buf_init(&text, FILE_MAX_BYTES + 1);
	char piece[8192];
	for (size_t n; !text.full && (n = fread(piece, 1, sizeof piece, stream)) > 0;)
		buf_add(&text, piece, n);
	struct yaml_node *root = NULL;
	if (ferror(stream))
		mistake_add(mistakes, 0, 0, "cannot be read: %s", strerror(errno));
	else if (text.full)
		mistake_add(mistakes, 0, 0, "the file is larger than 1 MiB");
	else
		root = yaml_read(arena, text.data, text.len, mistakes);
	fclose(stream);
	buf_free(&text);
	return root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	return NULL;
}
