/* bot/run/metrics.h - what the daemon counts, as Prometheus text (exposition format 0.0.4). */
#ifndef BOT_RUN_METRICS_H
#define BOT_RUN_METRICS_H

#include "adapters/web.h"
#include "bot/run/channels.h"
#include "bot/run/runner.h"
#include "state/store.h"

struct buf;

struct metrics_sources {
	const struct runner *runner;
	const struct channels *channels;
	struct web_counts web;
	struct store_figures store;
	bool ready;
};

void metrics_write(struct buf *out, const struct metrics_sources *sources);

#endif
