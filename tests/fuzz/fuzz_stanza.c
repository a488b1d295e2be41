/* tests/fuzz/fuzz_stanza.c - any frame of an XMPP server: read, understood, and written back as text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/stanza.h"
#include "adapters/chat/xmpp_read.h"
#include "base/arena.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever stands in a text or an attribute comes back as it was, inside one element. */
static void write_back(struct arena *arena, const char *text)
{
	struct xml_element *root;
	struct buf xml;

	buf_init(&xml, 0);
	buf_str(&xml, "<a");
	xml_write_attribute(&xml, "b", text);
	buf_str(&xml, ">");
	xml_text(&xml, text);
	buf_str(&xml, "</a>");
	root = stanza_parse(arena, xml.data, xml.len, NULL);
	if (!root || root->first || root->attribute_count != 1 || strcmp(root->text, text) != 0 ||
	    strcmp(xml_attribute(root, "b"), text) != 0)
		abort();
	buf_free(&xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct xml_element *root = stanza_parse(arena, (const char *)data, size, NULL);
	struct xmpp_presence presence;
	struct xmpp_message message;

	if (root) {
		xmpp_read_message(arena, root, &message);
		xmpp_read_presence(arena, root, &presence);
		xmpp_read_error(root);
		xmpp_stanza_id(root, "hood@rooms.example");
		write_back(arena, root->text);
		if (message.body)
			write_back(arena, message.body);
		if (message.from) {
			jid_bare(arena, message.from);
			jid_domain(arena, message.from);
			jid_resource(message.from);
		}
	}
	arena_free(&arena);
	return 0;
}
