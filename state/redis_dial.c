/* Turns a Redis URL into a connected socket: name, address, non-blocking connect. */
#include "state/redis_dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/loop.h"

struct redis_dial {
	struct loop *loop;
	struct redis_target target;
	void (*done)(void *arg, int fd, const char *reason);
	void *arg;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *soon; /* to tell an immediate result later */
	const char *reason;
	bool resolving, cancelled;
};

/* ---- URL ---- */

static int number_parse(const char *text, const char *end, long least, long most, int *out)
{
	char *stop;

	if (text == end || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	long value = strtol(text, &stop, 10);
	if (errno || stop != end || value < least || value > most)
		return -1;
	*out = (int)value;
	return 0;
}

static int where_copy(struct redis_target *target, const char *start, const char *end, size_t max)
{
	size_t len = (size_t)(end - start);

	if (len == 0 || len > max || len >= sizeof target->where)
		return -1;
	memcpy(target->where, start, len);
	target->where[len] = '\0';
	return 0;
}

static int unix_parse(const char *rest, struct redis_target *target)
{
	const char *end = strchr(rest, '?');
	const size_t max = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;

	target->is_unix = true;
	if (!end)
		end = rest + strlen(rest);
	if (rest[0] != '/' || where_copy(target, rest, end, max) < 0)
		return -1;
	if (*end == '\0')
		return 0;
	if (strncmp(end, "?db=", 4) != 0)
		return -1;
	return number_parse(end + 4, end + strlen(end), 0, 1000000, &target->db);
}

static int tcp_parse(const char *rest, struct redis_target *target)
{
	const char *end = strchr(rest, '/'), *colon, *host_end;

	target->port = 6379;
	if (!end)
		end = rest + strlen(rest);
	if (rest[0] == '[') {
		host_end = memchr(rest, ']', (size_t)(end - rest));
		if (!host_end || where_copy(target, rest + 1, host_end, 64) < 0)
			return -1;
		colon = host_end + 1;
	} else {
		colon = memchr(rest, ':', (size_t)(end - rest));
		if (!colon)
			colon = end;
		if (where_copy(target, rest, colon, 253) < 0)
			return -1;
	}
	if (colon < end &&
	    (*colon != ':' || number_parse(colon + 1, end, 1, 65535, &target->port) < 0))
		return -1;
	if (end[0] == '/' && end[1] != '\0')
		return number_parse(end + 1, end + strlen(end), 0, 1000000, &target->db);
	return 0;
}

int redis_target_parse(const char *url, struct redis_target *target_r, struct error *error_r)
{
	int result = -1;

	memset(target_r, 0, sizeof *target_r);
	if (strncmp(url, "tcp://", 6) == 0)
		result = tcp_parse(url + 6, target_r);
	else if (strncmp(url, "unix:", 5) == 0)
		result = unix_parse(url + 5, target_r);
	if (result < 0)
		return error_set(error_r, "redis: the address is neither tcp://host:port/db nor "
					  "unix:/path?db=N (path of at most 107 bytes)");
	return 0;
}

/* ---- connecting ---- */

static void dial_free(struct redis_dial *dial)
{
	loop_watch_close(&dial->watch);
	loop_timer_close(&dial->soon);
	if (dial->fd >= 0)
		close(dial->fd);
	free(dial);
}

static void finish(struct redis_dial *dial, const char *reason)
{
	void (*done)(void *arg, int fd, const char *reason) = dial->done;
	void *arg = dial->arg;
	int fd = reason ? -1 : dial->fd;

	if (!reason)
		dial->fd = -1;
	dial_free(dial);
	done(arg, fd, reason);
}

static void told_later(void *arg)
{
	struct redis_dial *dial = arg;

	finish(dial, dial->reason);
}

static void finish_later(struct redis_dial *dial, const char *reason)
{
	dial->reason = reason;
	dial->soon = loop_timer(dial->loop, told_later, dial);
	loop_timer_start(dial->soon, 0, 0);
}

static void connected(void *arg, int events)
{
	struct redis_dial *dial = arg;
	int error = 0;
	socklen_t len = sizeof error;

	(void)events;
	if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	finish(dial, error ? strerror(error) : NULL);
}

static void connect_to(struct redis_dial *dial, const struct sockaddr *address, socklen_t len)
{
	dial->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dial->fd < 0) {
		finish_later(dial, strerror(errno));
		return;
	}
	if (!dial->target.is_unix) {
		int on = 1;
		/* Small pipelines must not wait for the last one's acknowledgement. */
		setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	if (connect(dial->fd, address, len) == 0)
		finish_later(dial, NULL);
	else if (errno == EINPROGRESS)
		dial->watch = loop_watch(dial->loop, dial->fd, LOOP_WRITE, connected, dial);
	else
		finish_later(dial, strerror(errno));
}

static void resolved(void *arg, const char *address, const char *reason)
{
	struct redis_dial *dial = arg;
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)dial->target.port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)dial->target.port)};

	dial->resolving = false;
	if (dial->cancelled)
		dial_free(dial);
	else if (!address)
		finish(dial, reason);
	else if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		connect_to(dial, (struct sockaddr *)&v4, sizeof v4);
	else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		connect_to(dial, (struct sockaddr *)&v6, sizeof v6);
	else
		finish(dial, "its name stands for no usable address");
}

struct redis_dial *redis_dial_start(struct loop *loop, const struct redis_target *target,
				    void (*done)(void *arg, int fd, const char *reason), void *arg)
{
	struct redis_dial *dial = xalloc(sizeof *dial);

	dial->loop = loop;
	dial->target = *target;
	dial->done = done;
	dial->arg = arg;
	dial->fd = -1;
	if (target->is_unix) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		memcpy(address.sun_path, target->where,
		       strnlen(target->where, sizeof address.sun_path - 1));
		connect_to(dial, (struct sockaddr *)&address, sizeof address);
	} else {
		dial->resolving = true;
		loop_resolve(loop, target->where, resolved, dial);
	}
	return dial;
}

void redis_dial_cancel(struct redis_dial **dial)
{
	if (!*dial)
		return;
	/* A lookup cannot be called back; it frees the dial when it ends. */
	if ((*dial)->resolving)
		(*dial)->cancelled = true;
	else
		dial_free(*dial);
	*dial = NULL;
}
