/* tests/store/redis_server.h - a real redis-server in a temporary folder, on a unix socket only. */
#ifndef TESTS_STORE_REDIS_SERVER_H
#define TESTS_STORE_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
	char folder[32], socket[64], url[80];
	pid_t pid;
	int port;
};

/* Fails the test where redis-server is not installed. `password` may be NULL. */
void redis_server_new(struct redis_server *server, const char *password);
/* Starts it (again) and waits until it answers. */
void redis_server_start(struct redis_server *server, const char *password);
/* With a TCP port of 127.0.0.1 beside the socket; 0: none. */
void redis_server_port(struct redis_server *server, int port);
/* kill -9, waited for. */
void redis_server_kill(struct redis_server *server);
/* Ends it and removes its folder. */
void redis_server_free(struct redis_server *server);

struct redisContext *redis_server_connect(const struct redis_server *server);

#endif
