/* base/loop_work.c - sends work and name lookups to the thread pool and brings the results back. */
#include "base/loop.h"

#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/arena.h"
#include "base/loop_own.h"

struct work {
	uv_work_t request;
	struct loop *loop;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

struct lookup {
	uv_getaddrinfo_t request;
	struct loop *loop;
	void (*done)(void *arg, const char *address, const char *reason);
	void *arg;
	uv_timer_t failed; /* carries a failure to start, so that `done` is never called from inside */
	int error;
};

static void work_run(uv_work_t *request)
{
	struct work *work = request->data;
	work->work(work->arg);
}

static void work_done(uv_work_t *request, int status)
{
	(void)status;
	struct work *work = request->data;
	work->loop->under_way--;
	work->done(work->arg);
	free(work);
}

void loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct work *item = xalloc(sizeof *item);
	item->loop = loop;
	item->work = work;
	item->done = done;
	item->arg = arg;
	item->request.data = item;
	/* Fails only without a callback. */
	if (uv_queue_work(&loop->uv, &item->request, work_run, work_done) != 0)
		abort();
	loop->under_way++;
}

/* The first IPv4 address if there is one: many small hosts have IPv6 names and no IPv6 route. */
static int first_address(const struct addrinfo *list, char *text, size_t size)
{
	const struct addrinfo *first = NULL;
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		if (a->ai_family == AF_INET) {
			first = a;
			break;
		}
		if (!first && a->ai_family == AF_INET6)
			first = a;
	}
	if (!first)
		return UV_EAI_NODATA;
	return getnameinfo(first->ai_addr, first->ai_addrlen, text, (socklen_t)size, NULL, 0,
			   NI_NUMERICHOST);
}

static void lookup_done(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct lookup *lookup = request->data;
	char address[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	lookup->loop->under_way--;
	if (status == 0 && first_address(list, address, sizeof address) != 0)
		status = UV_EAI_NODATA;
	uv_freeaddrinfo(list);
	if (status == 0)
		lookup->done(lookup->arg, address, NULL);
	else
		lookup->done(lookup->arg, NULL, uv_strerror(status));
	free(lookup);
}

static void lookup_free(uv_handle_t *handle)
{
	free(handle->data);
}

static void lookup_failed(uv_timer_t *handle)
{
	struct lookup *lookup = handle->data;
	lookup->loop->under_way--;
	lookup->done(lookup->arg, NULL, uv_strerror(lookup->error));
	uv_close((uv_handle_t *)handle, lookup_free);
}

void loop_resolve(struct loop *loop, const char *host,
		  void (*done)(void *arg, const char *address, const char *reason), void *arg)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG,
	};
	struct lookup *lookup = xalloc(sizeof *lookup);
	lookup->loop = loop;
	lookup->done = done;
	lookup->arg = arg;
	lookup->request.data = lookup;
	lookup->failed.data = lookup;
	loop->under_way++;
	lookup->error = uv_getaddrinfo(&loop->uv, &lookup->request, lookup_done, host, NULL, &hints);
	if (lookup->error == 0)
		return;
	/* A name that is too long or not IDNA is refused at once. */
	uv_timer_init(&loop->uv, &lookup->failed);
	uv_timer_start(&lookup->failed, lookup_failed, 0, 0);
}
