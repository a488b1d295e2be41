/* Dials websockets: the name first, off the loop, then the connection; again and again, ever
 * slower. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/socket_own.h"

enum { CONNECT_MS = 10000, BACKOFF_MS = 1000, BACKOFF_MAX_MS = 60000, DOUBLINGS_MAX = 20 };

static char *copy(const char *s, size_t len)
{
	char *p = xalloc(len + 1);

	memcpy(p, s, len);
	return p;
}

/* "wss://host:port/path"; a malformed one gets no host and fails at every dial with a reason. */
static void read_url(struct socket_target *target, const char *url)
{
	target->tls = !strncasecmp(url, "wss://", 6);
	const char *at = target->tls ? url + 6 : !strncasecmp(url, "ws://", 5) ? url + 5 : "";
	size_t len = strcspn(at, "/?#");
	const char *path = at + len, *end = at + len, *colon;

	target->path = xalloc(strlen(path) + 2);
	snprintf(target->path, strlen(path) + 2, "%s%s", path[0] == '/' ? "" : "/", path);
	target->authority = copy(at, len);
	target->port = target->tls ? 443 : 80;
	if (at[0] == '[') { /* an IPv6 address */
		const char *close = memchr(at, ']', len);

		target->host = copy(at + 1, close ? (size_t)(close - at - 1) : 0);
		colon = close && close + 1 < end && close[1] == ':' ? close + 1 : NULL;
	} else {
		colon = memchr(at, ':', len);
		target->host = copy(at, colon ? (size_t)(colon - at) : len);
	}
	if (!colon)
		return;
	target->port = 0;
	for (const char *c = colon + 1; c < end && isdigit((unsigned char)*c); c++)
		if (target->port < 65536)
			target->port = target->port * 10 + (*c - '0');
}

static struct lws_vhost *vhost_for(struct sockets *sockets, const char *ca_file)
{
	struct lws_context_creation_info info = socket_vhost_info();
	struct socket_vhost *vhost = sockets->vhosts;

	while (vhost && strcmp(vhost->ca_file, ca_file ? ca_file : ""))
		vhost = vhost->next;
	if (vhost)
		return vhost->vhost;
	vhost = xalloc(sizeof *vhost);
	vhost->ca_file = xstrdup(ca_file ? ca_file : "");
	info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info.client_ssl_ca_filepath = ca_file;
	info.vhost_name = vhost->ca_file[0] ? vhost->ca_file : "dial";
	vhost->vhost = lws_create_vhost(sockets->context, &info);
	vhost->next = sockets->vhosts;
	sockets->vhosts = vhost;
	return vhost->vhost;
}

static void connect_to(struct socket *socket, const char *address)
{
	struct socket_target *target = socket->target;
	struct lws_client_connect_info info = {
		.context = socket->sockets->context,
		.address = address,
		.port = target->port,
		.ssl_connection =
			(target->tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.path = target->path,
		.host = target->authority, /* for Host, SNI and the certificate's name */
		.protocol = target->subprotocol,
		.local_protocol_name = socket_protocols[0].name,
		.vhost = target->vhost,
		.alpn = "http/1.1",
		.retry_and_idle_policy = &socket->policy->bo,
		.opaque_user_data = socket,
		.ietf_version_or_minus_one = -1,
	};

	socket->state = SOCKET_CONNECTING;
	/* It may fail, and say so by its callback, before it returns. */
	socket->inside++;
	struct lws *wsi = lws_client_connect_via_info(&info);

	socket->inside--;
	if (wsi && socket->state == SOCKET_CONNECTING)
		socket->wsi = wsi;
	else if (!wsi)
		socket_gone(socket, "connecting: the library refused");
	if (socket->dead && !socket->wsi && !socket->inside)
		socket_free(socket);
}

static void on_resolved(void *arg, const char *address, const char *reason)
{
	struct socket_resolving *resolving = arg;
	struct socket *socket = resolving->socket;
	char text[160];

	free(resolving);
	if (!socket)
		return; /* given up meanwhile */
	socket->resolving = NULL;
	if (address) {
		connect_to(socket, address);
		return;
	}
	snprintf(text, sizeof text, "resolving the name: %s", reason ? reason : "not found");
	socket_gone(socket, text);
}

static void dial(struct socket *socket)
{
	struct socket_target *target = socket->target;

	socket->state = SOCKET_RESOLVING;
	loop_timer_start(socket->timer, (uint64_t)target->connect_ms, 0);
	if (!target->vhost || !target->host[0] || target->port < 1 || target->port > 65535) {
		socket_gone(socket, target->vhost
					    ? "the URL is malformed"
					    : "the file of certificate authorities is unusable");
		return;
	}
	socket->resolving = xalloc(sizeof *socket->resolving);
	socket->resolving->socket = socket;
	loop_resolve(socket->sockets->loop, target->host, on_resolved, socket->resolving);
}

void socket_dial_abandon(struct socket *socket)
{
	if (socket->resolving)
		socket->resolving->socket = NULL;
	socket->resolving = NULL;
	socket_gone(socket, "time-out while resolving the name");
}

static void on_timer(void *arg)
{
	struct socket *socket = arg;

	switch (socket->state) {
	case SOCKET_RESTING:
		dial(socket);
		break;
	case SOCKET_RESOLVING:
		socket_dial_abandon(socket);
		break;
	case SOCKET_CONNECTING:
		socket_kill(socket, "connecting: time-out");
		break;
	case SOCKET_OPEN:
		socket_on_timer(socket);
		break;
	}
}

/* Doubles with each failure; half of it is chance, so that many do not come back at once. */
static int64_t backoff(struct socket *socket)
{
	const struct socket_target *target = socket->target;
	unsigned doublings = socket->failures ? socket->failures - 1 : 0;
	int64_t ms = target->backoff_ms;
	uint32_t chance = 0;

	for (unsigned i = 0; i < doublings && i < DOUBLINGS_MAX && ms < target->backoff_max_ms; i++)
		ms *= 2;
	if (ms > target->backoff_max_ms)
		ms = target->backoff_max_ms;
	lws_get_random(socket->sockets->context, &chance, sizeof chance);
	return ms - (int64_t)((uint64_t)(ms / 2) * chance >> 32);
}

void socket_dial_later(struct socket *socket)
{
	int64_t ms = socket->redial_ms >= 0 ? socket->redial_ms : backoff(socket);

	socket->redial_ms = -1;
	loop_timer_start(socket->timer, (uint64_t)ms, 0);
}

static char **copy_headers(const char *const *headers)
{
	size_t count = 0;

	while (headers && headers[count])
		count++;
	char **copies = xalloc((count + 1) * sizeof *copies);

	for (size_t i = 0; i < count; i++)
		copies[i] = xstrdup(headers[i]);
	return copies;
}

void socket_target_free(struct socket_target *target)
{
	if (!target)
		return;
	for (char **line = target->headers; *line; line++)
		free(*line);
	free(target->headers);
	free(target->host);
	free(target->authority);
	free(target->path);
	free(target->subprotocol);
	free(target);
}

struct socket *socket_dial(struct sockets *sockets, const struct socket_dial *how,
			   const struct socket_events *events, void *arg)
{
	struct socket *socket = socket_new(sockets, events, arg);
	struct socket_target *target = xalloc(sizeof *target);

	read_url(target, how->url);
	target->subprotocol = how->subprotocol ? xstrdup(how->subprotocol) : NULL;
	target->headers = copy_headers(how->headers);
	target->vhost = vhost_for(sockets, how->ca_file);
	target->connect_ms = how->connect_ms ? how->connect_ms : CONNECT_MS;
	target->backoff_ms = how->backoff_ms ? how->backoff_ms : BACKOFF_MS;
	target->backoff_max_ms = how->backoff_max_ms ? how->backoff_max_ms : BACKOFF_MAX_MS;
	socket->target = target;
	socket->policy = socket_policy(sockets, how->ping_ms);
	socket->message_max = how->message_max ? how->message_max : SOCKET_MESSAGE_MAX;
	socket->timer = loop_timer(sockets->loop, on_timer, socket);
	loop_timer_start(socket->timer, 0, 0);
	return socket;
}
