/* Runs our own redis-server in the data folder, and starts it again when it dies. */
#include "state/redis_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MOST_MS = 10000,
	GOOD_LIFE_US = 30 * 1000 * 1000, /* after that a death is the first one again */
	STOP_PATIENCE_MS = 10000,
	DEATHS_FAILING = 3,
	SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1,
};

struct redis_child {
	struct loop *loop;
	char folder[PATH_MAX], socket[SOCKET_PATH_MAX + 1], url[SOCKET_PATH_MAX + 16];
	char pid_file[PATH_MAX + 16];
	struct loop_child *child; /* started by us, or … */
	pid_t former;             /* … found running */
	int former_fd;
	struct loop_watch *former_watch;
	struct loop_timer *again, *patience;
	unsigned deaths;
	int64_t started_us;
	bool stopping;
	void (*failing)(void *arg, const char *how);
	void *failing_arg;
	void (*stopped)(void *arg);
	void *arg;
	struct log_subject subject;
};

/* ---- folders ---- */

static int folder_make(const char *folder, struct error *error_r)
{
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return error_set(error_r, "data folder %s: %s", folder, strerror(errno));
	return 0;
}

/* Checks that it is a folder of ours (no link to one), and that nobody else may enter. */
static int folder_secure(const char *folder, struct error *error_r)
{
	struct stat st;

	if (lstat(folder, &st) < 0)
		return error_set(error_r, "data folder %s: %s", folder, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return error_set(error_r, "data folder %s: not a folder", folder);
	if (st.st_uid != geteuid())
		return error_set(error_r, "data folder %s: belongs to another user", folder);
	if ((st.st_mode & 0077) && chmod(folder, 0700) < 0)
		return error_set(error_r, "data folder %s: %s", folder, strerror(errno));
	return 0;
}

/* The address of a unix socket holds 107 bytes. Where the data folder's name is longer, the socket
 * goes to a short folder whose name is made from the long one. */
static int socket_choose(struct redis_child *child, struct error *error_r)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char folder[SOCKET_PATH_MAX + 1];
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	if (strlen(child->folder) + strlen("/redis.sock") <= SOCKET_PATH_MAX) {
		snprintf(child->socket, sizeof child->socket, "%.*s/redis.sock",
			 (int)(SOCKET_PATH_MAX - strlen("/redis.sock")), child->folder);
		return 0;
	}
	for (const char *c = child->folder; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	if (!runtime || runtime[0] != '/' || strlen(runtime) > 64)
		runtime = "/tmp";
	snprintf(folder, sizeof folder, "%s/linli-%u-%016llx", runtime, (unsigned)geteuid(),
		 (unsigned long long)hash);
	if (folder_make(folder, error_r) < 0 || folder_secure(folder, error_r) < 0)
		return -1;
	snprintf(child->socket, sizeof child->socket, "%.90s/redis.sock", folder);
	log_info(&child->subject, "the data folder's name is too long for a socket; it is at %s",
		 child->socket);
	return 0;
}

static int folder_choose(struct redis_child *child, const char *folder, struct error *error_r)
{
	if (folder_make(folder, error_r) < 0)
		return -1;
	if (!realpath(folder, child->folder))
		return error_set(error_r, "data folder %s: %s", folder, strerror(errno));
	if (folder_secure(child->folder, error_r) < 0)
		return -1;
	snprintf(child->pid_file, sizeof child->pid_file, "%s/redis.pid", child->folder);
	if (socket_choose(child, error_r) < 0)
		return -1;
	snprintf(child->url, sizeof child->url, "unix:%s", child->socket);
	return 0;
}

static int program_find(struct error *error_r)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];

	for (; path && *path; path += strspn(path, ":")) {
		size_t len = strcspn(path, ":");
		snprintf(file, sizeof file, "%.*s/redis-server", (int)len, path);
		if (access(file, X_OK) == 0)
			return 0;
		path += len;
	}
	return error_set(error_r,
			 "redis-server is not installed (Debian: apt install redis-server); "
			 "or set `redis` to the address of one that runs elsewhere");
}

/* ---- life and death ---- */

static void start_again(void *arg);
static void ended(struct redis_child *child, const char *how);

static void child_free(struct redis_child *child)
{
	loop_child_close(&child->child);
	loop_watch_close(&child->former_watch);
	if (child->former_fd >= 0)
		close(child->former_fd);
	loop_timer_close(&child->again);
	loop_timer_close(&child->patience);
	free(child);
}

static void child_exited(void *arg, int status, int signum)
{
	struct redis_child *child = arg;
	char how[64];

	loop_child_close(&child->child);
	if (signum)
		snprintf(how, sizeof how, "ended by signal %d", signum);
	else
		snprintf(how, sizeof how, "ended with status %d", status);
	ended(child, how);
}

static void former_exited(void *arg, int events)
{
	struct redis_child *child = arg;

	(void)events;
	loop_watch_close(&child->former_watch);
	close(child->former_fd);
	child->former_fd = -1;
	child->former = 0;
	ended(child, "of a former life ended");
}

/* The redis-server whose pid file is here, if it is alive and at home here: a pid alone may have
 * come to be somebody else's. */
static pid_t former_find(const struct redis_child *child)
{
	FILE *file = fopen(child->pid_file, "re");
	char link[64], home[PATH_MAX];
	long pid = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &pid) != 1 || pid <= 1 || pid > INT_MAX)
		pid = 0;
	fclose(file);
	if (pid == 0)
		return 0;
	snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
	ssize_t len = readlink(link, home, sizeof home - 1);
	if (len < 0)
		return 0;
	home[len] = '\0';
	return strcmp(home, child->folder) == 0 ? (pid_t)pid : 0;
}

static bool former_adopt(struct redis_child *child)
{
	pid_t pid = former_find(child);
	int fd = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return false;
	/* Asked again: between the two questions the pid may have changed hands. */
	if (former_find(child) != pid) {
		close(fd);
		return false;
	}
	child->former = pid;
	child->former_fd = fd;
	child->former_watch = loop_watch(child->loop, fd, LOOP_READ, former_exited, child);
	log_info(&child->subject, "redis-server %d of a former life is used on", (int)pid);
	return true;
}

static int start(struct redis_child *child, struct error *error_r)
{
	char *const argv[] = {
		xstrdup("redis-server"),
		xstrdup("--port"),
		xstrdup("0"),
		xstrdup("--unixsocket"),
		xstrdup(child->socket),
		xstrdup("--unixsocketperm"),
		xstrdup("700"),
		xstrdup("--dir"),
		xstrdup(child->folder),
		xstrdup("--pidfile"),
		xstrdup(child->pid_file),
		xstrdup("--appendonly"),
		xstrdup("yes"),
		xstrdup("--appendfsync"),
		xstrdup("always"),
		xstrdup("--no-appendfsync-on-rewrite"),
		xstrdup("no"),
		xstrdup("--save"),
		xstrdup(""),
		xstrdup("--maxmemory-policy"),
		xstrdup("noeviction"),
		xstrdup("--loglevel"),
		xstrdup("warning"),
		xstrdup("--daemonize"),
		xstrdup("no"),
		NULL,
	};

	child->started_us = clock_mono_us();
	child->child = loop_child(child->loop, argv, child_exited, child, error_r);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return child->child ? 0 : -1;
}

static void later(struct redis_child *child)
{
	unsigned shift = child->deaths < 8 ? child->deaths : 8;
	uint64_t ms = (uint64_t)BACKOFF_FIRST_MS << shift;

	child->deaths++;
	loop_timer_start(child->again, ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS, 0);
}

static void start_again(void *arg)
{
	struct redis_child *child = arg;
	struct error error = {0};

	if (child->stopping || former_adopt(child))
		return;
	if (start(child, &error) < 0) {
		log_error(&child->subject, "%s", error.text);
		later(child);
	}
}

static void ended(struct redis_child *child, const char *how)
{
	if (child->stopping) {
		void (*stopped)(void *arg) = child->stopped;
		void *arg = child->arg;
		child_free(child);
		if (stopped)
			stopped(arg);
		return;
	}
	log_error(&child->subject, "redis-server %s; it is started again", how);
	if (clock_mono_us() - child->started_us > GOOD_LIFE_US)
		child->deaths = 0;
	later(child);
	if (child->deaths >= DEATHS_FAILING && child->failing)
		child->failing(child->failing_arg, how);
}

/* ---- the outside ---- */

struct redis_child *redis_child_start(struct loop *loop, const char *data_folder,
				      struct error *error_r)
{
	struct redis_child *child = xalloc(sizeof *child);

	child->loop = loop;
	child->former_fd = -1;
	child->subject = (struct log_subject){.kind = "store", .name = "redis-server"};
	child->again = loop_timer(loop, start_again, child);
	if (folder_choose(child, data_folder, error_r) < 0 ||
	    (!former_adopt(child) && (program_find(error_r) < 0 || start(child, error_r) < 0))) {
		child_free(child);
		return NULL;
	}
	return child;
}

void redis_child_on_failing(struct redis_child *child, void (*failing)(void *arg, const char *how),
			    void *arg)
{
	child->failing = failing;
	child->failing_arg = arg;
}

const char *redis_child_url(const struct redis_child *child)
{
	return child->url;
}

static void child_signal(struct redis_child *child, int signum)
{
	if (child->child)
		loop_child_kill(child->child, signum);
	else if (child->former_fd >= 0)
		syscall(SYS_pidfd_send_signal, child->former_fd, signum, NULL, 0);
}

/* Nothing is lost by this: what was answered is in the append-only file. */
static void out_of_patience(void *arg)
{
	struct redis_child *child = arg;

	log_warning(&child->subject, "redis-server does not end by itself and is killed");
	child_signal(child, SIGKILL);
}

static void nothing_to_stop(void *arg)
{
	ended(arg, "");
}

void redis_child_stop(struct redis_child **child_r, void (*stopped)(void *arg), void *arg)
{
	struct redis_child *child = *child_r;
	bool runs = child->child || child->former_fd >= 0;

	*child_r = NULL;
	child->stopping = true;
	child->stopped = stopped;
	child->arg = arg;
	loop_timer_stop(child->again);
	child->patience = loop_timer(child->loop, runs ? out_of_patience : nothing_to_stop, child);
	loop_timer_start(child->patience, runs ? STOP_PATIENCE_MS : 0, 0);
	child_signal(child, SIGTERM);
}
