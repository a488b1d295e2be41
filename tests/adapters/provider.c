/* tests/adapters/provider.c - a provider that plays a script, and the reader of recorded traffic.
 */
#include "tests/adapters/provider.h"

#undef NDEBUG /* a test that cannot fail is none */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void keep(struct provider *provider, struct web_request *request)
{
	struct arena *arena = house_arena(provider->house);
	struct provider_request *row = &provider->requests[provider->count];
	struct web_field *fields;

	assert(provider->count < PROVIDER_REQUESTS_MAX);
	*row = (struct provider_request){
		.method = arena_str(arena, web_method(request)),
		.target = arena_str(arena, web_target(request)),
	};
	const char *body = web_body(request, &row->len);
	row->body = arena_bytes(arena, body ? body : "", row->len);
	for (size_t i = 0; provider->watched && provider->watched[i]; i++)
		row->headers[i] = arena_str(arena, web_header(request, provider->watched[i]));
	const char *type = web_header(request, "Content-Type");
	if (type && !strncmp(type, "application/x-www-form-urlencoded", 33) &&
	    !web_form(request, &fields, &row->field_count)) {
		struct web_field *copy = arena_alloc(arena, (row->field_count + 1) * sizeof *copy);
		for (size_t i = 0; i < row->field_count; i++)
			copy[i] = (struct web_field){arena_str(arena, fields[i].name),
						     arena_str(arena, fields[i].value)};
		row->fields = copy;
	}
	provider->count++;
}

static void handle(void *arg, struct web_request *request)
{
	struct provider *provider = arg;
	const struct provider_answer *answer = &provider->script[provider->script_at];

	keep(provider, request);
	if (provider->script_at + 1 < provider->script_count)
		provider->script_at++;
	if (!answer->status) {
		assert(provider->kept_count < PROVIDER_REQUESTS_MAX);
		provider->kept[provider->kept_count++] = request;
		return;
	}
	if (answer->retry_after)
		web_reply_header(request, "Retry-After", answer->retry_after);
	const char *body = answer->body ? answer->body : "";
	web_reply(request, answer->status, "text/html", body, strlen(body));
}

void provider_mount(struct provider *provider, struct house *house, const char *path,
		    const char *const *watched)
{
	const struct web_route routes[] = {
		{.method = "GET", .path = path, .handle = handle},
		{.method = "POST", .path = path, .handle = handle},
		{.path = NULL},
	};

	*provider = (struct provider){.house = house, .watched = watched};
	web_mount(house_web(house), "/", routes, provider);
}

void provider_script(struct provider *provider, const struct provider_answer *script, size_t count)
{
	assert(count && count <= PROVIDER_SCRIPT_MAX);
	memcpy(provider->script, script, count * sizeof *script);
	provider->script_count = count;
	provider->script_at = 0;
	provider->count = 0;
}

const char *provider_header(const struct provider *provider, size_t i, const char *name)
{
	assert(i < provider->count);
	for (size_t k = 0; provider->watched[k]; k++)
		if (!strcmp(provider->watched[k], name))
			return provider->requests[i].headers[k];
	abort();
}

const char *provider_field(const struct provider *provider, size_t i, const char *name)
{
	assert(i < provider->count);
	return web_field(provider->requests[i].fields, provider->requests[i].field_count, name);
}

struct wanted {
	const struct provider *provider;
	size_t count;
};

static bool enough(void *arg)
{
	const struct wanted *wanted = arg;
	return wanted->provider->count >= wanted->count;
}

bool provider_until(struct provider *provider, size_t count)
{
	return house_until(provider->house, enough, &(struct wanted){provider, count});
}

void provider_let_go(struct provider *provider)
{
	for (size_t i = 0; i < provider->kept_count; i++)
		web_reply(provider->kept[i], 500, "text/plain", "", 0);
	provider->kept_count = 0;
}

static int64_t duration_of(const char *value)
{
	char *unit;
	long long n = strtoll(value, &unit, 10);

	switch (*unit) {
	case 's':
		return n * 1000;
	case 'm':
		return unit[1] == 's' ? n : n * 60000;
	case 'h':
		return n * 3600000;
	case 'd':
		return n * 86400000;
	default:
		abort();
	}
}

static void fill(const struct setting *row, void *own, const char *value)
{
	void *at = (char *)own + row->offset;

	switch (row->type) {
	case SETTING_BOOL:
		*(bool *)at = !strcmp(value, "true");
		break;
	case SETTING_INT:
		*(int64_t *)at = strtoll(value, NULL, 10);
		break;
	case SETTING_DURATION:
		*(int64_t *)at = duration_of(value);
		break;
	case SETTING_TEXTS:
		abort();
	default:
		*(const char **)at = value;
	}
}

void own_set(const struct adapter *adapter, void *own, const char *name, const char *value)
{
	for (const struct setting *row = adapter->settings; row->name; row++)
		if (!strcmp(row->name, name)) {
			fill(row, own, value);
			return;
		}
	abort();
}

void *own_new(struct house *house, const struct adapter *adapter)
{
	void *own = arena_alloc(house_arena(house), adapter->own_size);

	for (const struct setting *row = adapter->settings; row->name; row++)
		if (row->standard)
			fill(row, own, row->standard);
	return own;
}

static char *fixture(struct arena *arena, const char *name, size_t *len_r)
{
	const char *source = getenv("LINLI_SOURCE");
	const char *path =
		arena_printf(arena, "%s/tests/adapters/fixtures/%s", source ? source : ".", name);
	enum { MOST = 65536 };
	char *data = arena_alloc(arena, MOST + 1);
	FILE *file = fopen(path, "rb");

	if (!file)
		fprintf(stderr, "%s cannot be read\n", path);
	assert(file);
	*len_r = fread(data, 1, MOST, file);
	fclose(file);
	return data;
}

struct house_answer fixture_replay(struct house *house, const char *name)
{
	struct arena *arena = house_arena(house);
	size_t len, count = 0;
	char *data = fixture(arena, name, &len), *end = data + len;
	char *body = strstr(data, "\n\n"), *line = strchr(data, '\n');
	const char *headers[PROVIDER_HEADERS_MAX + 1];
	char *path = strchr(data, ' ');

	assert(body && line && path && path < line);
	*body = '\0';
	body += 2;
	while (line && line < body - 2) {
		*line++ = '\0';
		assert(count < PROVIDER_HEADERS_MAX);
		headers[count++] = line;
		line = strchr(line, '\n');
	}
	headers[count] = NULL;
	*path++ = '\0';
	return strcmp(data, "GET") != 0
		       ? house_post(house, path, headers, body, (size_t)(end - body))
		       : house_get(house, path);
}

struct provider_answer fixture_answer(struct house *house, const char *name)
{
	size_t len;
	char *data = fixture(house_arena(house), name, &len), *body = strstr(data, "\n\n");

	assert(body);
	return (struct provider_answer){.status = (int)strtol(data, NULL, 10), .body = body + 2};
}
