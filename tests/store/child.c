/* Our own redis-server: started, found again, restarted, stopped. */
#include "state/redis_child.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

struct scene {
	struct loop *loop;
	struct loop_timer *beat;
	char root[64], data[PATH_MAX];
	struct redis_child *child;
	bool stopped;
	int logged;
};

static void beaten(void *arg)
{
	(void)arg;
}

static void logged(void *arg, enum log_level level, const char *line)
{
	(void)level;
	(void)line;
	((struct scene *)arg)->logged++;
}

static int set_up(void **state)
{
	struct scene *scene = xalloc(sizeof *scene);

	scene->loop = loop_new();
	scene->beat = loop_timer(scene->loop, beaten, NULL);
	loop_timer_start(scene->beat, 5, 5);
	strcpy(scene->root, "/tmp/linli-child-XXXXXX");
	assert_non_null(mkdtemp(scene->root));
	snprintf(scene->data, sizeof scene->data, "%s/data", scene->root);
	log_set_hook(logged, scene);
	*state = scene;
	return 0;
}

static void stopped(void *arg)
{
	((struct scene *)arg)->stopped = true;
}

static void stop(struct scene *scene)
{
	scene->stopped = false;
	redis_child_stop(&scene->child, stopped, scene);
	assert_false(scene->stopped);
	while (!scene->stopped)
		loop_turn(scene->loop, true);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	char command[128];

	if (scene->child)
		stop(scene);
	log_set_hook(NULL, NULL);
	loop_timer_close(&scene->beat);
	loop_free(&scene->loop);
	snprintf(command, sizeof command, "rm -r %s", scene->root);
	assert_int_equal(system(command), 0);
	free(scene);
	return 0;
}

static void start(struct scene *scene)
{
	struct error error = {0};

	scene->child = redis_child_start(scene->loop, scene->data, &error);
	if (!scene->child)
		fail_msg("%s", error.text);
}

/* Connects as soon as it can be; fails after 20 s. */
static redisContext *connect_to(struct scene *scene)
{
	int64_t end = clock_mono_us() + 20 * 1000000;
	const char *url = redis_child_url(scene->child);

	assert_int_equal(strncmp(url, "unix:/", 6), 0);
	for (;;) {
		redisContext *context = redisConnectUnix(url + 5);
		assert_non_null(context);
		redisReply *reply = context->err ? NULL : redisCommand(context, "PING");
		bool pong = reply && reply->type == REDIS_REPLY_STATUS;
		if (reply)
			freeReplyObject(reply);
		if (pong)
			return context;
		redisFree(context);
		loop_turn(scene->loop, true);
		if (clock_mono_us() > end)
			fail_msg("no answer at %s", url);
	}
}

static void is_text(redisContext *context, const char *command, const char *expected)
{
	redisReply *reply = redisCommand(context, command);

	assert_non_null(reply);
	assert_non_null(reply->str);
	assert_string_equal(reply->str, expected);
	freeReplyObject(reply);
}

static void is_set(redisContext *context, const char *name, const char *expected)
{
	redisReply *reply = redisCommand(context, "CONFIG GET %s", name);

	assert_int_equal(reply->elements, 2);
	assert_string_equal(reply->element[1]->str, expected);
	freeReplyObject(reply);
}

static long pid_of(struct scene *scene)
{
	char path[PATH_MAX + 16];
	long pid = 0;

	snprintf(path, sizeof path, "%s/redis.pid", scene->data);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld", &pid), 1);
	fclose(file);
	return pid;
}

static void it_is_private_and_durable(void **state)
{
	struct scene *scene = *state;
	struct stat st;

	assert_int_equal(mkdir(scene->data, 0755), 0);
	start(scene);
	redisContext *context = connect_to(scene);
	is_set(context, "port", "0");
	is_set(context, "appendonly", "yes");
	is_set(context, "appendfsync", "always");
	is_set(context, "save", "");
	is_set(context, "maxmemory-policy", "noeviction");
	assert_int_equal(stat(scene->data, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(redis_child_url(scene->child) + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	redisFree(context);
	long pid = pid_of(scene);
	stop(scene);
	assert_int_equal(kill((pid_t)pid, 0), -1);
}

static void it_comes_back_with_everything(void **state)
{
	struct scene *scene = *state;

	start(scene);
	redisContext *context = connect_to(scene);
	is_text(context, "SET kept yes", "OK");
	redisFree(context);
	for (int i = 0; i < 2; i++) {
		long pid = pid_of(scene);
		assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
		while (scene->logged <= i) /* told once per death */
			loop_turn(scene->loop, true);
		context = connect_to(scene);
		is_text(context, "GET kept", "yes");
		redisFree(context);
		assert_true(pid_of(scene) != pid);
	}
	stop(scene);
	start(scene);
	context = connect_to(scene);
	is_text(context, "GET kept", "yes");
	redisFree(context);
}

static void one_of_a_former_life_is_used_on(void **state)
{
	struct scene *scene = *state;
	struct redis_child *second;

	start(scene);
	redisContext *context = connect_to(scene);
	is_text(context, "SET kept yes", "OK");
	long pid = pid_of(scene);
	/* A second life that finds the first one's server. */
	second = redis_child_start(scene->loop, scene->data, NULL);
	assert_non_null(second);
	assert_string_equal(redis_child_url(second), redis_child_url(scene->child));
	assert_int_equal(pid_of(scene), pid);
	is_text(context, "GET kept", "yes");
	redisFree(context);
	/* Stopping the second stops that very process; the first then starts a new one. */
	struct redis_child *first = scene->child;
	scene->child = second;
	stop(scene);
	scene->child = first;
	context = connect_to(scene);
	is_text(context, "GET kept", "yes");
	assert_true(pid_of(scene) != pid);
	redisFree(context);
}

static void a_foreign_pid_is_left_alone(void **state)
{
	struct scene *scene = *state;
	char path[PATH_MAX + 16];

	/* A stale file names a process that is no redis-server of this folder: this test. */
	assert_int_equal(mkdir(scene->data, 0700), 0);
	snprintf(path, sizeof path, "%s/redis.pid", scene->data);
	FILE *file = fopen(path, "w");
	fprintf(file, "%ld\n", (long)getpid());
	fclose(file);
	start(scene);
	redisContext *context = connect_to(scene);
	is_text(context, "SET a b", "OK");
	redisFree(context);
	assert_true(pid_of(scene) != getpid());
	stop(scene);
}

static void a_long_folder_gets_a_short_socket(void **state)
{
	struct scene *scene = *state;
	char folder[PATH_MAX];
	struct stat st;

	snprintf(scene->data, sizeof scene->data, "%s/%0120d", scene->root, 1);
	start(scene);
	const char *socket = redis_child_url(scene->child) + 5;
	assert_true(strlen(socket) <= 107);
	assert_null(strstr(socket, scene->root));
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(socket, '/') - socket), socket);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	redisContext *context = connect_to(scene);
	is_text(context, "SET a b", "OK");
	redisFree(context);
	stop(scene);
	rmdir(folder);
}

static void a_missing_program_is_named(void **state)
{
	struct scene *scene = *state;
	struct error error = {0};
	char *path = xstrdup(getenv("PATH"));

	setenv("PATH", scene->root, 1);
	assert_null(redis_child_start(scene->loop, scene->data, &error));
	setenv("PATH", path, 1);
	free(path);
	assert_non_null(strstr(error.text, "redis-server is not installed"));
	assert_non_null(strstr(error.text, "apt install redis-server"));
	snprintf(scene->data, sizeof scene->data, "%s/no/such/place", scene->root);
	assert_null(redis_child_start(scene->loop, scene->data, &error));
	assert_non_null(strstr(error.text, "No such file"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_private_and_durable),         TEST(it_comes_back_with_everything),
		TEST(one_of_a_former_life_is_used_on),   TEST(a_foreign_pid_is_left_alone),
		TEST(a_long_folder_gets_a_short_socket), TEST(a_missing_program_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
