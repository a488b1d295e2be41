/* Opens a listening TCP socket on exactly one numeric address. */
#include "adapters/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* getaddrinfo() takes any number and keeps its lower half. */
static bool is_port(const char *s)
{
	int number = 0;

	for (const char *digit = s; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return false;
		number = number * 10 + (*digit - '0');
		if (number > 65535)
			return false;
	}
	return *s != '\0';
}

static int split(const char *at, char *host, size_t size, const char **port_r)
{
	const char *colon = strrchr(at, ':');
	size_t len = colon ? (size_t)(colon - at) : 0;

	if (len > 2 && at[0] == '[' && at[len - 1] == ']') {
		at++;
		len -= 2;
	} else if (memchr(at, ':', len)) {
		return -1; /* an IPv6 address wants brackets */
	}
	if (!len || len >= size || !is_port(colon + 1))
		return -1;
	memcpy(host, at, len);
	host[len] = '\0';
	*port_r = colon + 1;
	return 0;
}

static int bound_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	char port[8] = "";
	int number = 0;

	if (getsockname(fd, (struct sockaddr *)&address, &len) ||
	    getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof port,
			NI_NUMERICSERV))
		return 0;
	for (const char *digit = port; *digit; digit++)
		number = number * 10 + (*digit - '0');
	return number;
}

int listen_on(const char *at, int *port_r, struct error *error_r)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	const char *port;
	char host[64];
	int one = 1;

	if (split(at, host, sizeof host, &port) || getaddrinfo(host, port, &hints, &found))
		return error_set(error_r,
				 "\"%s\" is not a numeric address and port like 127.0.0.1:8080",
				 at);
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && found->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG)) {
		error_set(error_r, "listening at %s: %s", at, strerror(errno));
		if (fd >= 0)
			close(fd);
		freeaddrinfo(found);
		return -1;
	}
	freeaddrinfo(found);
	*port_r = bound_port(fd);
	return fd;
}
