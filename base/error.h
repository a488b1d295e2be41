/* base/error.h - what went wrong, in one sentence made where the fact is known.
 *
 * A function that can fail returns 0, or -1 with *error_r filled. error_r may
 * be NULL. Sentences name the thing ("redis at unix:/…: connection refused")
 * and never hold a person's text, number or address.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define MUST_CHECK __attribute__((warn_unused_result))

struct error {
	char text[256];
};

/* Fills *error_r and returns -1, so that callers write `return error_set(…)`. */
int error_set(struct error *error_r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the sentence already there; returns -1. */
int error_prefix(struct error *error_r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
