/* base/log.h - one structured line per fact, on stderr.
 *
 * A line is `<N>` (systemd level), then JSON: time, level, what it is about
 * (subject: "channel telegram-demo", "shard 17", "task 4711"), message. Set to
 * plain text when stderr is a terminal. Messages are written by the programmer
 * and never carry a text, a name, a number or an address of a person; where an
 * object must be told apart use its code, its shard or its channel's name.
 * Loop thread only.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* What a line hangs on; embed it in the object that logs. */
struct log_subject {
	const char *kind; /* "channel", "shard", … or NULL */
	const char *name; /* borrowed */
};

void log_set_level(enum log_level least);
/* Tests: get every line at or above WARNING; NULL to stop. */
void log_set_hook(void (*hook)(void *arg, enum log_level level, const char *line), void *arg);
/* How many lines were written at this level since the start. */
uint64_t log_count(enum log_level level);

void log_line(enum log_level level, const struct log_subject *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(subject, ...)   log_line(LOG_DEBUG, subject, __VA_ARGS__)
#define log_info(subject, ...)    log_line(LOG_INFO, subject, __VA_ARGS__)
#define log_warning(subject, ...) log_line(LOG_WARNING, subject, __VA_ARGS__)
#define log_error(subject, ...)   log_line(LOG_ERROR, subject, __VA_ARGS__)

#endif
