/* tests/adapters/helper.h - a server program beside the test: started, heard, and stopped by pid. */
#ifndef TESTS_ADAPTERS_HELPER_H
#define TESTS_ADAPTERS_HELPER_H

#include <sys/types.h>

struct helper {
	pid_t pid;
	int in; /* closing it ends the program */
	int port;
	char file[256];
};

/* Runs `node tests/adapters/<script> <argument>`, which prints "<port> <file>". -1: it did not. */
int helper_start(struct helper *helper, const char *script, const char *argument);
void helper_stop(struct helper *helper);

#endif
