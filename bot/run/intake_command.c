/* bot/run/intake_command.c - reads texts from standard input and tells what the core reads in them.
 */
#include "bot/run/intake_command.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "bot/reading.h"
#include "bot/step.h"
#include "config/config.h"

const char *intake_config(int argc, char **argv)
{
	static const char option[] = "--config";
	size_t len = sizeof(option) - 1;
	if (argc == 3 && !strcmp(argv[1], option))
		return argv[2];
	if (argc == 2 && !strncmp(argv[1], option, len) && argv[1][len] == '=')
		return argv[1] + len + 1;
	return NULL;
}

static struct json_object *string_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *score_of(double score)
{
	char digits[32];
	snprintf(digits, sizeof(digits), "%.4f", score);
	return json_object_new_double_s(score, digits);
}

static struct json_object *told(const struct reading *reading)
{
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "request", json_object_new_boolean(reading->request));
	json_object_object_add(object, "score", score_of(reading->score));
	json_object_object_add(object, "kind", string_or_null(reading->kind));
	json_object_object_add(object, "area", string_or_null(reading->area));
	json_object_object_add(object, "urgent", json_object_new_boolean(reading->urgent));
	json_object_object_add(object, "time", string_or_null(reading->time));
	json_object_object_add(object, "language", string_or_null(reading->language));
	return object;
}

/* The text on a line, cleaned as a message would be; NULL with what is wrong with it. */
static const char *text_of(struct json_object *line, struct arena *arena, const char **error_r)
{
	struct json_object *text = line;
	if (json_object_is_type(line, json_type_object) &&
	    !json_object_object_get_ex(line, "text", &text) &&
	    !json_object_object_get_ex(line, "en", &text))
		text = NULL;
	if (!json_object_is_type(text, json_type_string)) {
		*error_r = line ? "neither a string nor an object with text" : "not JSON";
		return NULL;
	}
	return text_clean(arena, json_object_get_string(text),
			  (size_t)json_object_get_string_len(text));
}

/* One JSON value and nothing after it; NULL. */
static struct json_object *parse(const char *line, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL behind it ends the value as well. */
	struct json_object *object = json_tokener_parse_ex(tokener, line, (int)len + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static int read_line(const struct bot *bot, const struct community *community, const char *line,
		     size_t len, struct arena *arena)
{
	const char *error = NULL;
	struct json_object *object = parse(line, len), *answer;
	const char *text = text_of(object, arena, &error);
	if (text) {
		int64_t now = clock_wall_ms();
		int offset;
		clock_zone_offset(community->zone, now, &offset);
		struct reading reading = reading_of(bot, community, text, now, offset, arena);
		answer = told(&reading);
	} else {
		answer = json_object_new_object();
		json_object_object_add(answer, "error", json_object_new_string(error));
	}
	puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	json_object_put(answer);
	json_object_put(object);
	return text ? 0 : 1;
}

int intake_run(const struct config *config, const struct locales *locales)
{
	struct bot *bot = bot_new(locales, config->communities, config->community_count, NULL, 0);
	struct arena *arena = arena_new();
	char *line = NULL;
	size_t size = 0;
	int status = 0;
	/* The file's first community; one is there, config_read() saw to it. */
	for (ssize_t len; (len = getline(&line, &size, stdin)) >= 0; arena_clear(arena)) {
		while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			line[--len] = 0;
		status |= read_line(bot, &config->communities[0], line, (size_t)len, arena);
	}
	if (ferror(stdin) || fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "linli: the texts could not be read, or the answers not written\n");
		status = 1;
	}
	free(line);
	arena_free(&arena);
	bot_free(&bot);
	return status;
}
