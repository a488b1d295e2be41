/* Puts libmicrohttpd on our loop: its epoll descriptor, its connections, their deadlines. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/listen.h"
#include "adapters/web_own.h"
#include "base/clock.h"

enum {
	BODY_MAX = 64 * 1024,
	HEAD_MAX = 32 * 1024, /* the library's memory for one connection; the head is in it */
	CONNECTIONS_MAX = 1000,
	TURNS_MAX = 4,
	PULSE_MS = 15000,
};

int64_t web_now_ms(void)
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
	int64_t now = web_now_ms();
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
	MHD_set_connection_option(library, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)WEB_IDLE_S + 1);
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
	connection->deadline = web_now_ms() + WEB_HEAD_MS;
	connection->next = web->connections;
	connection->link = &web->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	web->connections = connection;
	*context = connection;
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
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
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, web_on_request, web,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEB_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX, MHD_OPTION_URI_LOG_CALLBACK,
		web_on_target, web, MHD_OPTION_UNESCAPE_CALLBACK, leave_alone, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, web, MHD_OPTION_NOTIFY_COMPLETED,
		web_on_completed, web, MHD_OPTION_END);
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
	qsort(web->routes, web->route_count, sizeof *web->routes, web_by_path);
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
