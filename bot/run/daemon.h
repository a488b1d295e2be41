/* bot/run/daemon.h - `linli run`: everything put together, until told to stop. */
#ifndef BOT_RUN_DAEMON_H
#define BOT_RUN_DAEMON_H

#include "config/config.h"
#include "config/texts.h"

/* Runs until SIGTERM or SIGINT, then drains; returns the process's exit status. */
int daemon_run(const struct config *config, const struct locales *locales);

#endif
