/* bot/run/rehearse.h - `linli rehearse FILE…`: written conversations played on the real core.
 *
 * Runs on the store in memory with a clock that jumps; touches no network and
 * no Redis. How talks are written: tests/talks/README.md.
 */
#ifndef BOT_RUN_REHEARSE_H
#define BOT_RUN_REHEARSE_H

/* argv[0] is the subcommand's own name. Returns the exit status: 0 every talk went as written,
 * 1 one did not, 2 a file or the command line has mistakes. */
int rehearse_main(int argc, char **argv);

#endif
