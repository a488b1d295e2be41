/* bot/run/runner.c - shards are owned, messages accepted, the store's news passed on. */
#include "bot/run/runner.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "bot/run/envelope.h"
#include "bot/run/histogram.h"
#include "bot/run/inside.h"

enum {
	TEXT_BYTES_MAX = 16 * 1024,
	ASK_AGAIN_MS = 1000,
	REFUSED_AGAIN_MS = 1000,
	CACHE_STANDARD = 2 * 1024 * 1024,
	SEEN_STANDARD_MS = 48 * 60 * 60 * 1000,
};

struct shard *runner_shard(struct runner *runner, int number)
{
	for (size_t i = 0; i < runner->shard_count; i++)
		if (runner->shards[i].number == number)
			return &runner->shards[i];
	return NULL;
}

struct shard_channel *runner_channel(struct runner *runner, const char *name)
{
	for (size_t i = 0; i < runner->channel_count; i++)
		if (!strcmp(runner->channels[i].settings.name, name))
			return &runner->channels[i];
	return NULL;
}

const struct community *runner_community(const struct runner *runner, const char *id)
{
	return config_community(runner->config, id);
}

int64_t runner_now(const struct runner *runner)
{
	return runner->host->now(runner->host->arg);
}

int64_t runner_mono_us(const struct runner *runner)
{
	return runner->host->mono_us ? runner->host->mono_us(runner->host->arg) : 0;
}

void runner_wake_by(struct runner *runner, int64_t at)
{
	if (!at || (runner->wake && runner->wake <= at))
		return;
	runner->wake = at;
	runner->host->wake_at(runner->host->arg, at);
}

void runner_refused(struct runner *runner)
{
	if (runner->refused_again)
		return;
	runner->refused_again = runner_now(runner) + REFUSED_AGAIN_MS;
	runner_wake_by(runner, runner->refused_again);
}

void runner_stir(void *arg, struct courier *courier)
{
	struct runner *runner = arg;

	if (!runner->released)
		runner_wake_by(runner, courier_wake(courier));
}

static struct shard *add_shard(struct runner *runner, int number)
{
	struct shard *shard = runner_shard(runner, number);

	if (!shard) {
		shard = &runner->shards[runner->shard_count++];
		shard->number = number;
	}
	return shard;
}

static void add_channel(struct runner *runner, const struct runner_channel *settings)
{
	struct shard_channel *channel = &runner->channels[runner->channel_count];
	const struct channel_config *written = config_channel(runner->config, settings->name);
	const struct community *community =
		written ? config_community(runner->config, written->community) : NULL;

	if (!community)
		return;
	runner->channel_count++;
	*channel = (struct shard_channel){.settings = *settings, .community = community,
					  .shard = add_shard(runner, community->shard)};
	channel->courier = courier_new(&(struct courier_options){
		.channel = &channel->settings,
		.host = runner->host,
		.community = community->id,
		.shard = community->shard,
		.stir = runner_stir,
		.stir_arg = runner,
	});
}

struct runner *runner_new(const struct config *config, const struct bot *bot,
			  const struct runner_channel *channels, size_t channel_count,
			  const struct runner_host *host)
{
	struct runner *runner = xalloc(sizeof(*runner));
	int64_t bytes = config->cache_bytes ? config->cache_bytes : CACHE_STANDARD;

	runner->config = config;
	runner->bot = bot;
	runner->host = host;
	runner->cache = cache_new((size_t)bytes);
	runner->shards = xalloc((config->community_count + 1) * sizeof(*runner->shards));
	runner->channels = xalloc((channel_count + 1) * sizeof(*runner->channels));
	for (size_t i = 0; i < channel_count; i++)
		add_channel(runner, &channels[i]);
	return runner;
}

void runner_free(struct runner **runner)
{
	struct runner *gone = *runner;

	if (!gone)
		return;
	jobs_free(gone);
	for (size_t i = 0; i < gone->channel_count; i++)
		courier_free(&gone->channels[i].courier);
	cache_free(&gone->cache);
	arena_free(&gone->spare);
	free(gone->channels);
	free(gone->shards);
	free(gone);
	*runner = NULL;
}

/* A call about one shard, of one term of owning it. */
struct shard_call {
	struct runner *runner;
	struct shard *shard;
	unsigned term;
};

static struct shard_call *call_new(struct runner *runner, struct shard *shard)
{
	struct shard_call *call = xalloc(sizeof(*call));

	*call = (struct shard_call){runner, shard, shard->term};
	runner->calls++;
	return call;
}

static void ask_due(struct runner *runner, struct shard *shard);

static void due_moved(void *arg, enum store_result result, size_t moved, int64_t next_at)
{
	struct shard_call *call = arg;
	struct shard *shard = call->shard;
	struct runner *runner = call->runner;

	(void)moved;
	runner->calls--;
	shard->due_asked = false;
	if (call->term == shard->term && result == STORE_OK) {
		/* A commit may have set an earlier one meanwhile. */
		if (!shard->next_due || (next_at && next_at < shard->next_due))
			shard->next_due = next_at;
	} else if (call->term == shard->term) {
		shard->next_due = runner_now(runner) + ASK_AGAIN_MS;
	}
	if (call->term != shard->term && shard->owned)
		ask_due(runner, shard); /* it could not be asked in this term while this was under way */
	else
		runner_wake_by(runner, shard->next_due);
	free(call);
}

static void ask_due(struct runner *runner, struct shard *shard)
{
	if (shard->due_asked || !runner->up)
		return;
	shard->due_asked = true;
	shard->next_due = 0;
	runner->store->methods->due(runner->store, shard->number, runner_now(runner), due_moved,
				    call_new(runner, shard));
}

static void each_courier(struct runner *runner, const struct shard *shard,
			 void (*visit)(struct courier *courier))
{
	for (size_t i = 0; i < runner->channel_count; i++)
		if (!shard || runner->channels[i].shard == shard)
			visit(runner->channels[i].courier);
}

static void open_couriers(struct runner *runner, const struct shard *shard, bool takeover)
{
	for (size_t i = 0; i < runner->channel_count; i++)
		if (runner->channels[i].shard == shard)
			courier_open(runner->channels[i].courier, runner->store, takeover);
}

static void owned(void *arg, enum store_result result)
{
	struct shard_call *call = arg;
	struct runner *runner = call->runner;
	struct shard *shard = call->shard;

	free(call);
	runner->calls--;
	shard->asking = false;
	if (result != STORE_OK) {
		shard->ask_again = runner_now(runner) + ASK_AGAIN_MS;
		runner_wake_by(runner, shard->ask_again);
		return;
	}
	shard->owned = true;
	shard->ask_again = 0;
	open_couriers(runner, shard, true);
	ask_due(runner, shard);
}

static void ask_to_own(struct runner *runner, struct shard *shard)
{
	if (shard->owned || shard->asking || !runner->up || runner->draining)
		return;
	shard->asking = true;
	runner->store->methods->own(runner->store, shard->number, owned, call_new(runner, shard));
}

void runner_reread(struct runner *runner, const struct shard *shard)
{
	for (size_t i = 0; i < runner->channel_count; i++) {
		struct courier *courier = runner->channels[i].courier;

		if (runner->channels[i].shard != shard)
			continue;
		courier_reread(courier);
		runner_stir(runner, courier);
	}
}

static void on_event(void *arg, const struct store_event *event)
{
	job_start(arg, event);
}

static void on_up(void *arg)
{
	struct runner *runner = arg;

	runner->up = true;
	if (runner->host->held)
		runner->host->held(runner->host->arg, false);
	for (size_t i = 0; i < runner->shard_count; i++) {
		struct shard *shard = &runner->shards[i];

		if (!shard->owned) {
			ask_to_own(runner, shard);
			continue;
		}
		ask_due(runner, shard);
	}
	jobs_resume(runner);
	/* After the jobs: what they commit again and turns out to be done is in the outbox. */
	for (size_t i = 0; i < runner->shard_count; i++) {
		if (!runner->shards[i].owned)
			continue;
		each_courier(runner, &runner->shards[i], courier_resume);
		open_couriers(runner, &runner->shards[i], false);
	}
}

static void on_down(void *arg, const char *why)
{
	struct runner *runner = arg;

	if (runner->up && !runner->released) /* at a clean stop our own Redis goes before us */
		log_warning(NULL, "the store is away: %s", why ? why : "no reason told");
	runner->up = false;
	if (runner->host->held)
		runner->host->held(runner->host->arg, true);
}

static void on_lost(void *arg, int number)
{
	struct runner *runner = arg;
	struct shard *shard = runner_shard(runner, number);

	if (!shard || !shard->owned)
		return;
	log_warning(NULL, "shard %d: another instance has it now", number);
	shard->owned = false;
	shard->term++;
	shard->next_due = 0;
	cache_drop_shard(runner->cache, number);
	each_courier(runner, shard, courier_close);
	jobs_drop(runner);
	shard->ask_again = runner_now(runner) + ASK_AGAIN_MS;
	runner_wake_by(runner, shard->ask_again);
}

struct store_listener runner_listener(struct runner *runner)
{
	return (struct store_listener){.arg = runner, .event = on_event, .up = on_up,
				       .down = on_down, .lost = on_lost};
}

void runner_start(struct runner *runner, struct store *store)
{
	runner->store = store;
}

struct acceptance {
	struct runner *runner;
	struct shard_channel *channel;
	size_t count;
	void (*done)(void *arg, bool accepted);
	void *arg;
};

static void accepted(void *arg, enum store_result result, size_t fresh)
{
	struct acceptance *acceptance = arg;
	struct shard_channel *channel = acceptance->channel;

	acceptance->runner->calls--;
	if (result == STORE_OK) {
		channel->in += fresh;
		channel->in_repeated += acceptance->count - fresh;
	} else {
		channel->in_later += acceptance->count;
	}
	acceptance->done(acceptance->arg, result == STORE_OK);
	free(acceptance);
}

static struct store_accept wrap(struct runner *runner, const struct shard_channel *channel,
				const struct message_in *message, struct arena *arena)
{
	struct message_in clean = *message;
	struct store_accept item = {.keep_ms = runner->config->seen_keep};
	char key[ADDRESS_KEY_SIZE] = "";

	if (clean.text && (strlen(clean.text) > TEXT_BYTES_MAX ||
			   !text_valid(clean.text, strlen(clean.text)))) {
		size_t len = strnlen(clean.text, TEXT_BYTES_MAX);

		while (len && ((unsigned char)clean.text[len] & 0xc0) == 0x80)
			len--; /* not in the middle of a character */
		clean.text = text_clean(arena, clean.text, len);
	}
	if (clean.sender)
		address_key(runner->host, &channel->settings, clean.sender, key);
	if (!item.keep_ms)
		item.keep_ms = SEEN_STANDARD_MS;
	if (clean.id)
		item.dedup = arena_printf(arena, "%s %d %s", channel->settings.name,
					  (int)clean.kind, clean.id);
	item.body = envelope_message(arena, channel->community->id, channel->settings.name, key,
				     &clean, &item.len);
	return item;
}

void runner_accept(struct runner *runner, const char *name, const struct message_in *messages,
		   size_t count, void (*done)(void *arg, bool accepted), void *arg)
{
	struct shard_channel *channel = runner_channel(runner, name);
	struct arena *arena = runner->spare ? runner->spare : arena_new();
	struct store_accept *items = arena_alloc(arena, (count + 1) * sizeof(*items));
	struct acceptance *acceptance = xalloc(sizeof(*acceptance));

	runner->spare = NULL;
	*acceptance = (struct acceptance){runner, channel, count, done, arg};
	for (size_t i = 0; i < count; i++)
		items[i] = wrap(runner, channel, &messages[i], arena);
	runner->calls++;
	runner->store->methods->accept(runner->store, channel->shard->number, items, count,
				       accepted, acceptance);
	if (runner->spare) {
		arena_free(&arena);
	} else {
		arena_clear(arena);
		runner->spare = arena;
	}
}

void runner_settled(struct runner *runner, const char *name, const char *send_id,
		    const struct outcome *outcome)
{
	struct shard_channel *channel = runner_channel(runner, name);

	courier_settled(channel->courier, send_id, outcome);
	runner_stir(runner, channel->courier);
}

void runner_wake(struct runner *runner)
{
	int64_t now = runner_now(runner);
	bool set_back = now < runner->woken; /* then nothing that was planned can be trusted */

	runner->wake = 0;
	runner->woken = now;
	if (runner->refused_again && (set_back || runner->refused_again <= now)) {
		runner->refused_again = 0;
		jobs_resume(runner);
	}
	runner_wake_by(runner, runner->refused_again);
	for (size_t i = 0; i < runner->shard_count; i++) {
		struct shard *shard = &runner->shards[i];
		int64_t at = shard->owned ? shard->next_due : shard->ask_again;

		/* What cannot be asked now (the store is away, an answer is on its way) is asked when
		 * that changes; to be woken for it at once would be to spin. */
		if (at && !set_back && at > now)
			runner_wake_by(runner, at);
		else if (at && !shard->owned)
			ask_to_own(runner, shard);
		else if (at && !runner->draining)
			ask_due(runner, shard);
	}
	for (size_t i = 0; i < runner->channel_count; i++)
		runner_stir(runner, runner->channels[i].courier);
}

void runner_drain(struct runner *runner)
{
	runner->draining = true;
	each_courier(runner, NULL, courier_drain);
}

bool runner_idle(const struct runner *runner)
{
	size_t busy = runner->calls;

	for (size_t i = 0; i < runner->channel_count; i++)
		busy += courier_busy(runner->channels[i].courier);
	return !busy;
}

struct release {
	struct runner *runner;
	size_t left;
	void (*done)(void *arg);
	void *arg;
};

static void released(void *arg, enum store_result result)
{
	struct release *release = arg;

	(void)result;
	if (--release->left)
		return;
	/* Nothing is asked of the store any more, not even when what is under way ends with it. */
	release->runner->up = false;
	release->runner->released = true;
	release->done(release->arg);
	free(release);
}

void runner_release(struct runner *runner, void (*done)(void *arg), void *arg)
{
	struct release *release = xalloc(sizeof(*release));

	*release = (struct release){runner, 1, done, arg};
	for (size_t i = 0; i < runner->shard_count; i++) {
		if (!runner->shards[i].owned)
			continue;
		release->left++;
		runner->store->methods->release(runner->store, runner->shards[i].number, released,
						release);
	}
	released(release, STORE_OK);
}

bool runner_ready(const struct runner *runner)
{
	for (size_t i = 0; i < runner->shard_count; i++)
		if (!runner->shards[i].owned)
			return false;
	return runner->up;
}

void runner_figures(const struct runner *runner, struct runner_figures *figures_r)
{
	*figures_r = (struct runner_figures){.events = runner->events,
					     .conflicts = runner->conflicts,
					     .gone = runner->gone,
					     .jobs = runner->jobs,
					     .step = runner->step_times,
					     .commit = runner->commit_times};
	for (size_t i = 0; i < runner->channel_count; i++) {
		struct runner_channel_figures ignored;

		courier_figures(runner->channels[i].courier, &ignored, &figures_r->send);
	}
}

void runner_channel_figures(const struct runner *runner, size_t index,
			    struct runner_channel_figures *figures_r)
{
	const struct shard_channel *channel = &runner->channels[index];
	struct histogram ignored = {0};

	courier_figures(channel->courier, figures_r, &ignored);
	figures_r->in = channel->in;
	figures_r->in_repeated = channel->in_repeated;
	figures_r->in_later = channel->in_later;
}
