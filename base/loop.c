/* base/loop.c - hangs descriptors, timers, signals and work on one libuv loop. */
#include "base/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/arena.h"
#include "base/loop_own.h"

struct loop_watch {
	uv_poll_t handle;
	struct loop *loop;
	void (*ready)(void *arg, int events);
	void *arg;
	int wanted; /* what the owner asked for */
	int active; /* what libuv was told */
	bool closed;
};

struct loop_timer {
	uv_timer_t handle;
	void (*fire)(void *arg);
	void *arg;
};

struct loop_signal {
	uv_signal_t handle;
	void (*fired)(void *arg, int signum);
	void *arg;
};

struct loop_hook {
	uv_prepare_t before; /* after timers, before the wait */
	uv_check_t after;    /* after descriptors */
	void (*last)(void *arg);
	void *arg;
	int open; /* handles not yet closed */
};

static void must(int result, const char *what)
{
	if (result == 0)
		return;
	fprintf(stderr, "<2>%s: %s\n", what, uv_strerror(result));
	abort();
}

struct loop *loop_new(void)
{
	struct loop *loop = xalloc(sizeof *loop);
	must(uv_loop_init(&loop->uv), "uv_loop_init");
	return loop;
}

void loop_free(struct loop **loop)
{
	if (!*loop)
		return;
	/* What runs on other threads cannot be called back; its end must be met. */
	while ((*loop)->under_way > 0)
		uv_run(&(*loop)->uv, UV_RUN_ONCE);
	/* A turn runs the callbacks of what was closed; one may close more. */
	int result = uv_loop_close(&(*loop)->uv);
	for (int i = 0; i < 8 && result == UV_EBUSY; i++) {
		uv_run(&(*loop)->uv, UV_RUN_NOWAIT);
		result = uv_loop_close(&(*loop)->uv);
	}
	if (result != 0) {
		fprintf(stderr, "<3>a loop was freed with open handles:\n");
		uv_print_all_handles(&(*loop)->uv, stderr);
#ifndef NDEBUG
		abort();
#else
		*loop = NULL; /* leaked rather than freed under its handles */
		return;
#endif
	}
	free(*loop);
	*loop = NULL;
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

bool loop_turn(struct loop *loop, bool wait)
{
	return uv_run(&loop->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT) != 0;
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

void *loop_native(struct loop *loop)
{
	return &loop->uv;
}

static void watch_ready(uv_poll_t *handle, int status, int uv_events)
{
	struct loop_watch *watch = handle->data;
	int events = 0;
	if (uv_events & UV_READABLE)
		events |= LOOP_READ;
	if (uv_events & UV_WRITABLE)
		events |= LOOP_WRITE;
	if (status < 0) {
		/* libuv has stopped the handle by itself (EPOLLERR). */
		events = LOOP_READ | LOOP_WRITE;
		watch->active = 0;
	}
	watch->ready(watch->arg, events);
	/* An owner that did not change its wish still has it. */
	if (!watch->closed && watch->active != watch->wanted)
		loop_watch_set(watch, watch->wanted);
}

static void free_data(uv_handle_t *handle)
{
	free(handle->data);
}

struct loop_watch *loop_watch(struct loop *loop, int fd, int events,
			      void (*ready)(void *arg, int events), void *arg)
{
	struct loop_watch *watch = xalloc(sizeof *watch);
	watch->loop = loop;
	watch->ready = ready;
	watch->arg = arg;
	watch->handle.data = watch;
	must(uv_poll_init(&loop->uv, &watch->handle, fd), "uv_poll_init");
	loop_watch_set(watch, events);
	return watch;
}

void loop_watch_set(struct loop_watch *watch, int events)
{
	watch->wanted = events;
	if (watch->active == events)
		return;
	watch->active = events;
	int uv_events = ((events & LOOP_READ) ? UV_READABLE : 0) |
			((events & LOOP_WRITE) ? UV_WRITABLE : 0);
	if (uv_events)
		must(uv_poll_start(&watch->handle, uv_events, watch_ready), "uv_poll_start");
	else
		must(uv_poll_stop(&watch->handle), "uv_poll_stop");
}

void loop_watch_close(struct loop_watch **watch)
{
	if (!*watch)
		return;
	(*watch)->closed = true;
	uv_close((uv_handle_t *)&(*watch)->handle, free_data);
	*watch = NULL;
}

static void timer_fired(uv_timer_t *handle)
{
	struct loop_timer *timer = handle->data;
	timer->fire(timer->arg);
}

struct loop_timer *loop_timer(struct loop *loop, void (*fire)(void *arg), void *arg)
{
	struct loop_timer *timer = xalloc(sizeof *timer);
	timer->fire = fire;
	timer->arg = arg;
	timer->handle.data = timer;
	must(uv_timer_init(&loop->uv, &timer->handle), "uv_timer_init");
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t ms, uint64_t repeat_ms)
{
	/* libuv counts from the time it read at the turn's start; a long callback would eat the
	 * wait. */
	uv_update_time(timer->handle.loop);
	must(uv_timer_start(&timer->handle, timer_fired, ms, repeat_ms), "uv_timer_start");
}

void loop_timer_stop(struct loop_timer *timer)
{
	uv_timer_stop(&timer->handle);
}

void loop_timer_close(struct loop_timer **timer)
{
	if (!*timer)
		return;
	uv_close((uv_handle_t *)&(*timer)->handle, free_data);
	*timer = NULL;
}

static void hook_before(uv_prepare_t *handle)
{
	struct loop_hook *hook = handle->data;
	hook->last(hook->arg);
}

static void hook_after(uv_check_t *handle)
{
	struct loop_hook *hook = handle->data;
	hook->last(hook->arg);
}

struct loop_hook *loop_at_turn_end(struct loop *loop, void (*last)(void *arg), void *arg)
{
	struct loop_hook *hook = xalloc(sizeof *hook);
	hook->last = last;
	hook->arg = arg;
	hook->open = 2;
	hook->before.data = hook;
	hook->after.data = hook;
	must(uv_prepare_init(&loop->uv, &hook->before), "uv_prepare_init");
	must(uv_check_init(&loop->uv, &hook->after), "uv_check_init");
	must(uv_prepare_start(&hook->before, hook_before), "uv_prepare_start");
	must(uv_check_start(&hook->after, hook_after), "uv_check_start");
	/* A hook alone is nothing to wait for. */
	uv_unref((uv_handle_t *)&hook->before);
	uv_unref((uv_handle_t *)&hook->after);
	return hook;
}

static void hook_part_closed(uv_handle_t *handle)
{
	struct loop_hook *hook = handle->data;
	if (--hook->open == 0)
		free(hook);
}

void loop_hook_close(struct loop_hook **hook)
{
	if (!*hook)
		return;
	uv_close((uv_handle_t *)&(*hook)->before, hook_part_closed);
	uv_close((uv_handle_t *)&(*hook)->after, hook_part_closed);
	*hook = NULL;
}

static void signal_fired(uv_signal_t *handle, int signum)
{
	struct loop_signal *signal = handle->data;
	signal->fired(signal->arg, signum);
}

struct loop_signal *loop_signal(struct loop *loop, int signum,
				void (*fired)(void *arg, int signum), void *arg)
{
	struct loop_signal *signal = xalloc(sizeof *signal);
	signal->fired = fired;
	signal->arg = arg;
	signal->handle.data = signal;
	must(uv_signal_init(&loop->uv, &signal->handle), "uv_signal_init");
	must(uv_signal_start(&signal->handle, signal_fired, signum), "uv_signal_start");
	return signal;
}

void loop_signal_close(struct loop_signal **signal)
{
	if (!*signal)
		return;
	uv_close((uv_handle_t *)&(*signal)->handle, free_data);
	*signal = NULL;
}
