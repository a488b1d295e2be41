/* Starts, kills and clears away a redis-server for a test. */
#include "tests/store/redis_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"

static bool answers(const struct redis_server *server)
{
	redisContext *context = redisConnectUnix(server->socket);
	redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
	/* With a password it refuses, which is an answer; while it loads it is not. */
	bool yes = reply && strncmp(reply->str, "LOADING", 7) != 0;

	if (reply)
		freeReplyObject(reply);
	if (context)
		redisFree(context);
	return yes;
}

static void settings_write(const struct redis_server *server, const char *path,
			   const char *password)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file,
		"port %d\nbind 127.0.0.1\nunixsocket %s\nunixsocketperm 700\ndir %s\nappendonly "
		"yes\n"
		"appendfsync always\nsave \"\"\nloglevel warning\nlogfile log\n",
		server->port, server->socket, server->folder);
	if (password)
		fprintf(file, "requirepass %s\n", password);
	assert_int_equal(fclose(file), 0);
}

void redis_server_start(struct redis_server *server, const char *password)
{
	char program[] = "redis-server", settings[64];
	char *const argv[] = {program, settings, NULL};
	int64_t end = clock_mono_us() + 20 * 1000000;

	snprintf(settings, sizeof settings, "%s/redis.conf", server->folder);
	settings_write(server, settings, password);
	pid_t parent = getpid();
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		/* A test program that breaks off leaves nothing running. */
		int null = open("/dev/null", O_RDWR);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
		    getppid() != parent)
			_exit(127);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (!answers(server)) {
		int status;
		if (waitpid(server->pid, &status, WNOHANG) == server->pid)
			fail_msg("redis-server ended at once; see %s/log", server->folder);
		if (clock_mono_us() > end)
			fail_msg("redis-server does not answer");
		poll(NULL, 0, 5);
	}
}

void redis_server_new(struct redis_server *server, const char *password)
{
	memset(server, 0, sizeof *server);
	strcpy(server->folder, "/tmp/linli-redis-XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	snprintf(server->socket, sizeof server->socket, "%s/redis.sock", server->folder);
	snprintf(server->url, sizeof server->url, "unix:%s", server->socket);
	redis_server_start(server, password);
}

void redis_server_port(struct redis_server *server, int port)
{
	server->port = port;
}

void redis_server_kill(struct redis_server *server)
{
	int status;

	kill(server->pid, SIGKILL);
	waitpid(server->pid, &status, 0);
	server->pid = 0;
}

static void folder_remove(const char *folder)
{
	DIR *dir = opendir(folder);
	char path[512];

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_type == DT_DIR)
			folder_remove(path);
		else
			unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

void redis_server_free(struct redis_server *server)
{
	if (server->pid > 0)
		redis_server_kill(server);
	folder_remove(server->folder);
}

struct redisContext *redis_server_connect(const struct redis_server *server)
{
	redisContext *context = redisConnectUnix(server->socket);

	assert_non_null(context);
	assert_int_equal(context->err, 0);
	return context;
}
