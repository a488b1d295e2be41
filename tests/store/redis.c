/* What only the store in Redis can suffer: silence, refusals, flushed scripts, damaged values. */
#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "state/seal.h"
#include "state/store_redis.h"
#include "tests/store/bed.h"
#include "tests/store/bed_redis.h"
#include "tests/store/redis_server.h"

enum { A = 3 };

struct scene {
	struct bed *bed;
	struct arena *arena;
	struct heard heard;
	struct store *store;
	redisContext *raw;
};

static bool is_up(const void *arg)
{
	const struct heard *heard = arg;

	return heard->ups > heard->downs;
}

static int set_up(void **state)
{
	struct scene *scene = xalloc(sizeof *scene);
	struct store_listener listener = heard_listener(&scene->heard);

	scene->bed = bed_new();
	scene->arena = arena_new();
	scene->store = bed_open(scene->bed, &listener);
	bed_until(scene->bed, is_up, &scene->heard, "up");
	assert_int_equal(bed_own(scene->bed, scene->store, A), STORE_OK);
	scene->raw = redis_server_connect(bed_server(scene->bed));
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	log_set_hook(NULL, NULL);
	redisFree(scene->raw);
	scene->store->methods->free(scene->store);
	bed_free(scene->bed);
	heard_free(&scene->heard);
	arena_free(&scene->arena);
	free(scene);
	return 0;
}

__attribute__((format(printf, 2, 3))) static redisReply *raw(struct scene *scene,
							     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	redisReply *reply = redisvCommand(scene->raw, format, args);
	va_end(args);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s", reply->str);
	return reply;
}

static void no_log(void *arg, enum log_level level, const char *line)
{
	(void)level;
	(void)line;
	(*(int *)arg)++;
}

struct tally {
	int count, results[8];
	int wanted;
};

static void tallied(void *arg, enum store_result result)
{
	struct tally *tally = arg;

	tally->count++;
	tally->results[result]++;
}

static bool tally_full(const void *arg)
{
	const struct tally *tally = arg;

	return tally->count == tally->wanted;
}

static enum store_result write_one(struct scene *scene, const char *key, const char *body)
{
	struct document_write write = {.key = key, .body = body, .len = strlen(body)};
	struct commit commit = {.writes = &write, .write_count = 1};

	return bed_commit(scene->bed, scene->store, A, &commit);
}

/* ---- scripts ---- */

static void flushed_scripts_are_loaded_again(void **state)
{
	struct scene *scene = *state;
	enum { MANY = 300 };
	struct commit commits[MANY];
	struct document_write writes[MANY];
	struct tally tally = {.wanted = MANY};

	for (int round = 0; round < 3; round++) {
		memset(commits, 0, sizeof commits);
		tally.count = 0;
		freeReplyObject(raw(scene, "SCRIPT FLUSH"));
		for (int i = 0; i < MANY; i++) {
			writes[i] = (struct document_write){
				.key = arena_printf(scene->arena, "task/%d", i),
				.body = "x",
				.len = 1};
			commits[i].writes = &writes[i];
			commits[i].write_count = 1;
			scene->store->methods->commit(scene->store, A, &commits[i], tallied,
						      &tally);
		}
		bed_until(scene->bed, tally_full, &tally, "all commits");
		assert_int_equal(tally.results[STORE_OK], MANY * (round + 1));
	}
	assert_int_equal(scene->heard.downs, 0);
	struct store_figures figures = store_redis_figures(scene->store);
	assert_int_equal(figures.commits, 3 * MANY);
	assert_int_equal(figures.conflicts, 0);
	/* Not a load for each of them. */
	assert_true(figures.commands < 3 * (MANY * 2 + 100));
}

/* ---- silence ---- */

static void a_silent_redis_is_away_in_time(void **state)
{
	struct scene *scene = *state;
	struct store_accept item = {.dedup = "m1", .keep_ms = 60000, .body = "hello", .len = 5};
	size_t fresh;

	assert_int_equal(kill(bed_server(scene->bed)->pid, SIGSTOP), 0);
	int64_t began = clock_mono_us();
	assert_int_equal(bed_accept(scene->bed, scene->store, A, &item, 1, &fresh), STORE_AWAY);
	int64_t took = clock_mono_us() - began;
	assert_in_range(took, 85000, 99999);
	/* Anything else has 5 s; then the connection is given up. */
	assert_int_equal(write_one(scene, "task/1", "x"), STORE_AWAY);
	assert_in_range(clock_mono_us() - began, 4900000, 8000000);
	assert_int_equal(scene->heard.downs, 1);
	/* Each connection finds out for itself; then nothing waits any more. */
	do {
		assert_true(clock_mono_us() - began < 10000000);
		took = clock_mono_us();
		assert_int_equal(bed_accept(scene->bed, scene->store, A, &item, 1, &fresh),
				 STORE_AWAY);
		took = clock_mono_us() - took;
	} while (took > 50000);
	assert_int_equal(kill(bed_server(scene->bed)->pid, SIGCONT), 0);
	bed_until(scene->bed, is_up, &scene->heard, "up again");
	/* It was carried out behind our back, or is now: once in any case. */
	assert_int_equal(bed_accept(scene->bed, scene->store, A, &item, 1, &fresh), STORE_OK);
	bed_until_events(scene->bed, &scene->heard, 1);
	item.dedup = "m2";
	assert_int_equal(bed_accept(scene->bed, scene->store, A, &item, 1, &fresh), STORE_OK);
	bed_until_events(scene->bed, &scene->heard, 2);
	assert_int_equal(scene->heard.losts, 0);
}

/* The counter counts each event once, though connections are cut in the middle all the time. */
static void cuts_in_the_middle_double_nothing(void **state)
{
	struct scene *scene = *state;
	const char *key = "counter/1";
	int counted = 0;

	for (int i = 0; i < 15; i++) {
		bed_event(scene->bed, scene->store, A, "count");
		bed_until_events(scene->bed, &scene->heard, (size_t)i + 1);
		enum store_result result = STORE_AWAY;
		for (int tries = 0; result != STORE_OK && result != STORE_GONE; tries++) {
			struct document *documents;
			result = bed_load(scene->bed, scene->store, A, &key, 1, scene->arena,
					  &documents);
			if (result != STORE_OK)
				continue;
			char body[16];
			snprintf(body, sizeof body, "%d",
				 (documents[0].body ? atoi(documents[0].body) : 0) + 1);
			struct document_read read = {key, documents[0].version};
			struct document_write write = {
				.key = key, .body = body, .len = strlen(body)};
			struct commit commit = {.entry = scene->heard.events[i].entry,
						.reads = &read,
						.read_count = 1,
						.writes = &write,
						.write_count = 1};
			struct tally tally = {.wanted = 1};
			scene->store->methods->commit(scene->store, A, &commit, tallied, &tally);
			/* Flushes; the cut then hits it before, in, or behind its execution. */
			if (tries == 0)
				loop_turn(bed_loop(scene->bed), false);
			if (tries == 0)
				freeReplyObject(raw(scene, "CLIENT KILL TYPE normal SKIPME yes"));
			bed_until(scene->bed, tally_full, &tally, "commit");
			for (int r = STORE_OK; r <= STORE_AWAY; r++)
				if (tally.results[r])
					result = (enum store_result)r;
		}
		counted++;
		bed_until(scene->bed, is_up, &scene->heard, "up again");
		struct document *documents;
		assert_int_equal(
			bed_load(scene->bed, scene->store, A, &key, 1, scene->arena, &documents),
			STORE_OK);
		assert_int_equal(atoi(documents[0].body), counted);
	}
	assert_true(scene->heard.downs > 8);
}

/* ---- addresses and passwords ---- */

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static char last_reason[256];

static void note_reason(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	snprintf(last_reason, sizeof last_reason, "%s", line);
}

static struct store *open_at(struct scene *scene, const char *url, const char *password,
			     struct heard *heard)
{
	struct store_listener listener = heard_listener(heard);
	struct store_redis_options options = {
		.url = url, .password = password, .instance = "other", .prefix = "other"};
	struct error error = {0};
	struct store *store = store_redis_new(bed_loop(scene->bed), bed_seal(scene->bed), &options,
					      &listener, &error);

	if (!store)
		fail_msg("%s", error.text);
	return store;
}

static void tcp_names_and_databases_work(void **state)
{
	struct scene *scene = *state;
	struct heard heard = {0};
	struct redis_server *server = bed_server(scene->bed);

	redis_server_kill(server);
	redis_server_port(server, free_port());
	redis_server_start(server, NULL);
	struct store *store =
		open_at(scene, arena_printf(scene->arena, "tcp://localhost:%d/5", server->port),
			NULL, &heard);
	bed_until(scene->bed, is_up, &heard, "up");
	assert_int_equal(bed_own(scene->bed, store, A), STORE_OK);
	bed_event(scene->bed, store, A, "over TCP");
	bed_until_events(scene->bed, &heard, 1);
	redisFree(scene->raw);
	scene->raw = redis_server_connect(server);
	redisReply *reply = raw(scene, "EXISTS other:{%d}:in", A);
	assert_int_equal(reply->integer, 0);
	freeReplyObject(reply);
	freeReplyObject(raw(scene, "SELECT 5"));
	reply = raw(scene, "EXISTS other:{%d}:in", A);
	assert_int_equal(reply->integer, 1);
	freeReplyObject(reply);
	store->methods->free(store);
	heard_free(&heard);
}

static bool has_reason(const void *arg)
{
	return strstr(last_reason, arg) != NULL;
}

static void a_wrong_password_is_told_but_not_repeated(void **state)
{
	struct scene *scene = *state;
	struct heard heard = {0};
	struct redis_server *server = bed_server(scene->bed);
	struct store_accept item = {.body = "x", .len = 1};
	size_t fresh;

	redis_server_kill(server);
	redis_server_start(server, "right-password");
	last_reason[0] = '\0';
	log_set_hook(note_reason, NULL);
	struct store *store = open_at(scene, server->url, "wrong-password", &heard);
	bed_until(scene->bed, has_reason, "WRONGPASS", "the refusal in the log");
	assert_null(strstr(last_reason, "wrong-password"));
	assert_int_equal(bed_accept(scene->bed, store, A, &item, 1, &fresh), STORE_AWAY);
	store->methods->free(store);
	store = open_at(scene, server->url, "right-password", &heard);
	bed_until(scene->bed, is_up, &heard, "up");
	store->methods->free(store);
	heard_free(&heard);
}

static void bad_addresses_are_refused(void **state)
{
	struct scene *scene = *state;
	const char *too_long = arena_printf(scene->arena, "unix:/%0107d", 1);
	const char *const bad[] = {"",           "redis://x",     "tcp://",          "tcp://:1",
				   "tcp://h:0",  "tcp://h:65536", "tcp://h:1x",      "tcp://h:1/x",
				   "tcp://[::1", "unix:",         "unix:redis.sock", "unix:/x?db=",
				   "unix:/x?y",  too_long};
	struct store_listener listener = {0};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct store_redis_options options = {.url = bad[i], .instance = "x"};
		struct error error = {0};
		assert_null(store_redis_new(bed_loop(scene->bed), bed_seal(scene->bed), &options,
					    &listener, &error));
		assert_non_null(strstr(error.text, "tcp://host:port/db"));
	}
	struct store_redis_options options = {.url = "unix:/x", .instance = "a b"};
	assert_null(store_redis_new(bed_loop(scene->bed), bed_seal(scene->bed), &options, &listener,
				    NULL));
}

/* ---- damage ---- */

static void damaged_values_are_told_apart(void **state)
{
	struct scene *scene = *state;
	const char *keys[] = {"task/1", "task/2"};
	struct document *documents;
	struct send send = {.id = "s", .channel = "sms", .payload = "p", .len = 1};
	struct commit commit = {.sends = &send, .send_count = 1};
	struct store_accept items[] = {{.body = "first", .len = 5}, {.body = "second", .len = 6}};
	int logged = 0;
	size_t fresh;

	log_set_hook(no_log, &logged);
	assert_int_equal(write_one(scene, "task/1", "one"), STORE_OK);
	assert_int_equal(write_one(scene, "task/2", "two"), STORE_OK);
	assert_int_equal(bed_commit(scene->bed, scene->store, A, &commit), STORE_OK);
	/* A value moved to another key does not open there. */
	freeReplyObject(raw(scene, "COPY linli:{3}:d:task/1 linli:{3}:d:task/2 REPLACE"));
	assert_int_equal(bed_load(scene->bed, scene->store, A, keys, 2, scene->arena, &documents),
			 STORE_DAMAGED);
	assert_int_equal(bed_load(scene->bed, scene->store, A, keys, 1, scene->arena, &documents),
			 STORE_OK);
	assert_int_equal(logged, 1);
	/* An entry from elsewhere is skipped, those around it are delivered. */
	assert_int_equal(bed_accept(scene->bed, scene->store, A, items, 1, &fresh), STORE_OK);
	freeReplyObject(raw(scene, "XADD linli:{3}:in * p nonsense"));
	freeReplyObject(raw(scene, "XADD linli:{3}:in * q nonsense"));
	assert_int_equal(bed_accept(scene->bed, scene->store, A, items + 1, 1, &fresh), STORE_OK);
	bed_until_events(scene->bed, &scene->heard, 2);
	assert_string_equal(scene->heard.events[1].body, "second");
	redisReply *reply = raw(scene, "XLEN linli:{3}:in");
	assert_int_equal(reply->integer, 4);
	freeReplyObject(reply);
	assert_int_equal(logged, 3);
	/* Nor does one in the outbox keep the others from going out. */
	struct store_outbox_entry *entries;
	freeReplyObject(raw(scene, "XADD linli:{3}:out:sms:conversation * p nonsense"));
	assert_int_equal(bed_outbox(scene->bed, scene->store, A, "sms", scene->arena, &entries), 1);
	assert_string_equal(entries[0].payload, "p");
	assert_int_equal(logged, 4);
}

/* ---- what a stolen dump shows ---- */

static const char *const markers[] = {"Frau-Zhang-Marker", "+8613812345678", "3-gate-12-Maple",
				      "wall-of-text-marker", "telegram-demo/987654321"};

static void marker_find(const char *bytes, size_t len, const char *where)
{
	for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
		if (memmem(bytes, len, markers[i], strlen(markers[i])))
			fail_msg("\"%s\" stands in clear in %s", markers[i], where);
}

static size_t files_search(const char *folder, bool expect_plain)
{
	DIR *dir = opendir(folder);
	size_t total = 0;
	char path[512];

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			total += files_search(path, expect_plain);
		if (entry->d_type != DT_REG)
			continue;
		FILE *file = fopen(path, "r");
		struct buf all;
		char piece[4096];
		buf_init(&all, 0);
		for (size_t got; file && (got = fread(piece, 1, sizeof piece, file)) > 0;)
			buf_add(&all, piece, got);
		if (file)
			fclose(file);
		if (!expect_plain)
			marker_find(all.data, all.len, path);
		else
			total += memmem(all.data, all.len, "plain-marker", 12) != NULL;
		if (!expect_plain)
			total += all.len;
		buf_free(&all);
	}
	closedir(dir);
	return total;
}

static void a_stolen_dump_shows_nothing(void **state)
{
	struct scene *scene = *state;
	struct document_write write = {
		.key = "person/abc", .body = markers[0], .len = strlen(markers[0])};
	struct index_write index = {.index = "tasks/open", .member = "4711", .score = 1};
	struct send send = {.id = markers[1],
			    .channel = "sms",
			    .payload = markers[2],
			    .len = strlen(markers[2]),
			    .in_flight = true};
	struct due_write due = {.name = "lease/4711", .at = 5};
	struct commit commit = {.writes = &write,
				.write_count = 1,
				.indexes = &index,
				.index_count = 1,
				.sends = &send,
				.send_count = 1,
				.dues = &due,
				.due_count = 1};
	struct store_accept item = {.dedup = markers[4],
				    .keep_ms = 1000000,
				    .body = markers[3],
				    .len = strlen(markers[3])};
	struct send settled = {.id = markers[1], .channel = "sms", .payload = "p", .len = 1};
	struct commit other = {.sends = &settled, .send_count = 1};
	size_t fresh;

	assert_int_equal(bed_accept(scene->bed, scene->store, A, &item, 1, &fresh), STORE_OK);
	assert_int_equal(bed_commit(scene->bed, scene->store, A, &commit), STORE_OK);
	assert_int_equal(bed_commit(scene->bed, scene->store, A, &other), STORE_OK);
	assert_int_equal(bed_settle(scene->bed, scene->store, A, "sms", LANE_CONVERSATION,
				    settled.entry, markers[2]),
			 STORE_OK);
	redisReply *keys = raw(scene, "KEYS *");
	assert_true(keys->elements >= 8);
	for (size_t i = 0; i < keys->elements; i++) {
		marker_find(keys->element[i]->str, keys->element[i]->len, "a key's name");
		redisReply *dump = raw(scene, "DUMP %s", keys->element[i]->str);
		marker_find(dump->str, dump->len, keys->element[i]->str);
		freeReplyObject(dump);
	}
	freeReplyObject(keys);
	assert_true(files_search(bed_server(scene->bed)->folder, false) > 2000);
	/* The search does find what is written in clear. */
	freeReplyObject(raw(scene, "SET proof plain-marker"));
	assert_int_equal(files_search(bed_server(scene->bed)->folder, true), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flushed_scripts_are_loaded_again),
		TEST(a_silent_redis_is_away_in_time),
		TEST(cuts_in_the_middle_double_nothing),
		TEST(tcp_names_and_databases_work),
		TEST(a_wrong_password_is_told_but_not_repeated),
		TEST(bad_addresses_are_refused),
		TEST(damaged_values_are_told_apart),
		TEST(a_stolen_dump_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
