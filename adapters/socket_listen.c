/* Takes websockets in: accepts, reads the opening request itself, and lets the library have only
 * what is one. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/listen.h"
#include "adapters/socket_own.h"
#include "adapters/socket_upgrade.h"

enum { HEAD_MS = 10000, GUESTS_MAX = 256, BLOCK = 4096, NAME_MAX_LEN = 32 };

/* A peer that has not yet said what it wants. */
struct guest {
	struct socket_listener *listener;
	struct guest *next, **link;
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct buf bytes;
	int fd;
};

struct socket_listener {
	struct sockets *sockets;
	struct socket_listener *next, **link;
	struct loop_watch *watch;
	struct lws_vhost *vhost;
	struct guest *guests;
	size_t guest_count;
	bool (*allow)(void *arg, const struct socket_upgrade *upgrade);
	struct socket_events events;
	void *arg;
	int fd, port;
};

/* Forgets the guest; its descriptor is returned, and still open. */
static int dismiss(struct guest *guest)
{
	int fd = guest->fd;

	*guest->link = guest->next;
	if (guest->next)
		guest->next->link = guest->link;
	guest->listener->guest_count--;
	loop_watch_close(&guest->watch);
	loop_timer_close(&guest->timer);
	buf_free(&guest->bytes);
	free(guest);
	return fd;
}

static void on_late(void *arg)
{
	close(dismiss(arg));
}

static void admit(struct guest *guest, const char *plain, size_t head_len)
{
	struct socket_listener *listener = guest->listener;
	struct buf bytes;

	/* What came behind the head is the first frame, or a part of it. */
	buf_init(&bytes, 0);
	buf_str(&bytes, plain);
	buf_add(&bytes, guest->bytes.data + head_len, guest->bytes.len - head_len);
	int fd = dismiss(guest);

	/* On failure the library has closed it. */
	lws_adopt_socket_vhost_readbuf(listener->vhost, fd, bytes.data, bytes.len);
	buf_free(&bytes);
}

static void consider(struct guest *guest)
{
	static const char no[] = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"
				 "Content-Length: 0\r\n\r\n";
	struct arena *arena = arena_new();
	struct socket_upgrade upgrade;
	const char *plain;
	long len =
		socket_upgrade_read(arena, guest->bytes.data, guest->bytes.len, &upgrade, &plain);

	if (len < 0) {
		close(dismiss(guest));
	} else if (len > 0 && !guest->listener->allow(guest->listener->arg, &upgrade)) {
		send(guest->fd, no, sizeof no - 1, MSG_NOSIGNAL);
		close(dismiss(guest));
	} else if (len > 0) {
		admit(guest, plain, (size_t)len);
	}
	arena_free(&arena);
}

static void on_bytes(void *arg, int events)
{
	struct guest *guest = arg;
	char block[BLOCK];
	ssize_t len = recv(guest->fd, block, sizeof block, 0);

	(void)events;
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len > 0)
		buf_add(&guest->bytes, block, (size_t)len);
	if (len <= 0 || guest->bytes.full)
		close(dismiss(guest));
	else
		consider(guest);
}

static void on_guest(void *arg, int events)
{
	struct socket_listener *listener = arg;
	int one = 1, fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	if (listener->guest_count >= GUESTS_MAX) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	struct guest *guest = xalloc(sizeof *guest);

	guest->listener = listener;
	guest->fd = fd;
	guest->next = listener->guests;
	guest->link = &listener->guests;
	if (guest->next)
		guest->next->link = &guest->next;
	listener->guests = guest;
	listener->guest_count++;
	buf_init(&guest->bytes, SOCKET_HEAD_MAX + BLOCK);
	guest->timer = loop_timer(listener->sockets->loop, on_late, guest);
	loop_timer_start(guest->timer, HEAD_MS, 0);
	guest->watch = loop_watch(listener->sockets->loop, fd, LOOP_READ, on_bytes, guest);
}

void socket_listener_opened(struct lws *wsi)
{
	struct socket_listener *listener = lws_vhost_user(lws_get_vhost(wsi));

	if (listener->fd < 0) { /* closed between the handshake's halves */
		lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
		return;
	}
	struct socket *socket = socket_new(listener->sockets, &listener->events, listener->arg);

	socket->wsi = wsi;
	socket->listener = listener;
	socket->policy = socket_policy(listener->sockets, 0);
	lws_set_opaque_user_data(wsi, socket);
	socket_opened(socket);
}

struct socket_listener *
socket_listen(struct sockets *sockets, const char *at,
	      bool (*allow)(void *arg, const struct socket_upgrade *upgrade),
	      const struct socket_events *events, void *arg, struct error *error_r)
{
	struct lws_context_creation_info info = socket_vhost_info();
	int port, fd = listen_on(at, &port, error_r);

	if (fd < 0)
		return NULL;
	struct socket_listener *listener = xalloc(sizeof *listener);

	listener->sockets = sockets;
	listener->allow = allow;
	listener->events = *events;
	listener->arg = arg;
	listener->fd = fd;
	listener->port = port;
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.vhost_name = "listen";
	info.user = listener;
	info.retry_and_idle_policy = &socket_policy(sockets, 0)->bo;
	listener->vhost = lws_create_vhost(sockets->context, &info);
	if (!listener->vhost) {
		error_set(error_r, "websockets at %s: libwebsockets makes no vhost", at);
		close(fd);
		free(listener);
		return NULL;
	}
	listener->next = sockets->listeners;
	listener->link = &sockets->listeners;
	if (listener->next)
		listener->next->link = &listener->next;
	sockets->listeners = listener;
	listener->watch = loop_watch(sockets->loop, fd, LOOP_READ, on_guest, listener);
	return listener;
}

int socket_listener_port(const struct socket_listener *listener)
{
	return listener->port;
}

void socket_listener_stop(struct socket_listener *listener)
{
	*listener->link = listener->next;
	if (listener->next)
		listener->next->link = listener->link;
	while (listener->guests)
		close(dismiss(listener->guests));
	loop_watch_close(&listener->watch);
	close(listener->fd);
	listener->fd = -1;
	/* The library still points to it. */
	listener->next = listener->sockets->closed_listeners;
	listener->sockets->closed_listeners = listener;
}

void socket_listeners_free(struct sockets *sockets)
{
	while (sockets->closed_listeners) {
		struct socket_listener *listener = sockets->closed_listeners;

		sockets->closed_listeners = listener->next;
		free(listener);
	}
}

void socket_listener_close(struct socket_listener **listener_r)
{
	if (!*listener_r)
		return;
	struct socket *list = (*listener_r)->sockets->list;

	for (struct socket *socket = list; socket; socket = socket->next) {
		if (socket->listener != *listener_r)
			continue;
		socket->listener = NULL;
		socket_end(socket, LWS_CLOSE_STATUS_GOINGAWAY);
	}
	/* It ends when the last of them has gone. */
	lws_vhost_destroy((*listener_r)->vhost);
	socket_listener_stop(*listener_r);
	*listener_r = NULL;
}
