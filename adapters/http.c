/* Sends HTTP requests with libcurl's multi interface, its sockets and its timer on our loop. */
#include "adapters/http.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/http_answer.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"

enum {
	TIMEOUT_MS = 20000,
	CONNECT_MS = 10000,
	BODY_MAX = 1024 * 1024,
	PER_HOST = 64, /* connections to one host; on HTTP/2 a connection carries many requests */
	ALL_HOSTS = 512,
	SPARE = 128,     /* easy handles kept for the next request */
	IDLE_MAX_S = 15, /* an idle connection older than this is not used again */
};

/* A descriptor of curl's. */
struct http_socket {
	struct http *http;
	struct loop_watch *watch;
	curl_socket_t fd;
};

struct http_request {
	struct http *http;
	struct http_request *next, **link;
	CURL *easy;
	struct curl_slist *headers;
	char *content;
	struct buf body;
	char type[128], retry_after[64];
	void (*done)(void *arg, const struct http_answer *answer);
	void *arg;
	bool repeatable; /* GET: doing it twice does no harm */
	bool began;      /* curl has begun to write it on some connection */
	bool cancelled;
};

struct http {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer, *cancels;
	struct http_request *requests;
	size_t under_way;
	CURL *spare[SPARE];
	size_t spare_count;
	char *ca_file; /* NULL: the system's */
};

static void unlink_request(struct http_request *request)
{
	*request->link = request->next;
	if (request->next)
		request->next->link = request->link;
	request->http->under_way--;
}

static void keep_or_drop(struct http *http, CURL *easy)
{
	/* The strings were copied by curl; what it only points to is taken back. */
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
	if (http->spare_count < SPARE)
		http->spare[http->spare_count++] = easy;
	else
		curl_easy_cleanup(easy);
}

/* Nothing of the request was handed to a socket: it is certain that nobody acted on it. */
static bool nothing_left(const struct http_request *request)
{
	long written = 0;

	if (!request->began)
		return true;
	curl_easy_getinfo(request->easy, CURLINFO_REQUEST_SIZE, &written);
	return written == 0;
}

static void explain(const struct http_request *request, CURLcode code, char *text, size_t size)
{
	long os = 0;

	/* Curl's own message could hold parts of the URL; its table of codes does not. */
	curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os);
	if (request->cancelled)
		snprintf(text, size, "cancelled");
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		snprintf(text, size, "the connection closed before the answer");
	else if (code == CURLE_WRITE_ERROR)
		snprintf(text, size, "the answer is larger than allowed");
	else if (os && code == CURLE_COULDNT_CONNECT)
		snprintf(text, size, "%s: %s", curl_easy_strerror(code), strerror((int)os));
	else
		snprintf(text, size, "%s", curl_easy_strerror(code));
}

static void finish(struct http_request *request, CURLcode code)
{
	struct http *http = request->http;
	struct http_answer answer = {.type = request->type, .reason = ""};
	char reason[160];
	long status = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && !request->cancelled && status >= 200) {
		answer.fate = HTTP_ANSWERED;
		answer.status = (int)status;
		answer.body = request->body.data;
		answer.len = request->body.len;
		answer.retry_after_ms = http_retry_after(request->retry_after);
	} else {
		answer.fate = nothing_left(request) ? HTTP_NOT_SENT : HTTP_UNCERTAIN;
		answer.body = "";
		answer.type = "";
		explain(request, code, reason, sizeof reason);
		answer.reason = reason;
	}
	curl_multi_remove_handle(http->multi, request->easy);
	keep_or_drop(http, request->easy);
	unlink_request(request);
	request->done(request->arg, &answer);
	curl_slist_free_all(request->headers);
	buf_free(&request->body);
	free(request->content);
	free(request);
}

static void reap(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		char *request = NULL;
		CURLcode code = message->data.result;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		finish((struct http_request *)(void *)request, code);
	}
}

static void on_socket(void *arg, int events)
{
	struct http_socket *socket = arg;
	struct http *http = socket->http;
	int running, flags = 0;

	if (events & LOOP_READ)
		flags |= CURL_CSELECT_IN;
	if (events & LOOP_WRITE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(http->multi, socket->fd, flags, &running); /* may free socket */
	reap(http);
}

static void on_timer(void *arg)
{
	struct http *http = arg;
	int running;

	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(http);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct http *http = arg;
	struct http_socket *socket = assigned;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!socket)
			return 0;
		loop_watch_close(&socket->watch);
		curl_multi_assign(http->multi, fd, NULL);
		free(socket);
		return 0;
	}
	int events =
		((what & CURL_POLL_IN) ? LOOP_READ : 0) | ((what & CURL_POLL_OUT) ? LOOP_WRITE : 0);
	if (socket) {
		loop_watch_set(socket->watch, events);
		return 0;
	}
	socket = xalloc(sizeof *socket);
	socket->http = http;
	socket->fd = fd;
	socket->watch = loop_watch(http->loop, fd, events, on_socket, socket);
	curl_multi_assign(http->multi, fd, socket);
	return 0;
}

/* Only sets the clock: curl may not be called again from inside its own callback. */
static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct http *http = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(http->timer);
	else
		loop_timer_start(http->timer, (uint64_t)ms, 0);
	return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_request *request = arg;

	buf_add(&request->body, data, size * count);
	return request->body.full ? 0 : size * count;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_request *request = arg;
	size_t len = size * count;

	if (len > 5 && !memcmp(line, "HTTP/", 5)) { /* after a 100 comes the real one */
		request->type[0] = request->retry_after[0] = '\0';
		return len;
	}
	http_header_value(line, len, "Content-Type", request->type, sizeof request->type);
	http_header_value(line, len, "Retry-After", request->retry_after,
			  sizeof request->retry_after);
	return len;
}

/* Called each time curl is about to write the request on a connection. When a kept-alive
 * connection ends before the first byte of an answer, curl writes the request again on a new one,
 * a POST too. The first may have been acted upon (RFC 9110, 9.2.2), so only a GET is repeated;
 * anything else ends as UNCERTAIN and the house decides. */
static int on_begin(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	struct http_request *request = arg;

	(void)remote, (void)local, (void)remote_port, (void)local_port;
	if (!request->repeatable && !nothing_left(request))
		return CURL_PREREQFUNC_ABORT;
	request->began = true;
	return CURL_PREREQFUNC_OK;
}

static CURL *new_easy(const struct http *http)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		abort();
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* and not http_proxy of the environment */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "linli");
	if (http->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_begin);
	return easy;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
	list = curl_slist_append(list, line);
	if (!list)
		abort();
	return list;
}

/* An easy handle may come from another request: every option that differs is set. */
static void describe(struct http_request *request, const struct http_call *call)
{
	CURL *easy = request->easy;
	bool get = !strcmp(call->method, "GET") && !call->len;
	bool post = !strcmp(call->method, "POST");
	long timeout = call->timeout_ms > 0 ? (long)call->timeout_ms : TIMEOUT_MS;

	curl_easy_setopt(easy, CURLOPT_URL, call->url);
	if (get)
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	else
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, get || post ? NULL : call->method);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->len);
	if (!get)
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->content);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	curl_easy_setopt(easy, CURLOPT_USERNAME, call->user);
	curl_easy_setopt(easy, CURLOPT_PASSWORD, call->password);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 timeout < CONNECT_MS ? timeout : (long)CONNECT_MS);
	/* Rather a stream on the connection that is being made than one more connection; without
	 * TLS there is no HTTP/2 to wait for. */
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, strncasecmp(call->url, "https:", 6) ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
}

struct http_request *http_start(struct http *http, const struct http_call *call,
				void (*done)(void *arg, const struct http_answer *answer),
				void *arg)
{
	struct http_request *request = xalloc(sizeof *request);

	request->http = http;
	request->done = done;
	request->arg = arg;
	request->repeatable = !strcmp(call->method, "GET");
	request->content = xmemdup(call->len ? call->body : "", call->len ? call->len : 1);
	buf_init(&request->body, call->body_max ? call->body_max : BODY_MAX);
	/* Expect: 100-continue would cost a second where a server ignores it. */
	request->headers = add_header(NULL, "Expect:");
	for (const char *const *line = call->headers; line && *line; line++)
		request->headers = add_header(request->headers, *line);
	request->easy = http->spare_count ? http->spare[--http->spare_count] : new_easy(http);
	describe(request, call);
	request->next = http->requests;
	request->link = &http->requests;
	if (request->next)
		request->next->link = &request->next;
	http->requests = request;
	http->under_way++;
	if (curl_multi_add_handle(http->multi, request->easy)) /* only for want of memory */
		abort();
	return request;
}

static void on_cancels(void *arg)
{
	struct http *http = arg;
	struct http_request *next;

	for (struct http_request *request = http->requests; request; request = next) {
		next = request->next;
		if (!request->cancelled)
			continue;
		finish(request, CURLE_ABORTED_BY_CALLBACK);
		next = http->requests; /* the callback may have cancelled or started others */
	}
}

void http_cancel(struct http_request *request)
{
	request->cancelled = true;
	loop_timer_start(request->http->cancels, 0, 0);
}

size_t http_under_way(const struct http *http)
{
	return http->under_way;
}

struct http *http_new(struct loop *loop)
{
	struct http *http = xalloc(sizeof *http);

	/* OpenSSL writes without MSG_NOSIGNAL: a peer that went is an error, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		abort();
	http->loop = loop;
	http->multi = curl_multi_init();
	if (!http->multi)
		abort();
	http->timer = loop_timer(loop, on_timer, http);
	http->cancels = loop_timer(loop, on_cancels, http);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)PER_HOST);
	curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)ALL_HOSTS);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)ALL_HOSTS);
	return http;
}

void http_trust(struct http *http, const char *ca_file)
{
	while (http->spare_count)
		curl_easy_cleanup(http->spare[--http->spare_count]);
	free(http->ca_file);
	http->ca_file = ca_file ? xstrdup(ca_file) : NULL;
}

void http_free(struct http **http_r)
{
	struct http *http = *http_r;

	if (!http)
		return;
	while (http->requests) {
		http->requests->cancelled = true;
		finish(http->requests, CURLE_ABORTED_BY_CALLBACK);
	}
	http_trust(http, NULL);
	curl_multi_cleanup(http->multi);
	loop_timer_close(&http->timer);
	loop_timer_close(&http->cancels);
	curl_global_cleanup();
	free(http);
	*http_r = NULL;
}
