/* tests/adapters/program.h - a server program beside the test: started, heard, and stopped by pid. */
#ifndef TESTS_ADAPTERS_PROGRAM_H
#define TESTS_ADAPTERS_PROGRAM_H

#include <sys/types.h>

struct program {
	pid_t pid;
	int in; /* closing it ends the program */
	int port;
	char file[256];
};

/* Runs `node tests/adapters/<script> <argument>`, which prints "<port> <file>". -1: it did not. */
int program_start(struct program *program, const char *script, const char *argument);
void program_stop(struct program *program);

#endif
