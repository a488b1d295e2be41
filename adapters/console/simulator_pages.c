/* adapters/console/simulator_pages.c - serves the simulator's page and takes what is typed there.
 *
 * GET "" and its files; GET state (everything so far, JSON); GET events
 * (server-sent events: "hello", then one "note" per new or changed message);
 * POST send. A page opens events first and then reads state, so it misses
 * nothing; a note that comes twice is told by its `rev`.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "adapters/console/pages.h"
#include "adapters/console/simulator.h"
#include "base/arena.h"

/* An open page. */
struct page {
	struct simulator *simulator;
	struct web_stream *stream;
	struct page *next, **link;
};

/* ---- who may look ---- */

static bool host_is_loopback(const char *host)
{
	size_t name = strcspn(host, ":");
	if (host[0] == '[')
		return strncmp(host, "[::1]", 5) == 0 && (host[5] == '\0' || host[5] == ':');
	if (name == strlen("localhost") && strncasecmp(host, "localhost", name) == 0)
		return true;
	/* 127.0.0.0/8 as digits and dots only: "127.example" is somebody's name. */
	return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == name;
}

/* The host and port of "https://host:port/…" against a Host header. */
static bool host_is_public(const char *host, const char *public_url)
{
	const char *start = public_url != NULL ? strstr(public_url, "://") : NULL;
	if (start == NULL)
		return false;
	start += 3;
	size_t len = strcspn(start, "/?#");
	return strlen(host) == len && strncasecmp(start, host, len) == 0;
}

static bool came_by_proxy(const struct web_request *request)
{
	static const char *const marks[] = {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
					    "X-Real-IP", "Via"};
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (web_header(request, marks[i]) != NULL)
			return true;
	return false;
}

static bool origin_is_ours(const struct web_request *request, const char *host)
{
	const char *origin = web_header(request, "Origin");
	if (origin == NULL)
		return false;
	const char *rest = strstr(origin, "://");
	return rest != NULL && strncmp(origin, "http", 4) == 0 && strcasecmp(rest + 3, host) == 0;
}

/* Why this request is not answered, or NULL. The page lets anybody be anybody, so it must not be
 * reached by accident: through a proxy, under a foreign name (DNS rebinding), from another site. */
static const char *objection(const struct simulator *simulator, const struct web_request *request)
{
	const char *host = web_header(request, "Host");
	if (host == NULL)
		return "A Host header is needed.";
	bool here = host_is_loopback(host);
	if (simulator->open)
		here = here || host_is_public(host, simulator->channel->host->public_url);
	else if (!web_local(request) || came_by_proxy(request))
		return "the simulator is for this machine only; the setting open: yes lets others "
		       "in";
	if (!here)
		return "The simulator is not served under this host name; see the setting open.";
	if (strcmp(web_method(request), "POST") == 0 && !origin_is_ours(request, host))
		return "Messages are taken from the simulator's own page only.";
	return NULL;
}

bool pages_refused(const struct simulator *simulator, struct web_request *request)
{
	const char *why = objection(simulator, request);
	if (why != NULL)
		web_refuse(request, 403, why);
	return why != NULL;
}

static const struct web_reply_header page_headers[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	 "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"},
	{"Cache-Control", "no-store"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "same-origin"},
	{"X-Content-Type-Options", "nosniff"},
};

static void reply(struct web_request *request, int status, const char *type, const void *body,
		  size_t len)
{
	for (size_t i = 0; i < sizeof page_headers / sizeof page_headers[0]; i++)
		web_reply_header(request, page_headers[i].name, page_headers[i].value);
	web_reply(request, status, type, body, len);
}

void pages_reply_json(struct web_request *request, int status, struct json_object *object)
{
	size_t len = 0;
	const char *text = json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN, &len);
	reply(request, status, "application/json", text, len);
	json_object_put(object);
}

/* ---- pages and what they are told ---- */

static void serve_file(void *arg, struct web_request *request)
{
	const struct channel *channel = arg;
	if (pages_refused(channel->own, request))
		return;
	const char *name = strrchr(web_path(request), '/');
	name = name != NULL && name[1] != '\0' ? name + 1 : "simulator.html";
	for (const struct page_file *file = page_files; file->name != NULL; file++)
		if (strcmp(file->name, name) == 0) {
			reply(request, 200, file->type, file->data, file->len);
			return;
		}
	web_refuse(request, 404, "There is no such file.");
}

static void serve_state(void *arg, struct web_request *request)
{
	const struct channel *channel = arg;
	if (!pages_refused(channel->own, request))
		pages_reply_json(request, 200, simulator_json(channel->own));
}

static void page_drop(struct page *page)
{
	*page->link = page->next;
	if (page->next != NULL)
		page->next->link = page->link;
	page->simulator->page_count--;
	free(page);
}

static void page_gone(void *arg)
{
	page_drop(arg);
}

static void page_send(struct page *page, const char *event, struct json_object *object)
{
	web_stream_send(page->stream, event,
			json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
}

static void serve_events(void *arg, struct web_request *request)
{
	const struct channel *channel = arg;
	struct simulator *simulator = channel->own;
	if (pages_refused(simulator, request))
		return;
	if (simulator->closing || simulator->page_count >= SIMULATOR_PAGES_MAX) {
		web_later(request, 5);
		return;
	}
	struct page *page = xalloc(sizeof *page);
	page->simulator = simulator;
	page->next = simulator->pages;
	page->link = &simulator->pages;
	if (page->next != NULL)
		page->next->link = &page->next;
	simulator->pages = page;
	simulator->page_count++;
	page->stream = web_stream(request, page_gone, page);
	struct json_object *hello = json_object_new_object();
	json_object_object_add(hello, "session", json_object_new_int64(simulator->session));
	page_send(page, "hello", hello);
	json_object_put(hello);
}

void pages_tell(struct simulator *simulator, const struct talk *talk, const struct note *note)
{
	struct json_object *object = note_json(talk, note);
	for (struct page *page = simulator->pages, *next; page != NULL; page = next) {
		next = page->next;
		page_send(page, "note", object);
	}
	json_object_put(object);
}

void pages_close(struct simulator *simulator)
{
	while (simulator->pages != NULL) {
		web_stream_close(simulator->pages->stream);
		page_drop(simulator->pages);
	}
}

const struct web_route simulator_routes[] = {
	{.method = "GET", .path = "", .handle = serve_file},
	{.method = "GET", .path = "simulator.css", .handle = serve_file},
	{.method = "GET", .path = "simulator.js", .handle = serve_file},
	{.method = "GET", .path = "texts.js", .handle = serve_file},
	{.method = "GET", .path = "parts.js", .handle = serve_file},
	{.method = "GET", .path = "panes.js", .handle = serve_file},
	{.method = "GET", .path = "notes.js", .handle = serve_file},
	{.method = "GET", .path = "wire.js", .handle = serve_file},
	{.method = "GET", .path = "icon.svg", .handle = serve_file},
	{.method = "GET", .path = "state", .handle = serve_state},
	{.method = "GET", .path = "events", .handle = serve_events},
	{.method = "POST", .path = "send", .handle = simulator_take},
	{.path = NULL},
};
