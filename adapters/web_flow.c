/* Takes a request through the server: judged, routed, collected, handled, answered. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/web_form.h"
#include "adapters/web_own.h"

enum {
	EXCESS_MAX = 1024 * 1024, /* of a chunked body that is read only to be able to say 413 */
};

/* --- a request comes in ------------------------------------------------------------------- */

/* The target as it came, before the library takes it apart. */
void *web_on_target(void *arg, const char *target, struct MHD_Connection *library)
{
	struct web *web = arg;
	struct web_request *request = xalloc(sizeof *request);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	request->web = web;
	request->library = library;
	request->connection = info->socket_context;
	request->connection->deadline = web_now_ms() + WEB_HEAD_MS;
	request->arena = arena_new();
	request->target_at = target;
	request->target = arena_str(request->arena, target ? target : "");
	request->next = web->requests;
	request->link = &web->requests;
	if (request->next)
		request->next->link = &request->next;
	web->requests = request;
	web->counts.requests++;
	return request;
}

static enum MHD_Result on_field(void *arg, enum MHD_ValueKind kind, const char *name,
				size_t name_len, const char *value, size_t value_len)
{
	struct web_request *request = arg;
	size_t n = request->header_count;

	(void)kind;
	request->fields = arena_grow(request->arena, request->fields, n, sizeof *request->fields);
	request->fields[n] = (struct web_head_field){
		.name = {name, name_len},
		.value = {value ? value : name + name_len, value_len},
	};
	request->header_count++;
	return MHD_YES;
}

static const char *trimmed(struct arena *arena, struct web_slice s)
{
	while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return arena_bytes(arena, s.at, s.len);
}

static void copy_headers(struct web_request *request)
{
	request->headers =
		arena_alloc(request->arena, (request->header_count + 1) * sizeof *request->headers);
	for (size_t i = 0; i < request->header_count; i++) {
		struct web_slice name = request->fields[i].name;

		request->headers[i] = (struct web_field){
			.name = arena_bytes(request->arena, name.at, name.len),
			.value = trimmed(request->arena, request->fields[i].value),
		};
	}
}

static int judge_head(struct web_request *request, const char *method, const char *version,
		      const char **sentence_r)
{
	MHD_get_connection_values_n(request->library, MHD_HEADER_KIND, on_field, request);
	struct web_head head = {
		.method = {method, strlen(method)},
		.target = {request->target, strlen(request->target)},
		.target_at = request->target_at,
		.version = {version, strlen(version)},
		.fields = request->fields,
		.field_count = request->header_count,
		.size = MHD_get_connection_info(request->library,
						MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
				->header_size,
	};
	int status = web_head_check(&head, sentence_r);

	if (status)
		return status;
	request->method = arena_str(request->arena, method);
	request->version = arena_str(request->arena, version);
	copy_headers(request);
	return 0;
}

/* "/a/b?c=d", or "http://host/a/b?c=d" (RFC 9112, 3.2.2). */
static int read_target(struct web_request *request)
{
	const char *at = request->target;

	if (!strncasecmp(at, "http://", 7) || !strncasecmp(at, "https://", 8)) {
		at = strchr(at, ':') + 3;
		at += strcspn(at, "/?");
	}
	const char *mark = strchr(at, '?');
	size_t len = mark ? (size_t)(mark - at) : strlen(at);

	request->path = len ? web_decode(request->arena, at, len, false) : "/";
	if (!request->path)
		return -1;
	if (mark)
		request->query_bad = web_decode_query(request->arena, mark + 1, strlen(mark + 1),
						      &request->query, &request->query_count) != 0;
	return 0;
}

int web_by_path(const void *a, const void *b)
{
	return strcmp(((const struct web_mounted *)a)->path, ((const struct web_mounted *)b)->path);
}

/* 0, 404, or 405 with Allow already set. */
static int find_route(struct web_request *request)
{
	const struct web *web = request->web;
	struct web_mounted key = {.path = (char *)request->path};
	const struct web_mounted *first =
		web->route_count
			? bsearch(&key, web->routes, web->route_count, sizeof key, web_by_path)
			: NULL;
	const struct web_mounted *end = web->routes + web->route_count;
	const char *method = strcmp(request->method, "HEAD") ? request->method : "GET";
	const char *allow = NULL;

	if (!first)
		return 404;
	while (first > web->routes && !web_by_path(first - 1, first))
		first--;
	for (const struct web_mounted *r = first; r < end && !web_by_path(r, first); r++) {
		if (!strcmp(r->method, method)) {
			request->route = r;
			return 0;
		}
		allow = arena_printf(request->arena, "%s%s%s%s", allow ? allow : "",
				     allow ? ", " : "", r->method,
				     strcmp(r->method, "GET") ? "" : ", HEAD");
	}
	web_reply_header(request, "Allow", allow);
	return 405;
}

/* --- an answer goes out ------------------------------------------------------------------- */

static enum MHD_Result queue(struct web_request *request)
{
	struct web *web = request->web;
	struct MHD_Response *response = request->response;

	for (size_t i = 0; i < request->reply_header_count; i++)
		MHD_add_response_header(response, request->reply_headers[i].name,
					request->reply_headers[i].value);
	/* Where a chunked body ends is the one thing of the framing that is not checked here:
	 * nothing that follows one is taken for a request. */
	if (web->quiet || request->chunked)
		MHD_add_response_header(response, "Connection", "close");
	if (request->status >= 500)
		web->counts.refused_5xx++;
	else if (request->status >= 400)
		web->counts.refused_4xx++;
	request->phase = WEB_ANSWERING;
	request->response = NULL;
	enum MHD_Result result =
		MHD_queue_response(request->library, (unsigned)request->status, response);

	MHD_destroy_response(response);
	return result;
}

/* Refuses before the handler was asked; what the peer still sends is not read. */
static enum MHD_Result refuse(struct web_request *request, int status, const char *sentence)
{
	request->inside = true;
	web_reply_header(request, "Connection", "close");
	web_refuse(request, status, sentence);
	request->inside = false;
	return queue(request);
}

/* --- the three calls of the library ------------------------------------------------------- */

static enum MHD_Result on_head(struct web_request *request, const char *method, const char *version)
{
	const char *sentence = "The target of the request is malformed.\n";
	int status = judge_head(request, method, version, &sentence);

	if (!status && read_target(request))
		status = 400;
	if (status) {
		request->web->counts.malformed++;
		return refuse(request, status, sentence);
	}
	const char *length = web_header(request, "Content-Length");
	uint64_t announced = length ? strtoull(length, NULL, 10) : 0;

	request->chunked = web_header(request, "Transfer-Encoding") != NULL;
	status = find_route(request);
	if (request->query_bad && (status || !request->route->raw_query)) {
		request->web->counts.malformed++;
		return refuse(request, 400, sentence);
	}
	if (!status && announced > request->route->body_max)
		status = 413;
	request->phase = WEB_BODY;
	request->connection->deadline = web_now_ms() + WEB_BODY_MS;
	if (!status) {
		buf_init(&request->body, request->route->body_max);
		return MHD_YES;
	}
	sentence = status == 404   ? "There is nothing here.\n"
		   : status == 405 ? "Not with this method.\n"
				   : "The body is too large.\n";
	if (announced || request->chunked)
		return refuse(request, status, sentence);
	/* Nothing follows: the connection may go on, so the answer waits for the end. */
	request->inside = true;
	web_refuse(request, status, sentence);
	request->inside = false;
	return MHD_YES;
}

static enum MHD_Result on_data(struct web_request *request, const char *data, size_t *len)
{
	if (request->phase == WEB_BODY) {
		buf_add(&request->body, data, *len);
		if (request->body.full)
			request->excess += *len;
	}
	*len = 0;
	return request->excess > EXCESS_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_end(struct web_request *request)
{
	request->connection->deadline = 0;
	if (request->phase == WEB_BODY && request->body.full)
		return refuse(request, 413, "The body is too large.\n");
	if (request->phase == WEB_BODY) {
		request->phase = WEB_HANDLING;
		request->counted = true;
		request->web->busy++;
		request->inside = true;
		request->route->handle(request->route->arg, request);
		request->inside = false;
	}
	if (request->web->closing)
		return MHD_NO;
	if (request->phase == WEB_ANSWERED) {
		if (request->stream && request->counted) {
			request->counted = false; /* a page may stay for ever: no reason to wait */
			request->web->busy--;
		}
		return queue(request);
	}
	MHD_suspend_connection(request->library);
	return MHD_YES;
}

enum MHD_Result web_on_request(void *arg, struct MHD_Connection *library, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *len, void **context)
{
	struct web_request *request = *context;

	(void)arg, (void)library, (void)url;
	if (request->web->closing)
		return MHD_NO; /* who would handle it may be gone already */
	if (request->phase == WEB_HEAD)
		return on_head(request, method, version);
	return *len ? on_data(request, data, len) : on_end(request);
}

void web_on_completed(void *arg, struct MHD_Connection *library, void **context,
		      enum MHD_RequestTerminationCode code)
{
	struct web_request *request = *context;

	(void)arg;
	if (!request)
		return;
	*context = NULL;
	request->connection->deadline = web_now_ms() + WEB_IDLE_MS;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		MHD_set_connection_option(library, MHD_CONNECTION_OPTION_TIMEOUT,
					  (unsigned)WEB_IDLE_S);
	request->library = NULL;
	request->connection = NULL;
	if (request->phase == WEB_HEAD)
		request->web->counts.malformed++;
	if (request->phase != WEB_HANDLING)
		web_release(request);
}
