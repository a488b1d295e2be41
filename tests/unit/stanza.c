/* tests/unit/stanza.c - reads stanzas as servers send them, refuses what RFC 6120 forbids, and
 * writes none that could break out of its place. Inputs: XEP-0461 and XEP-0444 examples, and frames
 * of Prosody 0.12.3 and ejabberd 23.01. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/chat/stanza.h"
#include "adapters/chat/xmpp_read.h"
#include "base/arena.h"
#include "base/buf.h"

static struct arena *arena;

static struct xml_element *parse(const char *xml)
{
	return stanza_parse(arena, xml, strlen(xml), NULL);
}

static struct xmpp_message message(const char *xml)
{
	struct xml_element *root = parse(xml);
	struct xmpp_message m;

	assert_non_null(root);
	xmpp_read_message(arena, root, &m);
	return m;
}

static void test_tree(void **state)
{
	struct xml_element *root =
		parse("<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\" "
		      "xmlns='jabber:client'>"
		      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
		      "<mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>"
		      "</stream:features>");
	struct xml_element *one;

	(void)state;
	assert_true(xml_is(root, "http://etherx.jabber.org/streams", "features"));
	one = xml_child(xml_child(root, "urn:ietf:params:xml:ns:xmpp-sasl", "mechanisms"), NULL,
			"mechanism");
	assert_string_equal(one->text, "SCRAM-SHA-1");
	one = xml_following(one, NULL, "mechanism");
	assert_string_equal(one->text, "PLAIN");
	assert_null(xml_following(one, NULL, "mechanism"));
	assert_null(xml_child(NULL, NULL, "x"));
	assert_null(xml_attribute(NULL, "x"));
}

static void test_text_in_pieces(void **state)
{
	struct xml_element *root = parse("<a>1&lt;<b>x</b>2&amp;<![CDATA[<c>]]>\xe9\x82\xbb</a>");

	(void)state;
	assert_string_equal(root->text, "1<2&<c>\xe9\x82\xbb");
	assert_string_equal(xml_child(root, "", "b")->text, "x");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"<a>",
		"<a></b>",
		"<a/><b/>",
		"<a b='1' b='2'/>",
		"<stream:features/>", /* prefix not declared */
		"<a>\xff</a>",
		"<a>&nbsp;</a>",
		"<!DOCTYPE a><a/>",
		"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
		"<!DOCTYPE a [<!ENTITY a \"1\"><!ENTITY b \"&a;&a;&a;\">]><a>&b;</a>",
		"<a><!-- comment --></a>",
		"<a><?php ?></a>",
		"<a>&#0;</a>",
		"<a>\x01</a>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct error error = {""};

		assert_null(stanza_parse(arena, bad[i], strlen(bad[i]), &error));
		assert_int_equal(strncmp(error.text, "xml: ", 5), 0);
	}
}

static void repeat(struct buf *out, const char *s, size_t times)
{
	while (times--)
		buf_str(out, s);
}

static void test_limits(void **state)
{
	struct buf xml;

	(void)state;
	buf_init(&xml, 0);
	repeat(&xml, "<a>", STANZA_DEPTH_MAX);
	repeat(&xml, "</a>", STANZA_DEPTH_MAX);
	assert_non_null(parse(xml.data));
	buf_clear(&xml);
	repeat(&xml, "<a>", STANZA_DEPTH_MAX + 1);
	repeat(&xml, "</a>", STANZA_DEPTH_MAX + 1);
	assert_null(parse(xml.data));
	buf_clear(&xml);
	buf_str(&xml, "<a>");
	repeat(&xml, "<b/>", STANZA_ELEMENTS_MAX);
	buf_str(&xml, "</a>");
	assert_null(parse(xml.data));
	buf_clear(&xml);
	buf_str(&xml, "<a");
	for (int i = 0; i <= STANZA_ATTRIBUTES_MAX; i++)
		buf_printf(&xml, " a%d=''", i);
	buf_str(&xml, "/>");
	assert_null(parse(xml.data));
	buf_free(&xml);
}

static void test_written_text_stays_text(void **state)
{
	const char *nasty =
		"</body><x a='1' b=\"2\">&amp; \x01\x02\t\r\n\xef\xbf\xbe\xf0\x9f\x91\x8d";
	struct xml_element *root;
	struct buf xml;

	(void)state;
	buf_init(&xml, 0);
	buf_str(&xml, "<a");
	xml_write_attribute(&xml, "b", nasty);
	xml_write_attribute(&xml, "none", NULL);
	buf_str(&xml, ">");
	xml_text(&xml, nasty);
	buf_str(&xml, "</a>");
	root = parse(xml.data);
	assert_non_null(root);
	assert_null(root->first);
	assert_string_equal(root->text, "</body><x a='1' b=\"2\">&amp; \t\r\n\xf0\x9f\x91\x8d");
	assert_string_equal(xml_attribute(root, "b"), root->text);
	assert_null(xml_attribute(root, "none"));
	buf_clear(&xml);
	xml_text(&xml, "ok\xff\xc3");
	assert_string_equal(xml.data, "ok");
	buf_free(&xml);
}

static void test_reply_fallback(void **state)
{
	/* XEP-0461 example 3, in a room. */
	struct xmpp_message m = message(
		"<message xmlns='jabber:client' from='room@muc.example/b' id='y' type='groupchat'>"
		"<body>&gt; Anna wrote:\n&gt; We should bake a cake\nGreat idea!</body>"
		"<reply to='anna@example.com/laptop' id='message-id1' xmlns='urn:xmpp:reply:0'/>"
		"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>"
		"<body start='0' end='38'/></fallback></message>");

	(void)state;
	assert_string_equal(m.body, "Great idea!");
	assert_string_equal(m.reply_to_id, "message-id1");
	/* Ranges count code points, not bytes. */
	assert_string_equal(
		xmpp_cut_points(arena, "> \xe9\x82\xbb\xe9\x87\x8c\n\xe5\xa5\xbd", 0, 5),
		"\xe5\xa5\xbd");
	assert_string_equal(xmpp_cut_points(arena, "abc", 1, 2), "ac");
	assert_string_equal(xmpp_cut_points(arena, "abc", 0, 3), "");
	/* A range that does not fit is no range. */
	assert_string_equal(xmpp_cut_points(arena, "abc", 0, 4), "abc");
	assert_string_equal(xmpp_cut_points(arena, "abc", 2, 1), "abc");
	/* Without <reply/>, or for another purpose, nothing is cut. */
	m = message("<message xmlns='jabber:client'><body>&gt; a\nb</body>"
		    "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>"
		    "<body start='0' end='4'/></fallback></message>");
	assert_string_equal(m.body, "> a\nb");
	m = message("<message xmlns='jabber:client'><body>&gt; a\nb</body><reply "
		    "xmlns='urn:xmpp:reply:0' id='1'/>"
		    "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>"
		    "<body start='-1' end='4294967296'/></fallback></message>");
	assert_string_equal(m.body, "> a\nb");
}

static void test_message_kinds(void **state)
{
	struct xmpp_message m;

	(void)state;
	/* XEP-0444 example 1. */
	m = message("<message xmlns='jabber:client' to='romeo@capulet.net/orchard' id='96d73204' "
		    "type='chat'>"
		    "<reactions id='744f6e18' xmlns='urn:xmpp:reactions:0'>"
		    "<reaction>\xf0\x9f\x91\x8b</reaction><reaction>\xf0\x9f\x90\xa2</reaction>"
		    "</reactions><store xmlns='urn:xmpp:hints'/></message>");
	assert_null(m.body);
	assert_string_equal(m.reacted, "744f6e18");
	assert_int_equal(m.reaction_count, 2);
	assert_string_equal(m.reactions[1], "\xf0\x9f\x90\xa2");
	m = message("<message xmlns='jabber:client' from='r@muc.example'><subject/></message>");
	assert_true(m.subject);
	m = message("<message xmlns='jabber:client'><subject>a</subject><body>b</body></message>");
	assert_false(m.subject);
	m = message("<message xmlns='jabber:client'><body>stand-in</body>"
		    "<encryption xmlns='urn:xmpp:eme:0' "
		    "namespace='eu.siacs.conversations.axolotl'/></message>");
	assert_true(m.encrypted);
	m = message("<message xmlns='jabber:client'><body>https://x.example/a.jpg</body>"
		    "<x xmlns='jabber:x:oob'><url>https://x.example/a.jpg</url></x></message>");
	assert_null(m.body);
	assert_string_equal(m.link, "https://x.example/a.jpg");
	m = message(
		"<message xmlns='jabber:client'><body>geo:31.2304,121.4737;u=12</body></message>");
	assert_null(m.body);
	assert_true(m.latitude > 31.2 && m.latitude < 31.3 && m.longitude > 121.4);
	m = message("<message xmlns='jabber:client'><body>geo:1000,1</body></message>");
	assert_string_equal(m.body, "geo:1000,1");
	assert_true(m.latitude == 0);
	m = message("<message xmlns='jabber:client'><body>x</body><delay xmlns='urn:xmpp:delay' "
		    "from='r@muc.example' stamp='2002-09-10T23:08:25Z'/></message>");
	assert_true(m.delayed);
	assert_int_equal(m.stamp_ms, 1031699305000);
}

static void test_stanza_id_of_the_room_only(void **state)
{
	struct xml_element *root =
		parse("<message xmlns='jabber:client'><stanza-id xmlns='urn:xmpp:sid:0' "
		      "by='mallory@x' id='1'/>"
		      "<stanza-id xmlns='urn:xmpp:sid:0' by='r@muc.example' id='2'/></message>");

	(void)state;
	assert_string_equal(xmpp_stanza_id(root, "r@muc.example"), "2");
	assert_null(xmpp_stanza_id(root, "other@muc.example"));
}

static void test_times(void **state)
{
	(void)state;
	/* XEP-0082 section 3.2. */
	assert_int_equal(xmpp_read_time("1969-07-21T02:56:15Z"), -14159025000);
	assert_int_equal(xmpp_read_time("1969-07-20T21:56:15-05:00"), -14159025000);
	assert_int_equal(xmpp_read_time("2002-09-10T23:08:25.123Z"), 1031699305000);
	assert_int_equal(xmpp_read_time("2002-09-10"), 0);
	assert_int_equal(xmpp_read_time("2002-13-10T23:08:25Z"), 0);
	assert_int_equal(xmpp_read_time("2002-09-10T23:08:25"), 0);
	assert_int_equal(xmpp_read_time("2002-09-10T23:08:25Zx"), 0);
	assert_int_equal(xmpp_read_time(NULL), 0);
}

static void test_presence_and_errors(void **state)
{
	struct xmpp_presence p;
	struct xmpp_error error;

	(void)state;
	/* XEP-0045 example 24, and a kick as in example 90. */
	xmpp_read_presence(arena,
			   parse("<presence xmlns='jabber:client' "
				 "from='coven@chat.shakespeare.lit/thirdwitch'>"
				 "<x xmlns='http://jabber.org/protocol/muc#user'>"
				 "<item affiliation='member' role='participant' "
				 "jid='hag66@shakespeare.lit/pda'/>"
				 "<status code='100'/><status code='110'/><status "
				 "code='210'/></x></presence>"),
			   &p);
	assert_true(p.self && !p.created && !p.type);
	assert_string_equal(p.real, "hag66@shakespeare.lit");
	xmpp_read_presence(arena,
			   parse("<presence xmlns='jabber:client' from='r@m/n' type='unavailable'>"
				 "<x xmlns='http://jabber.org/protocol/muc#user'><item "
				 "affiliation='none' role='none'/>"
				 "<status code='307'/><status code='110'/></x></presence>"),
			   &p);
	assert_true(p.kicked && p.self && !p.banned);
	error = xmpp_read_error(
		parse("<message xmlns='jabber:client' type='error'><error type='cancel'>"
		      "<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
		      "<blocked xmlns='urn:xmpp:blocking:errors'/></error></message>"));
	assert_string_equal(error.condition, "not-acceptable");
	assert_string_equal(error.type, "cancel");
	assert_true(error.blocked);
	error = xmpp_read_error(parse("<message xmlns='jabber:client' type='error'/>"));
	assert_string_equal(error.condition, "undefined-condition");
}

static void test_addresses(void **state)
{
	(void)state;
	assert_true(jid_is_bare("a@b/c", "a@b"));
	assert_true(jid_is_bare("a@b", "a@b"));
	assert_false(jid_is_bare("a@bc", "a@b"));
	assert_string_equal(jid_bare(arena, "a@b/c/d@e"), "a@b");
	assert_string_equal(jid_resource("a@b/c/d@e"), "c/d@e");
	assert_null(jid_resource("a@b"));
	assert_string_equal(jid_domain(arena, "a@b/c@d"), "b");
	assert_string_equal(jid_domain(arena, "b/c@d"), "b");
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_text_in_pieces),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_written_text_stays_text),
		cmocka_unit_test(test_reply_fallback),
		cmocka_unit_test(test_message_kinds),
		cmocka_unit_test(test_stanza_id_of_the_room_only),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_presence_and_errors),
		cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
