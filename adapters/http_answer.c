/* Reads what an HTTP answer says: header values, Retry-After, and what a status means for a send.
 */
#include "adapters/http_answer.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "adapters/http.h"
#include "base/arena.h"
#include "base/clock.h"

enum { DAY_S = 24 * 60 * 60 };

void http_header_value(const char *line, size_t len, const char *name, char *value, size_t size)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len))
		return;
	const char *from = line + name_len + 1, *to = line + len;

	while (from < to && strchr(" \t\r\n", *from))
		from++;
	while (to > from && strchr(" \t\r\n", to[-1]))
		to--;
	size_t count = (size_t)(to - from) < size ? (size_t)(to - from) : size - 1;

	memcpy(value, from, count);
	value[count] = '\0';
}

int64_t http_retry_after(const char *value)
{
	int64_t ms = 0;

	if (value[0] >= '0' && value[0] <= '9' && !value[strspn(value, "0123456789")]) {
		int64_t seconds = 0;

		for (; *value && seconds < DAY_S; value++)
			seconds = seconds * 10 + (*value - '0');
		ms = seconds * 1000;
	} else if (value[0]) {
		time_t when = curl_getdate(value, NULL);

		if (when > 0)
			ms = (int64_t)when * 1000 - clock_wall_ms();
	}
	if (ms < 0)
		return 0;
	return ms < (int64_t)DAY_S * 1000 ? ms : (int64_t)DAY_S * 1000;
}

static struct outcome refused(enum refusal refusal, const char *reason)
{
	return (struct outcome){.kind = OUTCOME_REFUSED, .refusal = refusal, .reason = reason};
}

struct outcome http_outcome(const struct http_answer *answer)
{
	switch (answer->fate) {
	case HTTP_NOT_SENT:
		return (struct outcome){.kind = OUTCOME_RETRY, .reason = answer->reason};
	case HTTP_UNCERTAIN:
		return (struct outcome){.kind = OUTCOME_UNCERTAIN, .reason = answer->reason};
	case HTTP_ANSWERED:
		break;
	}
	if (answer->status >= 200 && answer->status < 300)
		return (struct outcome){.kind = OUTCOME_SENT};
	if (answer->status == 429)
		return (struct outcome){.kind = OUTCOME_RETRY,
					.retry_ms = answer->retry_after_ms,
					.reason = "too many requests (429)"};
	if (answer->status == 503 && answer->retry_after_ms)
		return (struct outcome){.kind = OUTCOME_RETRY,
					.retry_ms = answer->retry_after_ms,
					.reason = "the service asks to come later (503)"};
	if (answer->status >= 500)
		return (struct outcome){.kind = OUTCOME_UNCERTAIN,
					.reason = "the service failed (5xx)"};
	if (answer->status == 401 || answer->status == 403)
		return refused(REFUSAL_CHANNEL, "the credentials were refused (401 or 403)");
	if (answer->status >= 400)
		return refused(REFUSAL_OTHER, "the request was refused (4xx)");
	return refused(REFUSAL_CHANNEL, "the address of the service answers with a redirect (3xx)");
}

char *http_escape(struct arena *arena, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	char *out = arena_alloc(arena, strlen(s) * 3 + 1), *to = out;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (strchr(plain, c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return out;
}
