/* bot/run/intake_command.h - `linli intake --config FILE`: what texts say, a line each.
 *
 * Standard input: on each line a JSON string, or an object with `text` (or
 * `en`). Standard output: for each an object with request, score, kind, area,
 * urgent, time, language; for a line that is neither, one with error.
 */
#ifndef BOT_RUN_INTAKE_COMMAND_H
#define BOT_RUN_INTAKE_COMMAND_H

struct config;
struct locales;

/* The config file named by the arguments; NULL if they are no good. */
const char *intake_config(int argc, char **argv);
/* Reads until the end. Returns the exit status: 1 if a line was malformed or could not be read. */
int intake_run(const struct config *config, const struct locales *locales);

#endif
