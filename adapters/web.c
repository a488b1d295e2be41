/* Serves HTTP with libmicrohttpd: its epoll descriptor on our loop, each request judged, routed,
 * collected, handed to its handler and answered, now or later. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/listen.h"
#include "adapters/web_form.h"
#include "adapters/web_own.h"
#include "base/clock.h"

enum {
	BODY_MAX = 64 * 1024,
	EXCESS_MAX = 1024 * 1024, /* of a chunked body that is read only to be able to say 413 */
	HEAD_MAX = 32 * 1024,     /* the library's memory for one connection; the head is in it */
	CONNECTIONS_MAX = 1000,
	HEAD_MS = 10000,
	BODY_MS = 60000,
	IDLE_MS = 60000,
	IDLE_S = IDLE_MS / 1000,
	TURNS_MAX = 4,
	PULSE_MS = 15000,
};

static int64_t now_ms(void)
{
	return clock_mono_us() / 1000;
}

/* --- the library on the loop ------------------------------------------------------------- */

/* Runs the library until it has nothing that it could do at once. */
static void run(struct web *web)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	for (int i = 0; i < TURNS_MAX; i++) {
		web->dirty = false;
		MHD_run(web->daemon);
		/* Its other time-outs are found by the run that comes every second. */
		if (!web->dirty && (MHD_get_timeout(web->daemon, &ms) != MHD_YES || ms > 0))
			return;
	}
	web->dirty = true;
	loop_timer_start(web->again, 0, 0);
}

static void on_ready(void *arg, int events)
{
	(void)events;
	run(arg);
}

static void on_again(void *arg)
{
	run(arg);
}

static void on_turn_end(void *arg)
{
	struct web *web = arg;

	if (web->dirty)
		run(web);
}

/* What the library does not see: a peer that sends a byte now and then, and an end that came
 * together with the last bytes (after a short read it waits for an edge that was already there). */
static void on_second(void *arg)
{
	struct web *web = arg;
	int64_t now = now_ms();
	char byte;

	for (struct web_connection *c = web->connections; c; c = c->next)
		if (c->deadline &&
		    (c->deadline <= now || !recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT)))
			web_hang_up(c);
	web_stream_bury(web);
	run(web);
}

static void on_pulse(void *arg)
{
	web_stream_pulse(arg);
}

void web_hang_up(struct web_connection *connection)
{
	connection->deadline = 0;
	shutdown(connection->fd, SHUT_RDWR);
	connection->web->dirty = true;
}

void web_resume(struct web *web, struct MHD_Connection *library)
{
	/* A resumed connection is read from first, and if the peer has shut down its half, the
	 * library throws the answer away. One whose time-out differs from the others is first asked
	 * what it has to do: then the answer is queued and the reading is over. */
	MHD_set_connection_option(library, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)IDLE_S + 1);
	MHD_resume_connection(library);
	web->dirty = true;
}

static void on_connection(void *arg, struct MHD_Connection *library, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct web *web = arg;
	struct web_connection *connection = *context;
	int one = 1;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (!connection)
			return;
		*connection->link = connection->next;
		if (connection->next)
			connection->next->link = connection->link;
		free(connection);
		*context = NULL;
		return;
	}
	connection = xalloc(sizeof *connection);
	connection->web = web;
	connection->fd =
		MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	connection->deadline = now_ms() + HEAD_MS;
	connection->next = web->connections;
	connection->link = &web->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	web->connections = connection;
	*context = connection;
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* --- a request comes in ------------------------------------------------------------------- */

/* The target as it came, before the library takes it apart. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *library)
{
	struct web *web = arg;
	struct web_request *request = xalloc(sizeof *request);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	request->web = web;
	request->library = library;
	request->connection = info->socket_context;
	request->connection->deadline = now_ms() + HEAD_MS;
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

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct web_mounted *)a)->path, ((const struct web_mounted *)b)->path);
}

/* 0, 404, or 405 with Allow already set. */
static int find_route(struct web_request *request)
{
	const struct web *web = request->web;
	struct web_mounted key = {.path = (char *)request->path};
	const struct web_mounted *first =
		web->route_count ? bsearch(&key, web->routes, web->route_count, sizeof key, by_path)
				 : NULL;
	const struct web_mounted *end = web->routes + web->route_count;
	const char *method = strcmp(request->method, "HEAD") ? request->method : "GET";
	const char *allow = NULL;

	if (!first)
		return 404;
	while (first > web->routes && !by_path(first - 1, first))
		first--;
	for (const struct web_mounted *r = first; r < end && !by_path(r, first); r++) {
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
	request->connection->deadline = now_ms() + BODY_MS;
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

static enum MHD_Result on_request(void *arg, struct MHD_Connection *library, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **context)
{
	struct web_request *request = *context;

	(void)arg, (void)library, (void)url;
	if (request->phase == WEB_HEAD)
		return on_head(request, method, version);
	return *len ? on_data(request, data, len) : on_end(request);
}

static void on_completed(void *arg, struct MHD_Connection *library, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct web_request *request = *context;

	(void)arg;
	if (!request)
		return;
	*context = NULL;
	request->connection->deadline = now_ms() + IDLE_MS;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		MHD_set_connection_option(library, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)IDLE_S);
	request->library = NULL;
	request->connection = NULL;
	if (request->phase == WEB_HEAD)
		request->web->counts.malformed++;
	if (request->phase != WEB_HANDLING)
		web_release(request);
}

/* --- the server --------------------------------------------------------------------------- */

/* The library would decode the target in place; what it does not touch can be compared. */
static size_t leave_alone(void *arg, struct MHD_Connection *library, char *s)
{
	(void)arg, (void)library;
	return strlen(s);
}

struct web *web_new(struct loop *loop, const char *listen_at, struct error *error_r)
{
	int port, fd = listen_on(listen_at, &port, error_r);

	if (fd < 0)
		return NULL;
	struct web *web = xalloc(sizeof *web);

	web->loop = loop;
	web->port = port;
	web->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, web,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX, MHD_OPTION_URI_LOG_CALLBACK,
		on_target, web, MHD_OPTION_UNESCAPE_CALLBACK, leave_alone, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, web, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, web, MHD_OPTION_END);
	if (!web->daemon) {
		close(fd);
		free(web);
		error_set(error_r, "web server at %s: libmicrohttpd does not start", listen_at);
		return NULL;
	}
	int epoll = MHD_get_daemon_info(web->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

	web->watch = loop_watch(loop, epoll, LOOP_READ, on_ready, web);
	web->again = loop_timer(loop, on_again, web);
	web->seconds = loop_timer(loop, on_second, web);
	web->pulse = loop_timer(loop, on_pulse, web);
	web->hook = loop_at_turn_end(loop, on_turn_end, web);
	loop_timer_start(web->seconds, 1000, 1000);
	loop_timer_start(web->pulse, PULSE_MS, PULSE_MS);
	run(web); /* puts the listening socket into its epoll set */
	return web;
}

int web_port(const struct web *web)
{
	return web->port;
}

void web_mount(struct web *web, const char *prefix, const struct web_route *routes, void *arg)
{
	size_t prefix_len = strlen(prefix);

	for (; routes->path; routes++) {
		size_t path_len = strlen(routes->path);

		web->routes = xrealloc(web->routes, (web->route_count + 1) * sizeof *web->routes);
		struct web_mounted *mounted = &web->routes[web->route_count++];

		*mounted = (struct web_mounted){
			.method = xstrdup(routes->method),
			.path = xalloc(prefix_len + path_len + 1),
			.body_max = routes->body_max ? routes->body_max : BODY_MAX,
			.handle = routes->handle,
			.arg = arg,
			.raw_query = routes->raw_query,
		};
		memcpy(mounted->path, prefix, prefix_len);
		memcpy(mounted->path + prefix_len, routes->path, path_len);
	}
	qsort(web->routes, web->route_count, sizeof *web->routes, by_path);
}

void web_quiesce(struct web *web)
{
	if (web->quiet)
		return;
	web->quiet = true;
	MHD_socket fd = MHD_quiesce_daemon(web->daemon);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	web->dirty = true;
}

size_t web_busy(const struct web *web)
{
	return web->busy;
}

void web_free(struct web **web_r)
{
	struct web *web = *web_r;

	if (!web)
		return;
	web_quiesce(web);
	web->closing = true;
	/* The library cannot stop while something is suspended. */
	for (struct web_request *request = web->requests; request; request = request->next)
		if (request->library && (request->phase >= WEB_HANDLING || request->stream))
			web_resume(web, request->library);
	for (int i = 0; i < TURNS_MAX; i++)
		MHD_run(web->daemon);
	MHD_stop_daemon(web->daemon);
	for (struct web_request *request = web->requests; request; request = request->next)
		request->web = NULL; /* their handlers still owe an answer, and may give it */
	while (web->requests) {
		struct web_request *request = web->requests;

		web->requests = request->next;
		request->link = NULL;
		request->next = NULL;
	}
	for (size_t i = 0; i < web->route_count; i++) {
		free(web->routes[i].method);
		free(web->routes[i].path);
	}
	free(web->routes);
	loop_watch_close(&web->watch);
	loop_timer_close(&web->again);
	loop_timer_close(&web->seconds);
	loop_timer_close(&web->pulse);
	loop_hook_close(&web->hook);
	free(web);
	*web_r = NULL;
}

struct web_counts web_counts(const struct web *web)
{
	return web->counts;
}
