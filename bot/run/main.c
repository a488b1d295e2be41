/* bot/run/main.c - the subcommands of `linli`, a row each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "bot/run/channels.h"
#include "bot/run/daemon.h"
#include "bot/run/intake_command.h"
#include "bot/run/rehearse.h"
#include "config/config.h"
#include "config/settings_doc.h"
#include "config/texts.h"
#include "state/seal.h"

enum { EXIT_MISTAKES = 1, EXIT_USAGE = 2 };

struct command {
	const char *name, *arguments, *help;
	int (*run)(int argc, char **argv);
};

static int usage(FILE *to);

static const char standard_config[] = "/etc/linli/linli.yaml";

static struct locales *load_locales(void)
{
	const char *folder = getenv("LINLI_LOCALES");
	struct error error;
	struct locales *locales;

	if (!folder)
		folder = access(LINLI_LOCALES_BUILD, R_OK) ? LINLI_LOCALES_INSTALLED
							   : LINLI_LOCALES_BUILD;
	locales = locales_load(folder, &error);
	if (!locales)
		fprintf(stderr, "linli: %s\n", error.text);
	return locales;
}

static struct config *read_config(const char *file, const struct locales *locales)
{
	struct mistake *mistakes;
	size_t count;
	struct config *config = config_read(file, channels_settings(), locales, &mistakes, &count);

	if (config)
		return config;
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "%s:%d:%d: %s\n", file, mistakes[i].line, mistakes[i].column,
			mistakes[i].sentence);
	fprintf(stderr, "%zu mistake%s; nothing was started.\n", count, count == 1 ? "" : "s");
	mistakes_free(&mistakes, count);
	return NULL;
}

/* Returns the file named by the one optional argument, NULL if there are more. */
static const char *config_argument(int argc, char **argv)
{
	if (argc > 2)
		return NULL;
	return argc == 2 ? argv[1] : standard_config;
}

static void set_log_level(const char *word)
{
	static const char *const words[] = {"debug", "info", "warning", "error"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (word && !strcmp(word, words[i]))
			log_set_level((enum log_level)i);
}

static int with_config(const char *file,
		       int (*use)(const struct config *config, const struct locales *locales))
{
	struct locales *locales;
	struct config *config;
	int status = EXIT_MISTAKES;

	if (!file)
		return usage(stderr);
	locales = load_locales();
	if (!locales)
		return EXIT_MISTAKES;
	config = read_config(file, locales);
	if (config)
		status = use(config, locales);
	config_free(&config);
	locales_free(&locales);
	return status;
}

static int use_run(const struct config *config, const struct locales *locales)
{
	set_log_level(config->log);
	return daemon_run(config, locales);
}

static int use_check(const struct config *config, const struct locales *locales)
{
	(void)locales;
	printf("%s: no mistakes; %zu channel%s, %zu communit%s.\n", config->file,
	       config->channel_count, config->channel_count == 1 ? "" : "s",
	       config->community_count, config->community_count == 1 ? "y" : "ies");
	return 0;
}

static int run_run(int argc, char **argv)
{
	return with_config(config_argument(argc, argv), use_run);
}

static int run_check(int argc, char **argv)
{
	return with_config(config_argument(argc, argv), use_check);
}

static int run_intake(int argc, char **argv)
{
	return with_config(intake_config(argc, argv), intake_run);
}

static int run_keygen(int argc, char **argv)
{
	struct error error;

	if (argc != 2)
		return usage(stderr);
	if (seal_keygen(argv[1], &error)) {
		fprintf(stderr, "linli: %s\n", error.text);
		return EXIT_MISTAKES;
	}
	printf("%s: a new key, readable by you alone. Keep a copy: without it nothing stored can be read.\n",
	       argv[1]);
	return 0;
}

/* docs/settings.md is this command's output. */
static int run_settings(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	config_settings_markdown(stdout, channels_settings());
	return 0;
}

static int run_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("linli %s\n", LINLI_VERSION);
	return 0;
}

static int run_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return usage(stdout);
}

static const struct command commands[] = {
	{"run", "[CONFIG]", "run the daemon until SIGTERM", run_run},
	{"check", "[CONFIG]", "find every mistake in a configuration", run_check},
	{"rehearse", "FILE...", "play written conversations against the real core", rehearse_main},
	{"intake", "--config FILE", "read texts, a JSON string a line, and tell what they ask",
	 run_intake},
	{"keygen", "FILE", "make the key that seals what is stored", run_keygen},
	{"settings", "", "describe every setting, as Markdown", run_settings},
	{"version", "", "tell the version", run_version},
	{"help", "", "this list", run_help},
};

static int usage(FILE *to)
{
	fprintf(to, "usage: linli COMMAND\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-8s %-9s  %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fprintf(to, "\nCONFIG is %s unless given.\n", standard_config);
	return to == stderr ? EXIT_USAGE : 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "linli: there is no command «%s»\n", argv[1]);
	return usage(stderr);
}
