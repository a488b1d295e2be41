/* Tests the one YAML file: a whole good one, and every mistake at its line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "config/config.h"
#include "config/settings_doc.h"
#include "config/texts.h"

struct own {
	const char *url, *token, *mode, *text;
	bool fast;
	int64_t parts, wait, deep;
	struct texts words;
};

#define AT(field) offsetof(struct own, field)
static const struct setting rows[] = {
	{.name = "url", .type = SETTING_URL, .offset = AT(url), .flags = SETTING_REQUIRED},
	{.name = "token", .type = SETTING_SECRET, .offset = AT(token)},
	{.name = "mode", .type = SETTING_CHOICE, .offset = AT(mode), .choices = "poll|hook",
	 .standard = "poll"},
	{.name = "text", .type = SETTING_TEXT, .offset = AT(text)},
	{.name = "fast", .type = SETTING_BOOL, .offset = AT(fast), .standard = "true"},
	{.name = "parts", .type = SETTING_INT, .offset = AT(parts), .standard = "3", .least = 1,
	 .most = 9},
	{.name = "wait", .type = SETTING_DURATION, .offset = AT(wait), .standard = "90s",
	 .least = 1000, .most = 3600000},
	{.name = "inner.deep", .type = SETTING_INT, .offset = AT(deep), .standard = "-5"},
	{.name = "words", .type = SETTING_TEXTS, .offset = AT(words), .standard = "[a, b]"},
	{0},
};
static const struct adapter_settings adapter_rows[] = {
	{.adapter = "plain"},
	{.adapter = "rich", .own_size = sizeof(struct own), .settings = rows},
	{0},
};

static struct arena *arena;
static struct locales *locales;
static char folder[64];

static int setup(void **state)
{
	(void)state;
	const char *source = getenv("LINLI_SOURCE");
	struct error error;
	arena = arena_new();
	locales = locales_load(arena_printf(arena, "%s/config/locales", source ? source : "."), &error);
	snprintf(folder, sizeof folder, "/tmp/linli-config-XXXXXX");
	return locales && mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	rmdir(folder);
	locales_free(&locales);
	arena_free(&arena);
	return 0;
}

static const char *write_file(const char *name, const char *content)
{
	const char *path = arena_printf(arena, "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	return path;
}

static struct config *read_text(const char *content, const char **mistakes_r)
{
	struct mistake *mistakes;
	size_t count;
	const char *file = write_file("linli.yaml", content);
	struct config *config = config_read(file, adapter_rows, locales, &mistakes, &count);
	unlink(file);
	char *all = arena_str(arena, "");
	for (size_t i = 0; i < count; i++)
		all = arena_printf(arena, "%s%d:%d %s\n", all, mistakes[i].line, mistakes[i].column,
				   mistakes[i].sentence);
	assert_int_equal(config == NULL, count > 0);
	mistakes_free(&mistakes, count);
	assert_null(mistakes);
	*mistakes_r = all;
	return config;
}

static const char whole[] =
	"data: ./store\n"
	"redis: tcp://127.0.0.1:6379/2\n"
	"redis_user: linli\n"
	"redis_password: p:w\n"
	"key: /etc/linli/key\n"
	"listen: 0.0.0.0:8081\n"
	"socket_listen: \"[::1]:0\"\n"
	"log: debug\n"
	"shards: 16\n"
	"drain: 500ms\n"
	"channels:\n"
	"  phone: {adapter: plain, rate: 10}\n"
	"  chat:\n"
	"    adapter: rich\n"
	"    url: https://chat.example/api\n"
	"    token: literal\n"
	"    inner: {deep: 7}\n"
	"    words: []\n"
	"communities:\n"
	"  osmanthus:\n"
	"    name: {zh-CN: 桂花里, en: Osmanthus Lane}\n"
	"    language: en\n"
	"    zone: Asia/Shanghai\n"
	"    country: CN\n"
	"    emergency: [\"110\", 119, 120]\n"
	"    channels: [phone, chat]\n"
	"    join: closed\n"
	"    areas:\n"
	"      - id: east\n"
	"        name: {zh-CN: 东区, en: east block}\n"
	"        words: [東區, １號樓, \"East!\"]\n"
	"    kinds:\n"
	"      - id: medicine\n"
	"        name: {zh-CN: 取药}\n"
	"        words: [药]\n"
	"        sensitive: yes\n"
	"        helpers: 2\n"
	"        groups: [volunteers]\n"
	"    groups:\n"
	"      - {id: volunteers, channel: chat, address: \"-100\", areas: [east]}\n"
	"      - {id: second, channel: chat, address: \"-101\", language: zh}\n"
	"    organisers:\n"
	"      - {channel: phone, address: \"+8613800000009\"}\n"
	"    lease: 3h\n"
	"    flood: {count: 5}\n";

static void a_whole_file(void **state)
{
	(void)state;
	const char *mistakes;
	struct config *config = read_text(whole, &mistakes);
	assert_string_equal(mistakes, "");
	assert_non_null(config);
	assert_string_equal(config->data, arena_printf(arena, "%s/store", folder));
	assert_string_equal(config->key_file, "/etc/linli/key");
	assert_string_equal(config->redis_password, "p:w");
	assert_string_equal(config->public_url, "http://127.0.0.1:8081");
	assert_string_equal(config->log, "debug");
	assert_int_equal(strlen(config->instance), 12);
	assert_int_equal(config->shards, 16);
	assert_int_equal(config->drain, 500);
	assert_int_equal(config->seen_keep, 3 * 24 * 3600 * 1000);

	const struct channel_config *chat = config_channel(config, "chat");
	assert_int_equal(config_channel(config, "phone")->rate, 10);
	assert_string_equal(chat->community, "osmanthus");
	assert_int_equal(chat->rate, 0);
	const struct own *own = chat->own;
	assert_string_equal(own->url, "https://chat.example/api");
	assert_string_equal(own->token, "literal");
	assert_string_equal(own->mode, "poll");
	assert_null(own->text);
	assert_true(own->fast);
	assert_int_equal(own->parts, 3);
	assert_int_equal(own->wait, 90000);
	assert_int_equal(own->deep, 7);
	assert_int_equal(own->words.count, 0);

	const struct community *c = config_community(config, "osmanthus");
	assert_int_equal(c->shard, config_shard("osmanthus", 16));
	assert_int_equal(c->language, 1);
	assert_string_equal(c->name.in[0], "桂花里");
	assert_int_equal(c->emergency.count, 3);
	assert_string_equal(c->emergency.items[1], "119");
	assert_false(c->join_open);
	assert_string_equal(c->areas[0].words.items[0], "东区");
	assert_string_equal(c->areas[0].words.items[1], "1号楼");
	assert_string_equal(c->areas[0].words.items[2], "east");
	assert_string_equal(c->kinds[0].name.in[1], "取药"); /* the only name there is */
	assert_true(c->kinds[0].sensitive);
	assert_int_equal(c->kinds[0].helpers, 2);
	assert_int_equal(c->groups[0].language, 1); /* the community's */
	assert_int_equal(c->groups[1].language, 0);
	assert_string_equal(c->groups[0].areas.items[0], "east");
	assert_string_equal(c->organisers[0].channel, "phone");
	assert_int_equal(c->lease, 3 * 3600000);
	assert_int_equal(c->lease_reminder, 30 * 60000);
	assert_int_equal(c->code_rest, (int64_t)90 * 24 * 3600000);
	assert_int_equal(c->flood_count, 5);
	assert_int_equal(c->flood_window, 600000);
	assert_null(config_community(config, "other"));
	config_free(&config);
	assert_null(config);
}

#define CHANNEL   "channels:\n  phone: {adapter: plain}\n"
#define COMMUNITY                                                                                  \
	"communities:\n  a:\n    name: A\n    zone: UTC\n    country: CN\n"                        \
	"    emergency: [110]\n    channels: [phone]\n"

static const struct {
	const char *text, *mistakes;
} bad[] = {
	{"", "1:1 the file is empty\n"},
	{"just words", "1:1 the file must be a section with keys, not a single value\n"},
	{"a: [1\nb: 2\n", "2:2 not YAML: did not find expected ',' or ']', while parsing a flow sequence\n"},
	{"\xFF\xFE\xFA", "1:1 not UTF-8 text: invalid leading UTF-8 octet\n"},
	{"{}", "1:1 channels: at least one channel is wanted\n"
	 "1:1 communities: at least one community is wanted\n"},
	{"channels:\n  - {name: x}\n" COMMUNITY,
	 "2:3 channels: must be a section with the name of each channel as a key, not a list\n"
	 "9:16 there is no channel \"phone\"\n"},
	{"listn: x\n" CHANNEL COMMUNITY, "1:1 there is no setting \"listn\"; did you mean \"listen\"?\n"},
	{"zebra: x\n" CHANNEL COMMUNITY, "1:1 there is no setting \"zebra\"\n"},
	{"log: info\nlog: debug\n" CHANNEL COMMUNITY,
	 "2:1 \"log\" is here a second time; first in line 1\n"},
	{"log: loud\nshards: many\ndrain: 5 minutes\nlisten: here\nredis: http://x\n" CHANNEL COMMUNITY,
	 "1:6 log: must be one of debug|info|warning|error\n"
	 "2:9 shards: must be a whole number\n"
	 "3:8 drain: must be a duration like 90s, 15m, 2h or 1d\n"
	 "4:9 listen: must be an address and a port, like 127.0.0.1:8080\n"
	 "5:8 redis: must be managed, tcp://host:port/db or unix:/path?db=N\n"},
	{"shards: 0\nseen_keep: 1s\n" CHANNEL COMMUNITY,
	 "1:9 shards: must be from 1 to 1024\n2:12 seen_keep: must be from 1m to 90d\n"},
	{"log: [info]\ndata: {a: b}\nkey: ''\n" CHANNEL COMMUNITY,
	 "1:6 log: must be a single value, not a list\n"
	 "2:7 data: must be a single value, not a section with keys\n"
	 "3:6 key: must not be empty\n"},
	{"log: &l info\ninstance: *l\nkey: !!str x\n" CHANNEL COMMUNITY,
	 "1:6 anchors (&) are not understood here; write the value out\n"
	 "2:11 aliases (*) are not understood here; write the value out\n"
	 "3:6 tags (!) are not understood here\n"},
	{CHANNEL COMMUNITY "---\nlog: info\n", "10:1 a second document (---) begins here\n"},
	{"redis_password: env:LINLI_NOT_SET\n" CHANNEL COMMUNITY,
	 "1:17 redis_password: the environment variable LINLI_NOT_SET is not set\n"},
	{"redis_password: file:/no/such/file\n" CHANNEL COMMUNITY,
	 "1:17 redis_password: the file /no/such/file No such file or directory\n"},
	{"channels:\n  phone: {adapter: plian}\n  x: {}\n  y: 5\n  'z z': {adapter: plain}\n" COMMUNITY
	 "  b:\n    name: B\n    zone: UTC\n    country: CN\n    emergency: [110]\n"
	 "    channels: [x, y, z z, phone]\n",
	 "2:20 there is no adapter \"plian\"; did you mean \"plain\"?\n"
	 "3:6 adapter: is missing\n"
	 "4:6 a channel is a section with keys, not a single value\n"
	 "5:3 a name here has letters a-z, digits, - and _ only, at most 32 of them\n"
	 "18:27 the channel \"phone\" serves \"a\" already\n"},
	{"channels:\n  phone: {adapter: rich, url: ftp://x, parts: 10, wait: 1ms, fast: maybe,\n"
	 "    mode: push, inner: {depe: 1}, words: x, mood: 1, rate: 0}\n" COMMUNITY,
	 "2:31 url: must be a URL: http, https, ws or wss, and a host\n"
	 "2:47 parts: must be from 1 to 9\n"
	 "2:57 wait: must be from 1s to 1h\n"
	 "2:68 fast: must be true or false\n"
	 "3:11 mode: must be one of poll|hook\n"
	 "3:25 there is no setting \"depe\"; did you mean \"deep\"?\n"
	 "3:42 words: must be a list, not a single value\n"
	 "3:45 there is no setting \"mood\"; did you mean \"mode\"?\n"
	 "3:60 rate: must be from 1 to 100000\n"},
	{"channels:\n  phone: {adapter: rich}\n  more: {adapter: plain}\n" COMMUNITY,
	 "2:10 url: is missing\n3:3 no community has the channel \"more\"\n"},
	{CHANNEL "communities:\n  a: {}\n",
	 "2:3 no community has the channel \"phone\"\n"
	 "4:6 name: is missing\n4:6 zone: is missing\n4:6 country: is missing\n"
	 "4:6 emergency: is missing\n4:6 channels: is missing\n"},
	{CHANNEL "communities:\n  a:\n    name: {fr: A, en: B, en-GB: C}\n    language: xx\n"
	 "    zone: Asia/Shangai\n    country: cn\n    emergency: []\n    channels: [phnoe]\n"
	 "    lease: 10m\n    flood: 5\n",
	 "2:3 no community has the channel \"phone\"\n"
	 "5:5 lease_reminder: must be shorter than lease\n"
	 "5:12 name: there is no locale \"fr\"\n"
	 "5:26 name: this language has its name already\n"
	 "6:15 language: there is no locale \"xx\"\n"
	 "7:11 zone: there is no such time zone; write one like Asia/Shanghai\n"
	 "8:14 country: must be two capital letters, like CN\n"
	 "9:16 emergency: must not be empty\n"
	 "10:16 there is no channel \"phnoe\"; did you mean \"phone\"?\n"
	 "12:12 a section with keys is wanted here, not a single value\n"},
	{CHANNEL COMMUNITY
	 "    areas:\n      - {id: east, name: E, words: ['!']}\n      - {id: east, name: F}\n"
	 "      - {id: a b, name: F}\n      - 5\n"
	 "    groups:\n      - {id: g, channel: phone, address: x, areas: [eats]}\n"
	 "      - {id: h, channel: phone, address: x}\n      - {id: i, channel: fone, address: y}\n"
	 "    kinds:\n      - {id: k, name: K, groups: [gg], helpers: 0}\n"
	 "    organisers:\n      - {channel: chat, adress: '+861'}\n      - {channel: phone}\n",
	 "11:37 words: a word needs letters or digits\n"
	 "12:14 the id \"east\" stands already in line 11\n"
	 "13:14 a name here has letters a-z, digits, - and _ only, at most 32 of them\n"
	 "14:9 a section with keys is wanted here, not a single value\n"},
};
#undef AT

/* The last row of `bad` goes on here, as one string would be too long for C11. */
static const char last_mistakes[] =
	"16:53 there is no area \"eats\"; did you mean \"east\"?\n"
	"17:9 this group has the same address as the one in line 16\n"
	"18:26 this community has no channel \"fone\"; did you mean \"phone\"?\n"
	"20:35 there is no group \"gg\"; did you mean \"g\"?\n"
	"20:49 helpers: must be from 1 to 100\n"
	"22:9 address: is missing\n"
	"22:19 this community has no channel \"chat\"\n"
	"22:25 there is no setting \"adress\"; did you mean \"address\"?\n"
	"23:9 address: is missing\n";

static void every_mistake_at_its_place(void **state)
{
	(void)state;
	size_t count = sizeof bad / sizeof bad[0];
	for (size_t i = 0; i < count; i++) {
		const char *mistakes;
		struct config *config = read_text(bad[i].text, &mistakes);
		assert_null(config);
		const char *wanted = bad[i].mistakes;
		if (i == count - 1)
			wanted = arena_printf(arena, "%s%s", wanted, last_mistakes);
		if (strcmp(mistakes, wanted) != 0)
			fail_msg("row %zu:\n%s--- told:\n%s--- wanted:\n%s", i, bad[i].text, mistakes,
				 wanted);
	}
}

static void secrets_from_elsewhere(void **state)
{
	(void)state;
	const char *mistakes;
	const char *file = write_file("secret", "from file\n");
	setenv("LINLI_TEST_SECRET", "from env", 1);
	struct config *config = read_text("redis_password: file:secret\n"
					  "channels:\n  phone: {adapter: rich, url: ws://h, token: "
					  "'env:LINLI_TEST_SECRET'}\n" COMMUNITY,
					  &mistakes);
	assert_string_equal(mistakes, "");
	assert_string_equal(config->redis_password, "from file");
	assert_string_equal(((const struct own *)config->channels[0].own)->token, "from env");
	config_free(&config);
	unsetenv("LINLI_TEST_SECRET");
	unlink(file);
}

/* A secret that went into the wrong place, or a person's number, is not told. */
static void sentences_hold_no_values(void **state)
{
	(void)state;
	static const char *const places[] = {"log", "shards", "drain", "listen", "redis", "public_url"};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		const char *mistakes;
		read_text(arena_printf(arena, "%s: +8613800000009x\n" CHANNEL COMMUNITY, places[i]),
			  &mistakes);
		assert_non_null(strstr(mistakes, places[i]));
		assert_null(strstr(mistakes, "138"));
	}
}

static void limits(void **state)
{
	(void)state;
	const char *mistakes;
	char *deep = arena_alloc(arena, 101);
	memset(deep, '[', 100);
	read_text(deep, &mistakes);
	assert_string_equal(mistakes, "1:33 nested too deeply\n");
	char *large = arena_alloc(arena, 1024 * 1024 + 2);
	memset(large, '#', 1024 * 1024 + 1);
	read_text(large, &mistakes);
	assert_string_equal(mistakes, "0:0 the file is larger than 1 MiB\n");
	struct mistake *list;
	size_t count;
	assert_null(config_read("/no/such/linli.yaml", adapter_rows, locales, &list, &count));
	assert_int_equal(count, 1);
	assert_string_equal(list[0].sentence, "cannot be read: No such file or directory");
	mistakes_free(&list, count);
}

/* FNV-1a test vectors of its authors (isthe.com/chongo/tech/comp/fnv). */
static void shards_stay_where_they_are(void **state)
{
	(void)state;
	assert_int_equal(config_shard("a", INT32_MAX), (int64_t)0xe40c292c % INT32_MAX);
	assert_int_equal(config_shard("foobar", INT32_MAX), (int64_t)0xbf9cf968 % INT32_MAX);
	assert_int_equal(config_shard("", 64), 0x811c9dc5 % 64);
}

static void the_page_of_settings(void **state)
{
	(void)state;
	char *page = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&page, &len);
	config_settings_markdown(out, adapter_rows);
	fclose(out);
	assert_non_null(strstr(page, "| `listen` | text | `127.0.0.1:8080` |"));
	assert_non_null(strstr(page, "### `adapter: rich`"));
	assert_non_null(strstr(page, "| `url` | URL | *must be given* |"));
	assert_non_null(strstr(page, "| `mode` | choice: poll\\|hook | `poll` |"));
	assert_non_null(strstr(page, "| `flood.window` | duration, 1s to 1d | `10m` |"));
	assert_non_null(strstr(page, "## Organisers"));
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file),
		cmocka_unit_test(every_mistake_at_its_place),
		cmocka_unit_test(secrets_from_elsewhere),
		cmocka_unit_test(sentences_hold_no_values),
		cmocka_unit_test(limits),
		cmocka_unit_test(shards_stay_where_they_are),
		cmocka_unit_test(the_page_of_settings),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
