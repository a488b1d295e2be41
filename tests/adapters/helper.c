/* tests/adapters/helper.c - a server program beside the test: started, heard, and stopped by pid.
 */
#include "tests/adapters/helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int helper_start(struct helper *helper, const char *script, const char *argument)
{
	const char *source = getenv("LINLI_SOURCE");
	char path[512];
	int in[2], out[2];

	snprintf(path, sizeof path, "%s/tests/adapters/%s", source ? source : ".", script);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -1;
	helper->pid = fork();
	if (!helper->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		unsetenv("http_proxy");
		execlp("node", "node", path, argument, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	helper->in = in[1];
	FILE *file = fdopen(out[0], "r");
	int read = file ? fscanf(file, "%d %255s", &helper->port, helper->file) : 0;

	if (file)
		fclose(file);
	if (read == 2)
		return 0;
	helper_stop(helper);
	return -1;
}

void helper_stop(struct helper *helper)
{
	close(helper->in);
	waitpid(helper->pid, NULL, 0);
}
