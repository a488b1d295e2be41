/* adapters/web_head.h - which request heads are believed (private to adapters/web*.c, pure).
 *
 * libmicrohttpd 0.9.75 takes Content-Length beside Transfer-Encoding, two
 * lengths, bare LF, folded lines, a space before the colon and NUL in a value.
 * Behind a proxy that reads such a head otherwise, that is how requests are
 * smuggled (RFC 9112, 11.2). So a head that the library has parsed is judged
 * here once more, before its body is read.
 */
#ifndef ADAPTERS_WEB_HEAD_H
#define ADAPTERS_WEB_HEAD_H

#include <stddef.h>

struct web_slice {
	const char *at;
	size_t len;
};

struct web_head_field {
	struct web_slice name, value;
};

/* Every slice but `target` still points to where its bytes came in; of the target, which the library
 * cuts up, that place is only compared. */
struct web_head {
	struct web_slice method, target, version;
	const char *target_at;
	const struct web_head_field *fields; /* in the order sent */
	size_t field_count;
	size_t size; /* bytes from the method to the end of the empty line */
};

/* 0, or the status to refuse it with (400, 501) and a sentence for the peer. */
int web_head_check(const struct web_head *head, const char **sentence_r);

#endif
