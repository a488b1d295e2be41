/* tests/fuzz/fuzz_web.c - any bytes on a connection to the real server, libmicrohttpd and all: what
 * its handler is given must have been framed without a doubt. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/web.h"
#include "base/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct server {
	struct loop *loop;
	struct web *web;
	size_t handled;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void on_request(void *arg, struct web_request *request)
{
	struct server *server = arg;
	struct web_field *fields;
	size_t count, len;

	server->handled++;
	must(strlen(web_body(request, &len)) <= len);
	must(!web_query(request, "a") || web_path(request)[0] == '/');
	must(web_form(request, &fields, &count) || count <= len);
	web_reply(request, 200, "text/plain", "ok", 2);
}

static struct server *the_server(void)
{
	static struct server *server; /* one for all inputs: what an input leaves behind shows */
	static const struct web_route routes[] = {
		{.method = "GET", .path = "", .handle = on_request},
		{.method = "POST", .path = "", .handle = on_request, .body_max = 64},
		{.path = NULL},
	};

	if (server)
		return server;
	server = calloc(1, sizeof *server);
	server->loop = loop_new();
	server->web = web_new(server->loop, "127.0.0.1:0", NULL);
	must(server->web);
	web_mount(server->web, "/", routes, server);
	return server;
}

/* Judges the first head by another way than the server does. A bare LF after a NUL, and one after a
 * colon that is alone on its line, are what the library makes indistinguishable from CRLF
 * (docs/libraries.md). */
static bool is_framed_well(const char *s, size_t size)
{
	int hosts = 0, lengths = 0, codings = 0;
	bool old = false;

	if (memmem(s, size, "\0\n", 2))
		return true;
	while (size && (*s == '\r' || *s == '\n' || !*s)) { /* empty lines before are passed over */
		const char *end = memchr(s, '\n', size);

		if (!end)
			return false;
		size -= (size_t)(end + 1 - s);
		s = end + 1;
	}
	for (bool first = true;; first = false) {
		const char *end = memchr(s, '\n', size);

		bool alone = end && end == s + 1 && *s == ':';

		if (!end || end == s || (end[-1] != '\r' && !alone))
			return false;
		size_t len = (size_t)(end - 1 - s);

		if (!len)
			break;
		if (memchr(s, '\0', len) || memchr(s, '\r', len) || *s == ' ' || *s == '\t')
			return false;
		old = old || (first && len > 8 && !memcmp(end - 9, "HTTP/1.0", 8));
		hosts += !first && len > 4 && !strncasecmp(s, "Host:", 5);
		lengths += !first && len > 14 && !strncasecmp(s, "Content-Length:", 15);
		codings += !first && len > 17 && !strncasecmp(s, "Transfer-Encoding:", 18);
		const char *colon = memchr(s, ':', len);

		if (!first && (!colon || memchr(s, ' ', (size_t)(colon - s))))
			return false;
		size -= (size_t)(end + 1 - s);
		s = end + 1;
	}
	return (hosts == 1 || (old && !hosts)) && lengths + codings <= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server *server = the_server();
	struct sockaddr_in address = {.sin_family = AF_INET};
	size_t before = server->handled;
	char block[4096];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t len;

	if (size > sizeof block)
		size = sizeof block;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)web_port(server->web));
	must(fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address));
	must(send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
	/* A reset at the end, or the ports would run out. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
		   sizeof(struct linger));
	for (int i = 0; i < 4; i++)
		loop_turn(server->loop, false);
	while ((len = recv(fd, block, sizeof block, MSG_DONTWAIT)) > 0)
		must(len < 9 || block[0] != 'H' || !memcmp(block, "HTTP/1.1 ", 9));
	if (server->handled > before)
		must(is_framed_well((const char *)data, size));
	close(fd);
	for (int i = 0; i < 2; i++)
		loop_turn(server->loop, false);
	return 0;
}
