/* bot/run/histogram.h - durations counted into fixed buckets (struct in runner.h). */
#ifndef BOT_RUN_HISTOGRAM_H
#define BOT_RUN_HISTOGRAM_H

#include "bot/run/runner.h"

void histogram_add(struct histogram *histogram, int64_t us);
void histogram_merge(struct histogram *into, const struct histogram *from);

#endif
