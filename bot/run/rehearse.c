/* bot/run/rehearse.c - the command line of a rehearsal: reads talks, plays each many times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/adapter.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "bot/run/rehearse.h"
#include "bot/run/rehearse/play.h"
#include "config/config.h"
#include "config/texts.h"

enum { OK = 0, FAILED = 1, MISTAKEN = 2, RUNS_STANDARD = 20, RUNS_MAX = 1000000 };

static const char usage[] =
	"usage: linli rehearse [--config FILE] [--locales FOLDER] [--runs N] [--seed N] [--quiet] "
	"[--draft] FILE...\n"
	"\n"
	"Plays written conversations on the real core, in memory, with a clock that jumps,\n"
	"and prints them as people would see them.\n"
	"\n"
	"  --config FILE     the neighbourhood (default: the talk's \"config:\" line, or\n"
	"                    community.yaml beside the talk)\n"
	"  --locales FOLDER  the sentences that are spoken\n"
	"  --runs N          how often each talk is played: once in order, then with what\n"
	"                    happens at once in ever other orders (default 20)\n"
	"  --seed N          play it once, in this one order (0: plainly)\n"
	"  --quiet           print only what went wrong\n"
	"  --draft           play it once and write it down again with all that is answered\n";

struct options {
	const char *config, *locales;
	long runs;
	long long seed; /* -1: several */
	bool quiet, draft;
	char **files;
	int file_count;
};

static bool read_number(const char *text, long long most, long long *number_r)
{
	char *end;
	*number_r = text ? strtoll(text, &end, 10) : -1;
	return text && *text && !*end && *number_r >= 0 && *number_r <= most;
}

static bool read_options(int argc, char **argv, struct options *options)
{
	int i = 1;
	long long number;
	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (!strcmp(argv[i], "--quiet")) {
			options->quiet = true;
			continue;
		}
		if (!strcmp(argv[i], "--draft")) {
			options->draft = true;
			continue;
		}
		if (!value)
			return false;
		if (!strcmp(argv[i], "--config"))
			options->config = value;
		else if (!strcmp(argv[i], "--locales"))
			options->locales = value;
		else if (!strcmp(argv[i], "--runs") && read_number(value, RUNS_MAX, &number))
			options->runs = number > 0 ? (long)number : 1;
		else if (!strcmp(argv[i], "--seed") && read_number(value, INT64_MAX, &number))
			options->seed = number;
		else
			return false;
		i++;
	}
	options->files = argv + i;
	options->file_count = argc - i;
	return options->file_count > 0;
}

/* A path as it is meant beside another file. */
static char *beside(struct arena *arena, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	if (*path == '/' || !slash)
		return arena_str(arena, path);
	return arena_printf(arena, "%.*s%s", (int)(slash - file) + 1, file, path);
}

static struct config *read_config(const char *file, const struct locales *locales)
{
	size_t count = 0;
	while (adapters[count])
		count++;
	struct adapter_settings *rows = xalloc((count + 1) * sizeof(*rows));
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct adapter_settings){.adapter = adapters[i]->name,
						    .own_size = adapters[i]->own_size,
						    .settings = adapters[i]->settings};
	struct mistake *mistakes = NULL;
	size_t mistake_count = 0;
	struct config *config = config_read(file, rows, locales, &mistakes, &mistake_count);
	for (size_t i = 0; i < mistake_count; i++)
		fprintf(stderr, "%s:%d:%d: %s\n", file, mistakes[i].line, mistakes[i].column,
			mistakes[i].sentence);
	mistakes_free(&mistakes, mistake_count);
	free(rows);
	return config;
}

static bool print_mistakes(const struct talk *talk)
{
	for (size_t i = 0; i < talk->mistake_count; i++)
		fprintf(stderr, "%s:%d: %s\n", talk->file, talk->mistakes[i].line,
			talk->mistakes[i].sentence);
	return talk->mistake_count > 0;
}

static bool play_once(const struct performance *performance, struct buf *out)
{
	struct arena *arena = arena_new();
	bool well = play_talk(performance, arena, out);
	arena_free(&arena);
	return well;
}

/* Plays it in order and prints that; then in other orders, printing only one that fails. */
static int perform(const struct options *options, struct performance *performance)
{
	struct buf out;
	uint64_t first = options->seed >= 0 ? (uint64_t)options->seed : 0;
	uint64_t last = options->seed >= 0 ? first : (uint64_t)options->runs - 1;
	int64_t began = clock_mono_us();
	int result = OK;
	buf_init(&out, 0);
	for (uint64_t seed = first; seed <= last && result == OK; seed++) {
		performance->seed = seed;
		buf_clear(&out);
		if (!play_once(performance, &out)) {
			result = FAILED;
			printf("== %s\n%s", performance->talk->title, out.data);
			printf("FAILED  %s  (play this again with --seed %llu)\n",
			       performance->talk->file, (unsigned long long)seed);
		} else if (seed == first && !options->quiet) {
			printf("== %s\n%s", performance->talk->title, out.data ? out.data : "");
		}
	}
	if (result == OK && !options->quiet)
		printf("ok  %s  (%llu times in %.1f ms)\n\n", performance->talk->file,
		       (unsigned long long)(last - first + 1),
		       (double)(clock_mono_us() - began) / 1000);
	buf_free(&out);
	return result;
}

static int draft(struct performance *performance)
{
	struct buf out;
	buf_init(&out, 0);
	performance->draft = true;
	bool well = play_once(performance, &out);
	printf("%s", out.data ? out.data : "");
	buf_free(&out);
	return well ? OK : FAILED;
}

static int rehearse_with(const struct options *options, struct talk *talk, struct arena *arena,
			 const struct locales *locales, const struct config *config)
{
	struct performance performance = {
		.talk = talk,
		.config = config,
		.locales = locales,
		.community = talk->community ? config_community(config, talk->community) :
					       &config->communities[0],
	};
	if (!performance.community) {
		fprintf(stderr, "%s: there is no community called %s\n", talk->file,
			talk->community);
		return MISTAKEN;
	}
	talk_check(talk, config, performance.community, arena);
	if (print_mistakes(talk))
		return MISTAKEN;
	return options->draft ? draft(&performance) : perform(options, &performance);
}

static int rehearse_file(const struct options *options, const struct locales *locales,
			 const char *file)
{
	struct arena *arena = arena_new();
	struct talk talk;
	struct error error;
	int result = MISTAKEN;
	if (talk_read(&talk, file, arena, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
	} else {
		const char *name = options->config ? options->config :
				   beside(arena, file,
					  talk.config ? talk.config : "community.yaml");
		struct config *config = read_config(name, locales);
		if (config)
			result = rehearse_with(options, &talk, arena, locales, config);
		else
			print_mistakes(&talk);
		config_free(&config);
	}
	arena_free(&arena);
	return result;
}

static const char *locales_folder(const struct options *options)
{
	if (options->locales)
		return options->locales;
	if (getenv("LINLI_LOCALES"))
		return getenv("LINLI_LOCALES");
	return access(LINLI_LOCALES_BUILD, R_OK) ? LINLI_LOCALES_INSTALLED : LINLI_LOCALES_BUILD;
}

int rehearse_main(int argc, char **argv)
{
	struct options options = {.runs = RUNS_STANDARD, .seed = -1};
	struct error error;
	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return MISTAKEN;
	}
	struct locales *locales = locales_load(locales_folder(&options), &error);
	if (!locales) {
		fprintf(stderr, "%s\n", error.text);
		return MISTAKEN;
	}
	int result = OK;
	for (int i = 0; i < options.file_count; i++) {
		int one = rehearse_file(&options, locales, options.files[i]);
		result = one > result ? one : result;
	}
	locales_free(&locales);
	return result;
}
