/* tests/bench/load.c - sends texts in, takes the answers out, and times each from end to end.
 *
 *   bench_load --hook 127.0.0.1:8080 --target '/hook/sms/mo?from=%N&id=%I&…'   texts in by HTTP
 *   bench_load --fakesmsc 127.0.0.1:10000                                      … by a fake SMS centre
 *   --sink PORT       serves HTTP there: answers 202 "0: Accepted for delivery" (an smsbox), or,
 *                     with --fakesmsc, 200 with a body (the service that Kannel asks)
 *   --messages N --window W   keeps W unanswered, until N are answered
 *   --rate R          instead of a window: one every 1/R s
 *   --people P --first NUMBER  the senders: NUMBER, NUMBER+1, … in turn
 *   --connections C   HTTP connections in (64)
 *   --bare            the 200 is the answer: a floor
 *   --timeout S       gives up after so long without any answer (30)
 *
 * A 503 is tried again with the same id, as providers do, and counted as refused. A person has one message under way at a time, so an answer is known by its number. Prints one
 * JSON line. Loopback only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 16384, CONNECTIONS_MAX = 4096 };
enum role { ROLE_HOOK, ROLE_SMSC, ROLE_LISTEN, ROLE_SINK };

struct connection {
	enum role role;
	int fd;
	bool busy;
	long person, number; /* ROLE_HOOK: whose message is under way, and which */
	size_t in_len, out_len;
	char in[BYTES], out[BYTES];
};

static struct {
	const char *hook, *fakesmsc, *target;
	int sink;
	long messages, window, people, connections, timeout;
	double rate;
	bool bare;
	uint64_t first;
} options = {.messages = 10000, .window = 64, .people = 10000, .connections = 64, .timeout = 30,
	     .first = 8613800000000u, .target = "/"};

static int poll_fd;
static struct connection *hooks[CONNECTIONS_MAX], *smsc;
static long next_message, answered, refused, idle_from;
static double *sent_at, *latencies, *acks;
static long latency_count, ack_count;
static long *waiting; /* people whose message waits for a connection: a ring */
static size_t waiting_head, waiting_tail;
static double started, last_answer;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct connection *add(enum role role, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	int one = 1;

	if (!c)
		die("memory");
	c->role = role;
	c->fd = fd;
	if (role != ROLE_LISTEN)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
	return c;
}

static struct sockaddr_in address(const char *host_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	char host[64];
	const char *colon = strrchr(host_port, ':');

	snprintf(host, sizeof(host), "%.*s", (int)(colon - host_port), host_port);
	inet_pton(AF_INET, host, &a.sin_addr);
	a.sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
	return a;
}

static struct connection *dial(enum role role, const char *host_port)
{
	struct sockaddr_in a = address(host_port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die(host_port);
	return add(role, fd);
}

static void serve(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1024))
		die("sink port");
	add(ROLE_LISTEN, fd);
}

static void flush(struct connection *c)
{
	size_t done = 0;

	while (done < c->out_len) {
		ssize_t n = write(c->fd, c->out + done, c->out_len - done);

		if (n < 0 && errno != EINTR)
			die("write");
		done += n > 0 ? (size_t)n : 0;
	}
	c->out_len = 0;
}

static void put(struct connection *c, const char *data, size_t len)
{
	if (c->out_len + len > sizeof(c->out))
		flush(c);
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

/* ---- texts in ---- */

static void write_target(struct connection *c, long person, long number)
{
	char request[2048];
	size_t len = (size_t)snprintf(request, sizeof(request), "GET ");

	for (const char *p = options.target; *p && len < 1500; p++) {
		if (p[0] == '%' && p[1] == 'N')
			len += (size_t)snprintf(request + len, 32, "%" PRIu64, options.first + (uint64_t)person), p++;
		else if (p[0] == '%' && p[1] == 'I')
			len += (size_t)snprintf(request + len, 48, "b%ld-%ld", (long)getpid(), number), p++;
		else
			request[len++] = *p;
	}
	len += (size_t)snprintf(request + len, sizeof(request) - len,
				" HTTP/1.1\r\nHost: %s\r\n\r\n", options.hook);
	put(c, request, len);
}

static void inject_on(struct connection *c, long person, long number)
{
	char line[256];

	if (c->role == ROLE_SMSC) {
		int len = snprintf(line, sizeof(line), "%" PRIu64 " 500 text help zq%ld\n",
				   options.first + (uint64_t)person, number);
		put(c, line, (size_t)len);
		return;
	}
	c->busy = true;
	c->person = person;
	c->number = number;
	write_target(c, person, number);
	flush(c);
}

static struct connection *free_connection(void)
{
	for (long i = 0; i < options.connections; i++) {
		struct connection *c = hooks[(idle_from + i) % options.connections];

		if (!c->busy) {
			idle_from = (idle_from + i + 1) % options.connections;
			return c;
		}
	}
	return NULL;
}

static void inject(void)
{
	long number = next_message++;
	long person = number % options.people;
	struct connection *c = smsc ? smsc : free_connection();

	sent_at[person] = now();
	if (c)
		inject_on(c, person, number);
	else
		waiting[waiting_tail++ % (size_t)options.people] = number;
}

static void answer(uint64_t to)
{
	long person = (long)(to - options.first);

	if (to < options.first || person >= options.people || sent_at[person] <= 0)
		return;
	last_answer = now();
	latencies[latency_count++] = last_answer - sent_at[person];
	sent_at[person] = 0;
	answered++;
	if (options.rate <= 0 && next_message < options.messages)
		inject();
}

/* ---- what comes back ---- */

/* One whole HTTP message at the start of `in`: its length, 0 if not all there. */
static size_t whole(const struct connection *c, size_t *head_r)
{
	const char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
	const char *length;
	size_t body = 0;

	if (!end)
		return 0;
	*head_r = (size_t)(end - c->in) + 4;
	length = memmem(c->in, *head_r, "ontent-", 7);
	while (length && strncasecmp(length, "ontent-length:", 14))
		length = memmem(length + 1, *head_r - (size_t)(length + 1 - c->in), "ontent-", 7);
	if (length)
		body = strtoul(length + 14, NULL, 10);
	return *head_r + body <= c->in_len ? *head_r + body : 0;
}

static uint64_t number_after(const char *at, const char *end)
{
	uint64_t n = 0;

	if (end - at > 3 && !strncasecmp(at, "%2B", 3))
		at += 3;
	else if (at < end && *at == '+')
		at++;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		n = n * 10 + (uint64_t)(*at - '0');
	return n;
}

static void took_request(struct connection *c, size_t len)
{
	static const char accepted[] = "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\n"
				       "Content-Length: 25\r\n\r\n0: Accepted for delivery.";
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
				    "Content-Length: 21\r\n\r\nThis is help for you.";
	const char *to;

	if (smsc) {
		put(c, reply, sizeof(reply) - 1);
		return;
	}
	put(c, accepted, sizeof(accepted) - 1);
	to = memmem(c->in, len, "to=", 3);
	while (to && to > c->in && to[-1] != '?' && to[-1] != '&' && to[-1] != '\n')
		to = memmem(to + 3, len - (size_t)(to + 3 - c->in), "to=", 3);
	if (!to) {
		to = memmem(c->in, len, "-To: ", 5);
		to = to ? to + 2 : NULL;
	}
	if (to)
		answer(number_after(to + 3, c->in + len));
}

static void took_response(struct connection *c)
{
	c->busy = false;
	if (options.bare && !strncmp(c->in, "HTTP/1.1 200", 12))
		answer(options.first + (uint64_t)c->person);
	if (sent_at[c->person] > 0)
		acks[ack_count++ % options.messages] = now() - sent_at[c->person];
	if (strncmp(c->in, "HTTP/1.1 200", 12)) { /* like a provider: again, with the same id */
		refused++;
		waiting[waiting_tail++ % (size_t)options.people] = c->number;
	}
	if (waiting_head < waiting_tail && !c->busy) { /* answer() may have used it again */
		long number = waiting[waiting_head++ % (size_t)options.people];

		inject_on(c, number % options.people, number);
	}
}

static void took_line(const char *line, const char *end)
{
	const char *to = memchr(line, ' ', (size_t)(end - line));

	if (to)
		answer(number_after(to + 1, end));
}

static void consume(struct connection *c, size_t len)
{
	memmove(c->in, c->in + len, c->in_len - len);
	c->in_len -= len;
}

static void digest(struct connection *c)
{
	size_t head, len;
	char *end;

	if (c->role == ROLE_SMSC) {
		while ((end = memchr(c->in, '\n', c->in_len))) {
			took_line(c->in, end);
			consume(c, (size_t)(end + 1 - c->in));
		}
		return;
	}
	while ((len = whole(c, &head))) {
		if (c->role == ROLE_SINK)
			took_request(c, len);
		else
			took_response(c);
		consume(c, len);
	}
	flush(c);
}

static void ready(struct connection *c)
{
	ssize_t n;

	if (c->role == ROLE_LISTEN) {
		int fd = accept(c->fd, NULL, NULL);

		if (fd >= 0)
			add(ROLE_SINK, fd);
		return;
	}
	n = read(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len);
	if (n <= 0) {
		if (c->role != ROLE_SINK)
			die("the peer closed");
		close(c->fd);
		free(c);
		return;
	}
	c->in_len += (size_t)n;
	digest(c);
}

/* ---- the run ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *sorted, long count, double q)
{
	return count ? sorted[(long)(q * (double)(count - 1))] * 1e3 : 0;
}

static void report(void)
{
	double seconds = last_answer - started;
	long n = ack_count < options.messages ? ack_count : options.messages;

	qsort(latencies, (size_t)latency_count, sizeof(double), ascending);
	qsort(acks, (size_t)n, sizeof(double), ascending);
	printf("{\"messages\":%ld,\"answered\":%ld,\"refused\":%ld,\"seconds\":%.3f,\"per_second\":%.1f,"
	       "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"ack_p50_ms\":%.3f,\"ack_p99_ms\":%.3f}\n",
	       options.messages, answered, refused, seconds,
	       seconds > 0 ? (double)answered / seconds : 0, quantile(latencies, latency_count, 0.5),
	       quantile(latencies, latency_count, 0.99), quantile(latencies, latency_count, 1),
	       quantile(acks, n, 0.5), quantile(acks, n, 0.99));
}

static void turn(int wait_ms)
{
	struct epoll_event events[256];
	int n = epoll_wait(poll_fd, events, 256, wait_ms);

	for (int i = 0; i < n; i++)
		ready(events[i].data.ptr);
	if (smsc)
		flush(smsc);
}

static void run(void)
{
	started = last_answer = now();
	if (options.rate <= 0)
		for (long i = 0; i < options.window && i < options.messages; i++)
			inject();
	if (smsc)
		flush(smsc);
	while (answered < options.messages && now() - last_answer < (double)options.timeout) {
		while (options.rate > 0 && next_message < options.messages &&
		       (now() - started) * options.rate >= (double)next_message)
			inject();
		turn(options.rate > 0 ? 1 : 100);
	}
}

static void parse(int argc, char **argv)
{
	static const struct option names[] = {
		{"hook", 1, 0, 'h'},	 {"fakesmsc", 1, 0, 'f'}, {"target", 1, 0, 't'},
		{"sink", 1, 0, 's'},	 {"messages", 1, 0, 'm'}, {"window", 1, 0, 'w'},
		{"rate", 1, 0, 'r'},	 {"people", 1, 0, 'p'},	  {"first", 1, 0, '1'},
		{"connections", 1, 0, 'c'}, {"timeout", 1, 0, 'T'}, {"bare", 0, 0, 'b'}, {0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'h': options.hook = optarg; break;
		case 'f': options.fakesmsc = optarg; break;
		case 't': options.target = optarg; break;
		case 's': options.sink = (int)strtol(optarg, NULL, 10); break;
		case 'm': options.messages = strtol(optarg, NULL, 10); break;
		case 'w': options.window = strtol(optarg, NULL, 10); break;
		case 'r': options.rate = strtod(optarg, NULL); break;
		case 'p': options.people = strtol(optarg, NULL, 10); break;
		case '1': options.first = strtoull(optarg, NULL, 10); break;
		case 'c': options.connections = strtol(optarg, NULL, 10); break;
		case 'b': options.bare = true; break;
		case 'T': options.timeout = strtol(optarg, NULL, 10); break;
		default: exit(2);
		}
	}
	if (!options.hook == !options.fakesmsc || !options.sink || options.people < options.window ||
	    options.connections > CONNECTIONS_MAX) {
		fprintf(stderr, "bench_load: one of --hook and --fakesmsc, a --sink, and people for the window\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	poll_fd = epoll_create1(0);
	sent_at = calloc((size_t)options.people, sizeof(double));
	waiting = calloc((size_t)options.people, sizeof(long));
	latencies = calloc((size_t)options.messages + 1, sizeof(double));
	acks = calloc((size_t)options.messages + 1, sizeof(double));
	if (!sent_at || !waiting || !latencies || !acks)
		die("memory");
	serve(options.sink);
	if (options.fakesmsc)
		smsc = dial(ROLE_SMSC, options.fakesmsc);
	else
		for (long i = 0; i < options.connections; i++)
			hooks[i] = dial(ROLE_HOOK, options.hook);
	run();
	report();
	return answered == options.messages ? 0 : 1;
}
