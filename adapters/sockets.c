/* Puts libwebsockets on our loop, and takes it off again. */
#include <stdlib.h>
#include <uv.h>

#include "adapters/socket_own.h"
#include "base/log.h"

enum {
	SERVICE_BUFFER = 32768, /* more than a TLS record, or the library leaves bytes lying */
	TICK_MS = 5,
	TICKS_MAX = 200, /* that many for peers to say goodbye */
	TICKS_SETTLE = 4,
};

const struct socket_policy *socket_policy(struct sockets *sockets, int64_t ping_ms)
{
	struct socket_policy *policy = sockets->policies;
	static const uint32_t no_retries[] = {1000};

	ping_ms = ping_ms > 0 ? ping_ms : SOCKET_PING_MS;
	while (policy && policy->ping_ms != ping_ms)
		policy = policy->next;
	if (policy)
		return policy;
	policy = xalloc(sizeof *policy);
	policy->ping_ms = ping_ms;
	policy->bo.retry_ms_table = no_retries; /* dialling again is ours */
	policy->bo.retry_ms_table_count = 1;
	policy->bo.secs_since_valid_ping = (uint16_t)((ping_ms + 999) / 1000);
	policy->bo.secs_since_valid_hangup = (uint16_t)((ping_ms * 5 / 2 + 999) / 1000);
	policy->next = sockets->policies;
	sockets->policies = policy;
	return policy;
}

struct lws_context_creation_info socket_vhost_info(void)
{
	return (struct lws_context_creation_info){
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = socket_protocols,
		/* NULL would mean $http_proxy. */
		.http_proxy_address = "",
		/* .extensions is NULL: no permessage-deflate, which damages large messages. */
	};
}

struct sockets *sockets_new(struct loop *loop, struct error *error_r)
{
	struct sockets *sockets = xalloc(sizeof *sockets);

	sockets->loop = loop;
	sockets->foreign[0] = loop_native(loop);
	lws_set_log_level(0, NULL);
	struct lws_context_creation_info info = {
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.foreign_loops = sockets->foreign,
		.pcontext = &sockets->context,
		.pt_serv_buf_size = SERVICE_BUFFER,
		.protocols = socket_protocols,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
	};

	sockets->context = lws_create_context(&info);
	if (!sockets->context) {
		free(sockets);
		error_set(error_r, "libwebsockets does not start; is its plug-in for libuv "
				   "(libwebsockets-evlib-uv) installed?");
		return NULL;
	}
	return sockets;
}

struct handles {
	int closing, idle;
};

static void count_handle(uv_handle_t *handle, void *arg)
{
	struct handles *handles = arg;

	handles->closing += uv_is_closing(handle) != 0;
	/* Only the library has these, one for each context. */
	handles->idle += handle->type == UV_IDLE;
}

static void free_sockets(struct sockets *sockets)
{
	socket_listeners_free(sockets);
	while (sockets->vhosts) {
		struct socket_vhost *vhost = sockets->vhosts;

		sockets->vhosts = vhost->next;
		free(vhost->ca_file);
		free(vhost);
	}
	while (sockets->policies) {
		struct socket_policy *policy = sockets->policies;

		sockets->policies = policy->next;
		free(policy);
	}
	loop_timer_close(&sockets->ending);
	free(sockets);
}

/* On libuv the library ends in two steps: the first closes every handle, the second frees, and only
 * when the handles' last callbacks have run. Neither may happen inside one of its callbacks. */
static void on_ending(void *arg)
{
	struct sockets *sockets = arg;
	struct handles handles = {0};

	sockets->ticks++;
	if (sockets->phase == SOCKETS_CLOSING && sockets->list && sockets->ticks < TICKS_MAX)
		return;
	uv_walk(sockets->foreign[0], count_handle, &handles);
	if (sockets->phase == SOCKETS_CLOSING) {
		sockets->phase = SOCKETS_DESTROYING;
		sockets->ticks = 0;
		sockets->idle_before = handles.idle;
		lws_context_destroy(sockets->context);
		return;
	}
	if (handles.idle >= sockets->idle_before) {
		if (sockets->ticks < TICKS_MAX)
			return;
		/* A connection that the library has lost sight of; rather a leak than a crash. */
		log_error(NULL, "libwebsockets did not close all of its connections");
		sockets->context = NULL;
	} else if (handles.closing || sockets->ticks < TICKS_SETTLE) {
		return;
	}
	if (sockets->context)
		lws_context_destroy(sockets->context);
	while (sockets->list)
		socket_free(sockets->list);
	free_sockets(sockets);
}

void sockets_free(struct sockets **sockets_r)
{
	struct sockets *sockets = *sockets_r;
	struct socket *next;

	if (!sockets)
		return;
	*sockets_r = NULL;
	while (sockets->listeners)
		socket_listener_stop(sockets->listeners); /* its vhost ends with the context */
	sockets->phase = SOCKETS_CLOSING;
	for (struct socket *socket = sockets->list; socket; socket = next) {
		next = socket->next;
		socket_close_with(socket, LWS_CLOSE_STATUS_GOINGAWAY);
	}
	sockets->ending = loop_timer(sockets->loop, on_ending, sockets);
	loop_timer_start(sockets->ending, 0, TICK_MS);
}
