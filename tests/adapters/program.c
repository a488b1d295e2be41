/* tests/adapters/program.c - a server program beside the test: started, heard, and stopped by pid.
 */
#include "tests/adapters/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int program_start(struct program *program, const char *script, const char *argument)
{
	const char *source = getenv("LINLI_SOURCE");
	char path[512];
	int in[2], out[2];

	snprintf(path, sizeof path, "%s/tests/adapters/%s", source ? source : ".", script);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -1;
	program->pid = fork();
	if (!program->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		unsetenv("http_proxy");
		execlp("node", "node", path, argument, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	program->in = in[1];
	FILE *file = fdopen(out[0], "r");
	int read = file ? fscanf(file, "%d %255s", &program->port, program->file) : 0;

	if (file)
		fclose(file);
	if (read == 2)
		return 0;
	program_stop(program);
	return -1;
}

void program_stop(struct program *program)
{
	close(program->in);
	waitpid(program->pid, NULL, 0);
}
