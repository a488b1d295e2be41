/* Tests the loop: timers, watches, signals, work, names and children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

struct fixture {
	struct loop *loop;
	struct loop_timer *timers[4];
	struct loop_watch *watch;
	struct loop_hook *hook;
	struct loop_signal *signal;
	struct loop_child *child;
	char order[64];
	int fd, count, events, status, signum, turn_ends, seen_at_turn_end;
	pthread_t thread;
	char address[64], reason[128];
};

static void note(struct fixture *f, char c)
{
	size_t len = strlen(f->order);
	assert_true(len + 1 < sizeof f->order);
	f->order[len] = c;
}

static void fire_a(void *arg) { note(arg, 'a'); }
static void fire_b(void *arg) { note(arg, 'b'); }
static void fire_c(void *arg) { note(arg, 'c'); }

static void timers_fire_in_order(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	f.timers[0] = loop_timer(f.loop, fire_a, &f);
	f.timers[1] = loop_timer(f.loop, fire_b, &f);
	f.timers[2] = loop_timer(f.loop, fire_c, &f);
	f.timers[3] = loop_timer(f.loop, fire_c, &f);
	int64_t start = clock_mono_us();
	loop_timer_start(f.timers[0], 30, 0);
	loop_timer_start(f.timers[1], 1, 0);
	loop_timer_start(f.timers[2], 15, 0);
	loop_timer_start(f.timers[3], 5, 0);
	loop_timer_stop(f.timers[3]);
	loop_run(f.loop); /* ends by itself: nothing is left to wait for */
	assert_string_equal(f.order, "bca");
	assert_true(clock_mono_us() - start >= 29000);
	for (int i = 0; i < 4; i++)
		loop_timer_close(&f.timers[i]);
	loop_free(&f.loop);
	assert_null(f.loop);
}

static void fire_and_move(void *arg)
{
	struct fixture *f = arg;
	if (++f->count == 3)
		loop_timer_close(&f->timers[0]); /* from inside its own callback */
	else if (f->count == 1)
		loop_timer_start(f->timers[0], 1, 1);
}

static void timer_restarts_repeats_and_closes_inside(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	f.timers[0] = loop_timer(f.loop, fire_and_move, &f);
	loop_timer_start(f.timers[0], 1, 0);
	loop_run(f.loop);
	assert_int_equal(f.count, 3);
	assert_null(f.timers[0]);
	loop_free(&f.loop);
}

static void busy_then_time(void *arg)
{
	struct fixture *f = arg;
	int64_t until = clock_mono_us() + 20000;
	while (clock_mono_us() < until)
		continue;
	loop_timer_start(f->timers[1], 10, 0);
	f->status = (int)(clock_mono_us() / 1000);
}

static void note_time(void *arg)
{
	struct fixture *f = arg;
	f->events = (int)(clock_mono_us() / 1000);
}

static void a_long_callback_does_not_eat_the_next_wait(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	f.timers[0] = loop_timer(f.loop, busy_then_time, &f);
	f.timers[1] = loop_timer(f.loop, note_time, &f);
	loop_timer_start(f.timers[0], 0, 0);
	loop_run(f.loop);
	assert_true(f.events - f.status >= 9);
	loop_timer_close(&f.timers[0]);
	loop_timer_close(&f.timers[1]);
	loop_free(&f.loop);
}

static void read_one(void *arg, int events)
{
	struct fixture *f = arg;
	char c;
	assert_int_equal(events, LOOP_READ);
	assert_int_equal(read(f->fd, &c, 1), 1);
	note(f, c);
	if (c == 'z')
		loop_watch_close(&f->watch);
	else
		f->seen_at_turn_end = 0;
}

static void end_of_turn(void *arg)
{
	struct fixture *f = arg;
	f->turn_ends++;
	f->seen_at_turn_end = (int)strlen(f->order);
}

static void watch_reads_and_closes_inside(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	struct fixture f = {.loop = loop_new(), .fd = ends[0]};
	f.watch = loop_watch(f.loop, ends[0], LOOP_READ, read_one, &f);
	f.hook = loop_at_turn_end(f.loop, end_of_turn, &f);
	assert_int_equal(write(ends[1], "xyz", 3), 3);
	assert_true(loop_turn(f.loop, true));
	assert_string_equal(f.order, "x");
	assert_int_equal(f.seen_at_turn_end, 1); /* the hook came after the descriptor */
	/* Asking for nothing silences it; asking again brings it back. */
	loop_watch_set(f.watch, 0);
	assert_false(loop_turn(f.loop, false));
	assert_string_equal(f.order, "x");
	loop_watch_set(f.watch, LOOP_READ);
	loop_run(f.loop); /* the hook alone does not keep it running */
	assert_string_equal(f.order, "xyz");
	assert_null(f.watch);
	loop_hook_close(&f.hook);
	loop_free(&f.loop);
	close(ends[0]);
	close(ends[1]);
}

static void turn_end_after_timers(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	f.timers[0] = loop_timer(f.loop, fire_a, &f);
	f.timers[1] = loop_timer(f.loop, fire_b, &f);
	f.hook = loop_at_turn_end(f.loop, end_of_turn, &f);
	loop_timer_start(f.timers[0], 1, 0);
	loop_timer_start(f.timers[1], 60 * 1000, 0);
	/* What a timer queued must not wait for the next event. */
	while (f.seen_at_turn_end < 1)
		assert_true(loop_turn(f.loop, f.order[0] == '\0'));
	assert_string_equal(f.order, "a");
	loop_timer_close(&f.timers[0]);
	loop_timer_close(&f.timers[1]);
	loop_hook_close(&f.hook);
	loop_free(&f.loop);
}

static int nobody_listens(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void connect_ends(void *arg, int events)
{
	struct fixture *f = arg;
	int reason = 0;
	socklen_t len = sizeof reason;
	assert_int_equal(getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &reason, &len), 0);
	f->events = events;
	f->status = reason;
	f->count++;
	loop_watch_close(&f->watch);
}

/* hiredis' own libuv adapter never hears of this (redis/hiredis#240). */
static void refused_connection_is_reported(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	f.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)nobody_listens())};
	assert_int_equal(connect(f.fd, (struct sockaddr *)&to, sizeof to), -1);
	assert_int_equal(errno, EINPROGRESS);
	f.watch = loop_watch(f.loop, f.fd, LOOP_WRITE, connect_ends, &f);
	loop_run(f.loop);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.events, LOOP_READ | LOOP_WRITE);
	assert_int_equal(f.status, ECONNREFUSED);
	close(f.fd);
	loop_free(&f.loop);
}

static void read_after_error(void *arg, int events)
{
	struct fixture *f = arg;
	char c;
	ssize_t n = read(f->fd, &c, 1);
	if (++f->count == 1) {
		assert_int_equal(events, LOOP_READ | LOOP_WRITE);
		assert_int_equal(n, -1);
		assert_int_equal(errno, ECONNRESET);
		return; /* says nothing: its wish stands */
	}
	assert_int_equal(n, 0);
	loop_watch_close(&f->watch);
}

static void a_watch_goes_on_after_an_error(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	f.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f.fd, (struct sockaddr *)&at, sizeof at), 0);
	int peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	f.watch = loop_watch(f.loop, f.fd, LOOP_READ, read_after_error, &f);
	assert_false(!loop_turn(f.loop, false));
	/* Lingering zero makes the close a reset. */
	struct linger now = {.l_onoff = 1};
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(peer);
	loop_run(f.loop);
	assert_int_equal(f.count, 2);
	close(f.fd);
	close(listener);
	loop_free(&f.loop);
}

static void signalled(void *arg, int signum)
{
	struct fixture *f = arg;
	f->signum = signum;
	loop_signal_close(&f->signal);
}

static void signals_arrive(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	f.signal = loop_signal(f.loop, SIGUSR1, signalled, &f);
	assert_int_equal(raise(SIGUSR1), 0);
	loop_run(f.loop);
	assert_int_equal(f.signum, SIGUSR1);
	loop_free(&f.loop);
}

static void work_elsewhere(void *arg)
{
	struct fixture *f = arg;
	f->thread = pthread_self();
}

static void work_back(void *arg)
{
	struct fixture *f = arg;
	assert_false(pthread_equal(f->thread, pthread_self()));
	f->count++;
}

static void work_runs_on_another_thread(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new(), .thread = pthread_self()};
	loop_work(f.loop, work_elsewhere, work_back, &f);
	assert_int_equal(f.count, 0);
	loop_run(f.loop);
	assert_int_equal(f.count, 1);
	/* A loop that is freed waits for what is under way. */
	loop_work(f.loop, work_elsewhere, work_back, &f);
	loop_free(&f.loop);
	assert_int_equal(f.count, 2);
}

static void resolved(void *arg, const char *address, const char *reason)
{
	struct fixture *f = arg;
	f->count++;
	snprintf(f->address, sizeof f->address, "%s", address ? address : "");
	snprintf(f->reason, sizeof f->reason, "%s", reason ? reason : "");
}

static void names_are_resolved(void **state)
{
	(void)state;
	char long_name[400];
	memset(long_name, 'x', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	const struct {
		const char *host, *address;
	} cases[] = {
		{"localhost", "127.0.0.1"},
		{"203.0.113.5", "203.0.113.5"},
		{"2001:db8::1", "2001:db8::1"},
		{"no-such-name.invalid", ""},
		{long_name, ""},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fixture f = {.loop = loop_new()};
		loop_resolve(f.loop, cases[i].host, resolved, &f);
		assert_int_equal(f.count, 0); /* later, never from inside */
		loop_run(f.loop);
		assert_int_equal(f.count, 1);
		assert_string_equal(f.address, cases[i].address);
		assert_int_equal(f.reason[0] == '\0', cases[i].address[0] != '\0');
		loop_free(&f.loop);
	}
}

static void child_ended(void *arg, int status, int signum)
{
	struct fixture *f = arg;
	f->count++;
	f->status = status;
	f->signum = signum;
	loop_child_close(&f->child);
}

static void children_end(void **state)
{
	(void)state;
	const struct {
		const char *script;
		int kill, status, signum;
	} cases[] = {
		{"exit 0", 0, 0, 0},
		{"exit 7", 0, 7, 0},
		{"kill -9 $$", 0, -1, SIGKILL},
		{"exec cat /dev/zero >/dev/null", SIGTERM, -1, SIGTERM},
		{"read x; test -z \"$x\" && exit 5", 0, 5, 0}, /* stdin is empty */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fixture f = {.loop = loop_new()};
		char *script = strdup(cases[i].script), sh[] = "sh", c[] = "-c";
		struct error error;
		f.child = loop_child(f.loop, (char *[]){sh, c, script, NULL}, child_ended, &f, &error);
		assert_non_null(f.child);
		assert_true(loop_child_pid(f.child) > 0);
		if (cases[i].kill)
			loop_child_kill(f.child, cases[i].kill);
		loop_run(f.loop);
		assert_int_equal(f.count, 1);
		assert_int_equal(f.status, cases[i].status);
		assert_int_equal(f.signum, cases[i].signum);
		loop_free(&f.loop);
		free(script);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
	assert_int_equal(errno, ECHILD);
}

static void a_program_that_is_not_there(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	char name[] = "/no/such/program";
	struct error error;
	assert_null(loop_child(f.loop, (char *[]){name, NULL}, child_ended, &f, &error));
	assert_string_equal(error.text, "cannot start /no/such/program: No such file or directory");
	loop_free(&f.loop);
}

static void a_closed_child_is_gone(void **state)
{
	(void)state;
	struct fixture f = {.loop = loop_new()};
	char sh[] = "sh", c[] = "-c", null[] = "exec cat /dev/zero >/dev/null";
	f.child = loop_child(f.loop, (char *[]){sh, c, null, NULL}, child_ended, &f, NULL);
	assert_non_null(f.child);
	int pid = loop_child_pid(f.child);
	loop_child_close(&f.child);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(f.count, 0);
	loop_free(&f.loop);
}

/* A parent killed with -9 takes its child along. The grandchild is adopted by us, so that its end
 * can be waited for. */
static void children_die_with_us(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		struct fixture f = {.loop = loop_new()};
		char sh[] = "sh", c[] = "-c", script[] = "exec cat /dev/zero >/dev/null";
		f.child = loop_child(f.loop, (char *[]){sh, c, script, NULL}, child_ended, &f, NULL);
		int pid = f.child ? loop_child_pid(f.child) : 0;
		if (write(ends[1], &pid, sizeof pid) != (ssize_t)sizeof pid)
			_exit(1);
		loop_run(f.loop);
		_exit(0);
	}
	int grandchild = 0, status = 0;
	close(ends[1]); /* a parent that failed ends the read */
	assert_int_equal(read(ends[0], &grandchild, sizeof grandchild), sizeof grandchild);
	assert_true(grandchild > 0);
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(waitpid(grandchild, &status, 0), grandchild);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(timer_restarts_repeats_and_closes_inside),
		cmocka_unit_test(a_long_callback_does_not_eat_the_next_wait),
		cmocka_unit_test(watch_reads_and_closes_inside),
		cmocka_unit_test(turn_end_after_timers),
		cmocka_unit_test(refused_connection_is_reported),
		cmocka_unit_test(a_watch_goes_on_after_an_error),
		cmocka_unit_test(signals_arrive),
		cmocka_unit_test(work_runs_on_another_thread),
		cmocka_unit_test(names_are_resolved),
		cmocka_unit_test(children_end),
		cmocka_unit_test(a_program_that_is_not_there),
		cmocka_unit_test(a_closed_child_is_gone),
		cmocka_unit_test(children_die_with_us),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
