/* adapters/chat/stanza.h - XMPP stanzas read (expat) and written.
 *
 * Reading is namespace-aware and takes only what RFC 6120 section 11.1 allows:
 * a DTD, a comment, a processing instruction or an own entity is an error, and
 * so are more than the limits below. A stanza lives in the caller's arena.
 */
#ifndef ADAPTERS_CHAT_STANZA_H
#define ADAPTERS_CHAT_STANZA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct arena;
struct buf;

enum { STANZA_DEPTH_MAX = 32, STANZA_ELEMENTS_MAX = 4096, STANZA_ATTRIBUTES_MAX = 64 };

struct xml_attribute {
	const char *space; /* "" when the attribute has no prefix */
	const char *name;
	const char *value;
};

struct xml_element {
	const char *space; /* namespace, "" for none */
	const char *name;
	const struct xml_attribute *attributes;
	size_t attribute_count;
	struct xml_element *parent, *first, *next;
	const char *text; /* own character data in order, without that of children; never NULL */
};

/* One whole document; NULL with a sentence that holds nothing of it. */
struct xml_element *stanza_parse(struct arena *arena, const char *xml, size_t len,
				 struct error *error_r) MUST_CHECK;

/* space NULL: any. All take NULL as element and answer NULL or false. */
bool xml_is(const struct xml_element *element, const char *space, const char *name);
const char *xml_attribute(const struct xml_element *element, const char *name);
struct xml_element *xml_child(const struct xml_element *element, const char *space,
			      const char *name);
/* The next one of that name among the siblings after `element`. */
struct xml_element *xml_following(const struct xml_element *element, const char *space,
				  const char *name);
/* Text of the child, NULL if there is no such child. */
const char *xml_child_text(const struct xml_element *element, const char *space, const char *name);

/* Escaped character data. What XML 1.0 cannot carry (most controls, bad UTF-8) is left out. */
void xml_text(struct buf *out, const char *text);
/* " name='value'" escaped; nothing when value is NULL. */
void xml_write_attribute(struct buf *out, const char *name, const char *value);

/* Jabber ids (RFC 7622) as they stand; bare is without the resource. Compared as bytes: servers
 * hand out the prepared form. */
bool jid_is_bare(const char *jid, const char *bare); /* "a@b/c" belongs to "a@b" */
const char *jid_bare(struct arena *arena, const char *jid);
const char *jid_resource(const char *jid); /* NULL: none */
const char *jid_domain(struct arena *arena, const char *jid);

#endif
