/* base/loop_child.c - starts child processes that end with us, and tells when one has ended. */
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"

struct loop_child {
	struct loop_watch *watch;
	pid_t pid; /* 0 once it was waited for */
	int pidfd;
	void (*exited)(void *arg, int status, int signum);
	void *arg;
};

/* Between fork and exec only what signal-safety(7) allows. Not uv_spawn(): it has no place for
 * PR_SET_PDEATHSIG. */
static void become(char *const argv[], pid_t parent, int failed)
{
	sigset_t none;
	sigemptyset(&none);
	for (int signum = 1; signum < 32; signum++)
		signal(signum, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDONLY);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) {
		if (getppid() != parent)
			_exit(127); /* the parent died before the prctl */
		execvp(argv[0], argv);
	}
	int reason = errno;
	ssize_t n = write(failed, &reason, sizeof reason);
	_exit(n < 0 ? 126 : 127);
}

/* -1 with errno if the program could not be started; waits for the exec, which is short. */
static pid_t start(char *const argv[])
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		become(argv, parent, ends[1]);
	int reason = pid < 0 ? errno : 0;
	close(ends[1]);
	if (pid > 0) {
		ssize_t n;
		do {
			n = read(ends[0], &reason, sizeof reason);
		} while (n < 0 && errno == EINTR);
		if (n == (ssize_t)sizeof reason)
			waitpid(pid, NULL, 0);
		else
			reason = 0;
	}
	close(ends[0]);
	errno = reason;
	return reason ? -1 : pid;
}

static void child_ready(void *arg, int events)
{
	(void)events;
	struct loop_child *child = arg;
	int status = 0;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->pid = 0;
	loop_watch_close(&child->watch);
	child->exited(child->arg, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

struct loop_child *loop_child(struct loop *loop, char *const argv[],
			      void (*exited)(void *arg, int status, int signum), void *arg,
			      struct error *error_r)
{
	pid_t pid = start(argv);
	if (pid < 0) {
		error_set(error_r, "cannot start %s: %s", argv[0], strerror(errno));
		return NULL;
	}
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		error_set(error_r, "cannot watch %s: %s", argv[0], strerror(errno));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return NULL;
	}
	struct loop_child *child = xalloc(sizeof *child);
	child->pid = pid;
	child->pidfd = pidfd;
	child->exited = exited;
	child->arg = arg;
	child->watch = loop_watch(loop, pidfd, LOOP_READ, child_ready, child);
	return child;
}

int loop_child_pid(const struct loop_child *child)
{
	return (int)child->pid;
}

void loop_child_kill(struct loop_child *child, int signum)
{
	if (child->pid > 0)
		kill(child->pid, signum);
}

void loop_child_close(struct loop_child **child)
{
	if (!*child)
		return;
	loop_watch_close(&(*child)->watch);
	if ((*child)->pid > 0) {
		kill((*child)->pid, SIGKILL);
		waitpid((*child)->pid, NULL, 0);
	}
	close((*child)->pidfd);
	free(*child);
	*child = NULL;
}
