/* base/log.c - writes log lines to stderr: JSON for a journal, plain text for a terminal. */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"

enum { LINE_MAX_BYTES = 32 * 1024, MESSAGE_MAX_BYTES = 1024 };

static const struct {
	const char *name;
	int systemd; /* sd-daemon(3) */
} levels[] = {
	[LOG_DEBUG] = {"debug", 7},
	[LOG_INFO] = {"info", 6},
	[LOG_WARNING] = {"warning", 4},
	[LOG_ERROR] = {"error", 3},
};

/* The one log of the process. */
static struct {
	enum log_level least;
	void (*hook)(void *arg, enum log_level level, const char *line);
	void *hook_arg;
	uint64_t counts[LOG_ERROR + 1];
} the_log = {.least = LOG_INFO};

void log_set_level(enum log_level least)
{
	the_log.least = least;
}

void log_set_hook(void (*hook)(void *arg, enum log_level level, const char *line), void *arg)
{
	the_log.hook = hook;
	the_log.hook_arg = arg;
}

uint64_t log_count(enum log_level level)
{
	return the_log.counts[level];
}

static void add_json(struct buf *line, const char *s)
{
	buf_char(line, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\') {
			buf_char(line, '\\');
			buf_char(line, (char)c);
		} else if (c < 0x20 || c == 0x7F) {
			buf_printf(line, "\\u%04x", c);
		} else {
			buf_char(line, (char)c);
		}
	}
	buf_char(line, '"');
}

/* A terminal must not obey what stands in a line. */
static void add_plain(struct buf *line, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		buf_char(line, c < 0x20 || c == 0x7F ? ' ' : (char)c);
	}
}

static void add_time(struct buf *line, int64_t now)
{
	struct civil t = civil_from_ms(now, 0);
	buf_printf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.year, t.month, t.day, t.hour,
		   t.minute, t.second, (int)(now % 1000));
}

static void make_json(struct buf *line, enum log_level level, const struct log_subject *subject,
		      const char *message)
{
	buf_printf(line, "<%d>{\"time\":\"", levels[level].systemd);
	add_time(line, clock_wall_ms());
	buf_printf(line, "\",\"level\":\"%s\"", levels[level].name);
	if (subject && subject->kind) {
		buf_char(line, ',');
		add_json(line, subject->kind);
		buf_char(line, ':');
		add_json(line, subject->name ? subject->name : "");
	}
	buf_str(line, ",\"message\":");
	add_json(line, message);
	buf_str(line, "}\n");
}

static void make_plain(struct buf *line, enum log_level level, const struct log_subject *subject,
		       const char *message)
{
	add_time(line, clock_wall_ms());
	buf_printf(line, " %-7s ", levels[level].name);
	if (subject && subject->kind) {
		add_plain(line, subject->kind);
		buf_char(line, ' ');
		add_plain(line, subject->name ? subject->name : "");
		buf_str(line, ": ");
	}
	add_plain(line, message);
	buf_char(line, '\n');
}

static void write_all(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, data, len);
		if (n <= 0)
			return; /* nowhere left to tell it */
		data += n;
		len -= (size_t)n;
	}
}

void log_line(enum log_level level, const struct log_subject *subject, const char *format, ...)
{
	if (level < the_log.least)
		return;
	char message[MESSAGE_MAX_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);

	struct buf line;
	buf_init(&line, LINE_MAX_BYTES);
	if (isatty(STDERR_FILENO))
		make_plain(&line, level, subject, message);
	else
		make_json(&line, level, subject, message);
	the_log.counts[level]++;
	write_all(line.data, line.len);
	if (the_log.hook && level >= LOG_WARNING)
		the_log.hook(the_log.hook_arg, level, line.data);
	buf_free(&line);
}
