/* tests/adapters/provider.h - a scripted provider on the house's own web server, and recorded
 * traffic.
 *
 * The provider writes down what it is asked and answers from a script, then with its last line
 * again; a line with status 0 keeps the request unanswered until provider_let_go().
 */
#ifndef TESTS_ADAPTERS_PROVIDER_H
#define TESTS_ADAPTERS_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/adapters/house.h"

enum { PROVIDER_REQUESTS_MAX = 64, PROVIDER_SCRIPT_MAX = 16, PROVIDER_HEADERS_MAX = 16 };

struct provider_answer {
	int status;
	const char *body;        /* NULL: none */
	const char *retry_after; /* NULL: none */
};

struct provider_request {
	const char *method, *target, *body;
	size_t len;
	const char *headers[PROVIDER_HEADERS_MAX]; /* values of `watched`, in its order */
	const struct web_field *fields;            /* of a form */
	size_t field_count;
};

struct provider {
	struct house *house;
	const char *const *watched; /* headers to write down; NULL-ended */
	struct provider_answer script[PROVIDER_SCRIPT_MAX];
	size_t script_count, script_at;
	struct provider_request requests[PROVIDER_REQUESTS_MAX];
	size_t count;
	struct web_request *kept[PROVIDER_REQUESTS_MAX];
	size_t kept_count;
};

/* Mounts the path for GET and POST. The provider is the test's and outlives the house. */
void provider_mount(struct provider *provider, struct house *house, const char *path,
		    const char *const *watched);
/* Forgets what was asked and answers like this from now on. */
void provider_script(struct provider *provider, const struct provider_answer *script, size_t count);
const char *provider_header(const struct provider *provider, size_t i, const char *name);
const char *provider_field(const struct provider *provider, size_t i, const char *name);
bool provider_until(struct provider *provider, size_t count);
/* Answers what was kept with 500; nobody listens any more. */
void provider_let_go(struct provider *provider);

/* Fills a setting of an adapter's own struct from what would stand in the file. */
void own_set(const struct adapter *adapter, void *own, const char *name, const char *value);
/* An own struct with every default filled in, in the house's arena. */
void *own_new(struct house *house, const struct adapter *adapter);

/* tests/adapters/fixtures/NAME as it was recorded: `replay` asks the house's web server what the
 * platform asked; `answer` is a status and a body. */
struct house_answer fixture_replay(struct house *house, const char *name);
struct provider_answer fixture_answer(struct house *house, const char *name);

#endif
