/* bot/run/metrics.c - tables of figures become lines; labels are channels and outcomes only. */
#include "bot/run/metrics.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/log.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buf *out, const char *name, const char *type, const char *help,
		   uint64_t value)
{
	head(out, name, type, help);
	buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void histogram(struct buf *out, const char *name, const char *help,
		      const struct histogram *histogram)
{
	uint64_t seen = 0;

	head(out, name, "histogram", help);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
			   (double)histogram_bounds_us[i] / 1e6, seen);
	}
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n", name,
		   histogram->count, name, (double)histogram->sum_us / 1e6, name, histogram->count);
}

struct row {
	const char *name, *label, *value, *type, *help;
	size_t offset;
	bool is_size;
};

#define FIGURE(member) offsetof(struct runner_channel_figures, member)

/* Rows of one metric stand together. */
static const struct row rows[] = {
	{"linli_messages_in_total", "result", "new", "counter", "Messages taken in, by channel.", FIGURE(in), false},
	{"linli_messages_in_total", "result", "repeated", "counter", NULL, FIGURE(in_repeated), false},
	{"linli_messages_in_total", "result", "later", "counter", NULL, FIGURE(in_later), false},
	{"linli_messages_out_total", "outcome", "sent", "counter", "Messages handed over, by channel and outcome.", FIGURE(sent), false},
	{"linli_messages_out_total", "outcome", "refused", "counter", NULL, FIGURE(refused), false},
	{"linli_messages_out_total", "outcome", "retried", "counter", NULL, FIGURE(retried), false},
	{"linli_messages_out_total", "outcome", "uncertain", "counter", NULL, FIGURE(uncertain), false},
	{"linli_messages_out_total", "outcome", "expired", "counter", NULL, FIGURE(expired), false},
	{"linli_messages_maybe_twice_total", NULL, NULL, "counter", "Messages handed over again after a crash that may have gone out before.", FIGURE(maybe_twice), false},
	{"linli_outbox_waiting", NULL, NULL, "gauge", "Messages waiting to be handed over.", FIGURE(waiting), true},
	{"linli_outbox_in_flight", NULL, NULL, "gauge", "Messages with the platform, outcome not known yet.", FIGURE(in_flight), true},
};

static uint64_t figure(const struct runner_channel_figures *figures, const struct row *row)
{
	const char *at = (const char *)figures + row->offset;

	return row->is_size ? *(const size_t *)(const void *)at : *(const uint64_t *)(const void *)at;
}

static void channel_rows(struct buf *out, const struct metrics_sources *sources)
{
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		const struct row *row = &rows[r];

		if (row->help)
			head(out, row->name, row->type, row->help);
		for (size_t i = 0; i < channels_count(sources->channels); i++) {
			struct runner_channel_figures figures;

			runner_channel_figures(sources->runner, i, &figures);
			buf_printf(out, "%s{channel=\"%s\"", row->name,
				   channels_status(sources->channels, i).name);
			if (row->label)
				buf_printf(out, ",%s=\"%s\"", row->label, row->value);
			buf_printf(out, "} %" PRIu64 "\n", figure(&figures, row));
		}
	}
	head(out, "linli_outbox_oldest_seconds", "gauge", "Age of the oldest waiting message.");
	for (size_t i = 0; i < channels_count(sources->channels); i++) {
		struct runner_channel_figures figures;

		runner_channel_figures(sources->runner, i, &figures);
		buf_printf(out, "linli_outbox_oldest_seconds{channel=\"%s\"} %.3f\n",
			   channels_status(sources->channels, i).name,
			   (double)figures.oldest_waiting_ms / 1e3);
	}
	head(out, "linli_channel_up", "gauge", "1 while the channel works.");
	for (size_t i = 0; i < channels_count(sources->channels); i++) {
		struct channel_status status = channels_status(sources->channels, i);

		buf_printf(out, "linli_channel_up{channel=\"%s\"} %d\n", status.name,
			   status.health == CHANNEL_UP);
	}
}

void metrics_write(struct buf *out, const struct metrics_sources *sources)
{
	struct runner_figures figures;

	runner_figures(sources->runner, &figures);
	channel_rows(out, sources);
	single(out, "linli_ready", "gauge", "1 while everything needed is there.", sources->ready);
	single(out, "linli_events_total", "counter", "Events that took effect.", figures.events);
	single(out, "linli_events_repeated_total", "counter", "Events found to have had their effect before.", figures.gone);
	single(out, "linli_conflicts_total", "counter", "Commits that met a newer document and were stepped again.", figures.conflicts);
	single(out, "linli_inbox_waiting", "gauge", "Events taken from the inbox whose effect is not committed yet.", figures.jobs);
	histogram(out, "linli_step_seconds", "Time the core takes for one event.", &figures.step);
	histogram(out, "linli_commit_seconds", "Time from an event's effects to their being durable.", &figures.commit);
	histogram(out, "linli_send_seconds", "Time from hand-over to outcome.", &figures.send);
	single(out, "linli_store_commands_total", "counter", "Commands sent to the store.", sources->store.commands);
	single(out, "linli_store_reconnects_total", "counter", "Connections to the store made anew.", sources->store.reconnects);
	single(out, "linli_web_requests_total", "counter", "HTTP requests served.", sources->web.requests);
	head(out, "linli_web_refused_total", "counter", "HTTP requests refused, by class.");
	buf_printf(out, "linli_web_refused_total{class=\"4xx\"} %" PRIu64 "\n", sources->web.refused_4xx);
	buf_printf(out, "linli_web_refused_total{class=\"5xx\"} %" PRIu64 "\n", sources->web.refused_5xx);
	buf_printf(out, "linli_web_refused_total{class=\"malformed\"} %" PRIu64 "\n", sources->web.malformed);
	single(out, "linli_log_errors_total", "counter", "Lines logged at level error.", log_count(LOG_ERROR));
}
