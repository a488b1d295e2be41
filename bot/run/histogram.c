/* bot/run/histogram.c - a duration falls into the first bucket whose bound it does not pass. */
#include "bot/run/histogram.h"

const int64_t histogram_bounds_us[HISTOGRAM_BUCKETS] = {
	10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000, 10000000};

void histogram_add(struct histogram *histogram, int64_t us)
{
	size_t bucket = 0;

	if (us < 0)
		us = 0;
	while (bucket < HISTOGRAM_BUCKETS && us > histogram_bounds_us[bucket])
		bucket++;
	histogram->buckets[bucket]++;
	histogram->count++;
	histogram->sum_us += (uint64_t)us;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->count += from->count;
	into->sum_us += from->sum_us;
}
