/* base/loop.h - the event loop: descriptors, timers, signals, work, names.
 *
 * A thin shim over libuv (why libuv: docs/libraries.md). One loop, one thread;
 * every callback runs on it. A watch or timer may be closed from inside its
 * own callback; the memory is freed by the loop after the callback returned.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct loop;
struct loop_watch;
struct loop_timer;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop *loop_new(void);
/* All handles must be closed. Aborts in debug builds if one is left. */
void loop_free(struct loop **loop);
/* Runs until loop_stop() or until nothing is left to wait for. */
void loop_run(struct loop *loop);
/* One turn; waits for an event if `wait`. False when nothing is left. */
bool loop_turn(struct loop *loop, bool wait);
void loop_stop(struct loop *loop);
/* The uv_loop_t, for libwebsockets' foreign loop only. */
void *loop_native(struct loop *loop);

/* Watches an fd that stays the caller's; close the watch before the fd. On an error status both
 * directions are reported, so that the owner's read or write meets the errno itself. */
struct loop_watch *loop_watch(struct loop *loop, int fd, int events,
			      void (*ready)(void *arg, int events), void *arg);
void loop_watch_set(struct loop_watch *watch, int events);
void loop_watch_close(struct loop_watch **watch);

/* A timer at rest; start it as often as needed. Milliseconds; repeats if
 * repeat_ms > 0. Starting again moves it. */
struct loop_timer *loop_timer(struct loop *loop, void (*fire)(void *arg), void *arg);
void loop_timer_start(struct loop_timer *timer, uint64_t ms, uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_close(struct loop_timer **timer);

/* Calls `last` at the end of every turn, after all descriptors' callbacks, and once more before a
 * wait, after the timers': where pipelines are flushed. Cheap when there is nothing to do. */
struct loop_hook *loop_at_turn_end(struct loop *loop, void (*last)(void *arg), void *arg);
void loop_hook_close(struct loop_hook **hook);

struct loop_signal *loop_signal(struct loop *loop, int signum,
				void (*fired)(void *arg, int signum), void *arg);
void loop_signal_close(struct loop_signal **signal);

/* Runs `work` on the thread pool, then `done` on the loop. */
void loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg);

/* Resolves a host name on the thread pool; `done` gets the first address as text ("203.0.113.5",
 * IPv4 before IPv6) or NULL with a reason. Always called later, once. */
void loop_resolve(struct loop *loop, const char *host,
		  void (*done)(void *arg, const char *address, const char *reason), void *arg);

/* Starts a child process (argv NULL-ended, found in PATH; stdin empty, stdout and stderr to our
 * stderr); NULL if it cannot be started. `exited` is called once: status is -1 if a signal ended
 * it, then signum tells which. The child gets SIGTERM if we die (PR_SET_PDEATHSIG), however we die.
 * Closing a child that still runs kills it; closing from inside `exited` is fine. Linux 5.3. */
struct loop_child;
struct loop_child *loop_child(struct loop *loop, char *const argv[],
			      void (*exited)(void *arg, int status, int signum), void *arg,
			      struct error *error_r);
int loop_child_pid(const struct loop_child *child);
void loop_child_kill(struct loop_child *child, int signum);
void loop_child_close(struct loop_child **child);

#endif
