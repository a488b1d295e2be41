/* adapters/chat/stanza.c - turns one frame into a tree of elements, and text into safe XML. */
#include "adapters/chat/stanza.h"

#include <expat.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"

/* Expat joins namespace and name with it; XML 1.0 has no such character, so no name holds it. */
enum { SEPARATOR = '\x01' };

struct reader {
	struct arena *arena;
	XML_Parser parser;
	struct xml_element *root, *at;
	/* The last child and the text of every open element, by depth. */
	struct xml_element *last[STANZA_DEPTH_MAX];
	struct buf text[STANZA_DEPTH_MAX];
	size_t depth, elements;
	const char *refused;
};

static void refuse(struct reader *reader, const char *why)
{
	if (!reader->refused)
		reader->refused = why;
	XML_StopParser(reader->parser, XML_FALSE);
}

/* "space<1>name" or "name". */
static const char *split_name(struct arena *arena, const char *joined, const char **space_r)
{
	const char *mark = strchr(joined, SEPARATOR);

	if (!mark) {
		*space_r = "";
		return arena_str(arena, joined);
	}
	*space_r = arena_bytes(arena, joined, (size_t)(mark - joined));
	return arena_str(arena, mark + 1);
}

static void read_attributes(struct reader *reader, struct xml_element *element,
			    const XML_Char **pairs)
{
	struct xml_attribute *attributes;
	size_t count = 0;

	while (pairs[count * 2])
		count++;
	if (count > STANZA_ATTRIBUTES_MAX) {
		refuse(reader, "too many attributes");
		return;
	}
	attributes = arena_alloc(reader->arena, (count + 1) * sizeof *attributes);
	for (size_t i = 0; i < count; i++) {
		attributes[i].name = split_name(reader->arena, pairs[i * 2], &attributes[i].space);
		attributes[i].value = arena_str(reader->arena, pairs[i * 2 + 1]);
	}
	element->attributes = attributes;
	element->attribute_count = count;
}

static void on_start(void *data, const XML_Char *joined, const XML_Char **pairs)
{
	struct reader *reader = data;
	struct xml_element *element;

	if (reader->refused)
		return;
	if (reader->depth == STANZA_DEPTH_MAX) {
		refuse(reader, "elements nested too deep");
		return;
	}
	if (++reader->elements > STANZA_ELEMENTS_MAX) {
		refuse(reader, "too many elements");
		return;
	}
	element = arena_alloc(reader->arena, sizeof *element);
	element->name = split_name(reader->arena, joined, &element->space);
	element->text = "";
	element->parent = reader->at;
	read_attributes(reader, element, pairs);
	if (!reader->at)
		reader->root = element;
	else if (reader->last[reader->depth - 1])
		reader->last[reader->depth - 1]->next = element;
	else
		reader->at->first = element;
	if (reader->depth)
		reader->last[reader->depth - 1] = element;
	reader->last[reader->depth] = NULL;
	buf_clear(&reader->text[reader->depth]);
	reader->depth++;
	reader->at = element;
}

static void on_end(void *data, const XML_Char *joined)
{
	struct reader *reader = data;
	struct buf *text;

	(void)joined;
	if (reader->refused)
		return;
	text = &reader->text[--reader->depth];
	if (text->len)
		reader->at->text = arena_bytes(reader->arena, text->data, text->len);
	reader->at = reader->at->parent;
}

static void on_text(void *data, const XML_Char *text, int len)
{
	struct reader *reader = data;

	if (!reader->refused && reader->depth)
		buf_add(&reader->text[reader->depth - 1], text, (size_t)len);
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
		       const XML_Char *public_id, int internal)
{
	(void)name, (void)system_id, (void)public_id, (void)internal;
	refuse(data, "a document type is not allowed");
}

static void on_comment(void *data, const XML_Char *text)
{
	(void)text;
	refuse(data, "a comment is not allowed");
}

static void on_instruction(void *data, const XML_Char *target, const XML_Char *text)
{
	(void)target, (void)text;
	refuse(data, "a processing instruction is not allowed");
}

struct xml_element *stanza_parse(struct arena *arena, const char *xml, size_t len,
				 struct error *error_r)
{
	struct reader reader = {.arena = arena};
	enum XML_Status status;

	if (len > 1 << 24) {
		error_set(error_r, "xml: too long");
		return NULL;
	}
	reader.parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
	if (!reader.parser) {
		error_set(error_r, "xml: no memory for the parser");
		return NULL;
	}
	for (size_t i = 0; i < STANZA_DEPTH_MAX; i++)
		buf_init(&reader.text[i], 0);
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
	XML_SetCommentHandler(reader.parser, on_comment);
	XML_SetProcessingInstructionHandler(reader.parser, on_instruction);
	status = XML_Parse(reader.parser, xml, (int)len, XML_TRUE);
	if (status != XML_STATUS_OK) {
		reader.root = NULL;
		error_set(error_r, "xml: %s",
			  reader.refused ? reader.refused
					 : XML_ErrorString(XML_GetErrorCode(reader.parser)));
	}
	XML_ParserFree(reader.parser);
	for (size_t i = 0; i < STANZA_DEPTH_MAX; i++)
		buf_free(&reader.text[i]);
	return reader.root;
}

bool xml_is(const struct xml_element *element, const char *space, const char *name)
{
	return element && !strcmp(element->name, name) &&
	       (!space || !strcmp(element->space, space));
}

const char *xml_attribute(const struct xml_element *element, const char *name)
{
	for (size_t i = 0; element && i < element->attribute_count; i++)
		if (!*element->attributes[i].space && !strcmp(element->attributes[i].name, name))
			return element->attributes[i].value;
	return NULL;
}

static struct xml_element *first_of(struct xml_element *from, const char *space, const char *name)
{
	while (from && !xml_is(from, space, name))
		from = from->next;
	return from;
}

struct xml_element *xml_child(const struct xml_element *element, const char *space,
			      const char *name)
{
	return element ? first_of(element->first, space, name) : NULL;
}

struct xml_element *xml_following(const struct xml_element *element, const char *space,
				  const char *name)
{
	return element ? first_of(element->next, space, name) : NULL;
}

const char *xml_child_text(const struct xml_element *element, const char *space, const char *name)
{
	const struct xml_element *child = xml_child(element, space, name);

	return child ? child->text : NULL;
}

/* XML 1.0 section 2.2. */
static bool allowed(int32_t point)
{
	return point == '\t' || point == '\n' || point == '\r' ||
	       (point >= 0x20 && point != 0xFFFE && point != 0xFFFF);
}

static const char *escape_of(int32_t point)
{
	switch (point) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\'':
		return "&apos;";
	case '"':
		return "&quot;";
	case '\r':
		return "&#13;"; /* else it would be read back as a line feed */
	default:
		return NULL;
	}
}

static void write_escaped(struct buf *out, const char *text, bool in_attribute)
{
	int32_t point;
	size_t bytes;

	for (; (bytes = text_next(text, &point)); text += bytes) {
		const char *escape = escape_of(point);

		if (in_attribute && (point == '\n' || point == '\t'))
			buf_printf(out, "&#%d;", (int)point);
		else if (escape)
			buf_str(out, escape);
		else if (allowed(point) && text_valid(text, bytes))
			buf_add(out, text, bytes);
	}
}

void xml_text(struct buf *out, const char *text)
{
	write_escaped(out, text, false);
}

void xml_write_attribute(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(out, " %s='", name);
	write_escaped(out, value, true);
	buf_char(out, '\'');
}

bool jid_is_bare(const char *jid, const char *bare)
{
	size_t len = bare ? strlen(bare) : 0;

	return jid && len && !strncmp(jid, bare, len) && (!jid[len] || jid[len] == '/');
}

const char *jid_bare(struct arena *arena, const char *jid)
{
	return arena_bytes(arena, jid, strcspn(jid, "/"));
}

const char *jid_resource(const char *jid)
{
	const char *slash = strchr(jid, '/');

	return slash && slash[1] ? slash + 1 : NULL;
}

const char *jid_domain(struct arena *arena, const char *jid)
{
	size_t bare = strcspn(jid, "/");
	const char *at = memchr(jid, '@', bare);

	return at ? arena_bytes(arena, at + 1, bare - (size_t)(at + 1 - jid))
		  : arena_bytes(arena, jid, bare);
}
