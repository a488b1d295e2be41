/* Tests log lines as a journal gets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static char last[8192];
static int lines;

static void hook(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	snprintf(last, sizeof last, "%s", line);
	lines++;
}

static void lines_are_json_whatever_is_in_them(void **state)
{
	(void)state;
	log_set_hook(hook, NULL);
	struct log_subject channel = {.kind = "channel", .name = "phone \"x\""};
	uint64_t before = log_count(LOG_ERROR);
	log_error(&channel, "odd: \"%s\" \\ \x1B[1m\n%d", "邻里", 5);
	log_set_hook(NULL, NULL);
	assert_int_equal(log_count(LOG_ERROR), before + 1);
	assert_memory_equal(last, "<3>{", 4);
	assert_int_equal(strchr(last, '\n') - last, strlen(last) - 1); /* one line */
	struct json_object *line = json_tokener_parse(last + 3);
	assert_non_null(line);
	assert_string_equal(json_object_get_string(json_object_object_get(line, "level")), "error");
	assert_string_equal(json_object_get_string(json_object_object_get(line, "channel")),
			    "phone \"x\"");
	assert_string_equal(json_object_get_string(json_object_object_get(line, "message")),
			    "odd: \"邻里\" \\ \x1B[1m\n5");
	const char *time = json_object_get_string(json_object_object_get(line, "time"));
	assert_int_equal(strlen(time), strlen("2026-01-01T00:00:00.000Z"));
	json_object_put(line);
}

static void levels_are_kept(void **state)
{
	(void)state;
	lines = 0;
	log_set_hook(hook, NULL);
	log_set_level(LOG_ERROR);
	log_warning(NULL, "not heard");
	assert_int_equal(lines, 0);
	log_set_level(LOG_WARNING);
	log_warning(NULL, "heard");
	assert_int_equal(lines, 1);
	log_set_level(LOG_DEBUG);
	log_info(NULL, "written, not hooked");
	assert_int_equal(lines, 1);
	log_set_hook(NULL, NULL);
	log_set_level(LOG_INFO);
}

static void long_messages_are_cut(void **state)
{
	(void)state;
	char text[5000];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_set_hook(hook, NULL);
	log_warning(NULL, "%s", text);
	log_set_hook(NULL, NULL);
	struct json_object *line = json_tokener_parse(last + 3);
	assert_non_null(line);
	assert_in_range(strlen(json_object_get_string(json_object_object_get(line, "message"))),
			1000, 1024);
	json_object_put(line);
}

int main(void)
{
	/* The lines themselves are read through the hook; stderr must be no terminal. */
	int null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_json_whatever_is_in_them),
		cmocka_unit_test(levels_are_kept),
		cmocka_unit_test(long_messages_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
