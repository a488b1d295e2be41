/* adapters/http_answer.h - reading what an HTTP answer says (private to adapters/http.c, pure). */
#ifndef ADAPTERS_HTTP_ANSWER_H
#define ADAPTERS_HTTP_ANSWER_H

#include <stddef.h>
#include <stdint.h>

/* If the line (with its CRLF) is that header, copies its trimmed value, cut to size. */
void http_header_value(const char *line, size_t len, const char *name, char *value, size_t size);

/* Retry-After (RFC 9110, 10.2.3): seconds, or a date in any of its three forms; 0 if it is neither
 * or past. At most a day. */
int64_t http_retry_after(const char *value);

#endif
