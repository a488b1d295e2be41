/* tests/bench/floor_http.c - a bare libmicrohttpd that answers 200: what no HTTP service goes under. */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static enum MHD_Result serve(void *arg, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *len, void **state)
{
	struct MHD_Response *response = arg;

	(void)url, (void)method, (void)version, (void)data;
	if (!*state) {
		*state = response;
		return MHD_YES;
	}
	*len = 0;
	return MHD_queue_response(connection, 200, response);
}

int main(int argc, char **argv)
{
	uint16_t port = argc > 1 ? (uint16_t)strtol(argv[1], NULL, 10) : 0;
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
	sigset_t signals;
	int signum;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, port, NULL, NULL, serve, response,
			      MHD_OPTION_END))
		return 1;
	sigwait(&signals, &signum);
	return 0;
}
