/* Fuzzes the whole way of a config file: YAML, tables, references. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "config/texts.h"

struct own {
	const char *url, *token, *mode;
	bool fast;
	int64_t parts, wait, deep;
	struct texts words;
};

#define AT(field) offsetof(struct own, field)
static const struct setting rows[] = {
	{.name = "url", .type = SETTING_URL, .offset = AT(url)},
	{.name = "token", .type = SETTING_SECRET, .offset = AT(token)},
	{.name = "mode", .type = SETTING_CHOICE, .offset = AT(mode), .choices = "poll|hook"},
	{.name = "fast", .type = SETTING_BOOL, .offset = AT(fast)},
	{.name = "parts", .type = SETTING_INT, .offset = AT(parts), .least = 1, .most = 9},
	{.name = "wait", .type = SETTING_DURATION, .offset = AT(wait)},
	{.name = "inner.deep", .type = SETTING_INT, .offset = AT(deep)},
	{.name = "words", .type = SETTING_TEXTS, .offset = AT(words)},
	{0},
};
static const struct adapter_settings adapter_rows[] = {
	{.adapter = "plain"},
	{.adapter = "rich", .own_size = sizeof(struct own), .settings = rows},
	{0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct locales *shipped(void)
{
	const char *source = getenv("LINLI_SOURCE");
	char folder[512];
	struct error error;
	snprintf(folder, sizeof folder, "%s/config/locales", source ? source : ".");
	struct locales *locales = locales_load(folder, &error);
	if (!locales) {
		fprintf(stderr, "%s\n", error.text);
		exit(2);
	}
	return locales;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct locales *locales;
	static int fd = -1;
	static char file[64];
	if (!locales) {
		locales = shipped();
		fd = memfd_create("linli.yaml", MFD_CLOEXEC);
		snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	}
	/* A file that names secrets in files may read any file; that is what it is for. */
	if (memmem(data, size, "file:", 5))
		return -1;
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	struct mistake *mistakes;
	size_t count;
	struct config *config = config_read(file, adapter_rows, locales, &mistakes, &count);
	if ((config == NULL) != (count > 0))
		abort(); /* refused without a reason, or taken with one */
	for (size_t i = 0; i < count; i++)
		if (!mistakes[i].sentence[0] || mistakes[i].line < 0)
			abort();
	mistakes_free(&mistakes, count);
	config_free(&config);
	return 0;
}
