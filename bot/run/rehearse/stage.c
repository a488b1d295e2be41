/* bot/run/rehearse/stage.c - lends the runner a world that stands still. */
#include <stdlib.h>
#include <string.h>

#include "adapters/adapter.h"
#include "base/arena.h"
#include "base/clock.h"
#include "bot/run/rehearse/stage.h"
#include "bot/run/runner.h"
#include "state/seal.h"
#include "state/store_memory.h"

enum { TURNS_MAX = 200000, WAKES_MAX = 1000000 };

/* Handed to the platform, its answer not yet back. */
struct leaving {
	char *channel, *send_id, *message_id;
	struct outcome outcome;
};

struct stage {
	const struct config *config;
	const struct stage_host *host;
	struct memory *memory;
	struct store *store;
	struct runner *runner;
	struct bot *bot;
	struct seal *seal;
	struct runner_host runner_host;
	struct bot_channel *bot_channels;
	struct runner_channel *runner_channels;
	struct leaving *leaving;
	size_t leaving_count;
	int64_t now, wake; /* wake 0: not asked for */
	uint64_t seed;     /* 0: in order */
	uint64_t dice;
	size_t turned_away;
	int kill_in; /* turns; 0: not at all */
};

uint64_t stage_random(uint64_t *seed)
{
	/* splitmix64, public domain, Sebastiano Vigna */
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int64_t host_now(void *arg)
{
	struct stage *stage = arg;
	return stage->now;
}

static uint64_t host_seed(void *arg)
{
	struct stage *stage = arg;
	return stage_random(&stage->dice);
}

static int host_utc_offset(void *arg, const char *zone, int64_t now)
{
	(void)arg;
	int offset = 0;
	/* config_read() has refused a zone that does not exist. */
	return clock_zone_offset(zone, now, &offset) < 0 ? 0 : offset;
}

static void host_hash(void *arg, const char *space, const char *input, char *out)
{
	struct stage *stage = arg;
	seal_hash(stage->seal, space, input, out);
}

static void host_transmit(void *arg, const char *channel, const struct message_out *message)
{
	struct stage *stage = arg;
	struct outcome outcome = {.kind = OUTCOME_SENT};
	stage->host->spoken(stage->host->arg, channel, message, &outcome);
	struct leaving leaving = {
		.channel = xstrdup(channel),
		.send_id = xstrdup(message->id),
		.message_id = outcome.message_id ? xstrdup(outcome.message_id) : NULL,
		.outcome = outcome,
	};
	stage->leaving =
		xrealloc(stage->leaving, (stage->leaving_count + 1) * sizeof(*stage->leaving));
	stage->leaving[stage->leaving_count++] = leaving;
}

static void host_wake_at(void *arg, int64_t at)
{
	struct stage *stage = arg;
	stage->wake = at;
}

static void host_stepped(void *arg, const struct event *event, const struct commit *commit)
{
	struct stage *stage = arg;
	if (stage->host->stepped)
		stage->host->stepped(stage->host->arg, event, commit);
}

static void fill_channels(struct stage *stage)
{
	const struct config *config = stage->config;
	stage->bot_channels = xalloc((config->channel_count + 1) * sizeof(*stage->bot_channels));
	stage->runner_channels =
		xalloc((config->channel_count + 1) * sizeof(*stage->runner_channels));
	for (size_t i = 0; i < config->channel_count; i++) {
		const struct channel_config *channel = &config->channels[i];
		const struct adapter *adapter = adapter_find(channel->adapter);
		stage->bot_channels[i] = (struct bot_channel){
			.name = channel->name,
			.can = adapter ? adapter->can : 0,
			.text_max = adapter ? adapter->text_max : 0,
		};
		/* No rates: a rehearsal is about words, not about pacing. */
		stage->runner_channels[i] = (struct runner_channel){
			.name = channel->name,
			.adapter = channel->adapter,
			.can = adapter ? adapter->can : 0,
		};
	}
}

/* A daemon that knows nothing but what is in the store. */
static void start(struct stage *stage)
{
	stage->runner = runner_new(stage->config, stage->bot, stage->runner_channels,
				   stage->config->channel_count, &stage->runner_host);
	struct store_listener listener = runner_listener(stage->runner);
	stage->store = store_memory_new(stage->memory, &listener);
	runner_start(stage->runner, stage->store);
}

/* Calls under way end as "away", and whoever made them must still be there to hear it. */
static void end(struct stage *stage)
{
	runner_drain(stage->runner);
	stage->store->methods->free(stage->store);
	stage->store = NULL;
	runner_free(&stage->runner);
	stage->wake = 0;
}

struct stage *stage_new(const struct config *config, const struct locales *locales, int64_t now,
			uint64_t seed, const struct stage_host *host)
{
	static const unsigned char secret[32] = "a rehearsal keeps no secrets ...";
	struct stage *stage = xalloc(sizeof(*stage));
	stage->config = config;
	stage->host = host;
	stage->now = now;
	stage->seed = seed;
	stage->dice = seed * 2 + 1;
	stage->seal = seal_from_bytes(secret);
	fill_channels(stage);
	stage->bot = bot_new(locales, config->communities, config->community_count,
			     stage->bot_channels, config->channel_count);
	stage->runner_host = (struct runner_host){
		.arg = stage,
		.now = host_now,
		.seed = host_seed,
		.utc_offset = host_utc_offset,
		.hash = host_hash,
		.transmit = host_transmit,
		.wake_at = host_wake_at,
		.stepped = host_stepped,
	};
	stage->memory = memory_new();
	memory_set_now(stage->memory, now);
	start(stage);
	return stage;
}

static void leaving_free(struct leaving *leaving)
{
	free(leaving->channel);
	free(leaving->send_id);
	free(leaving->message_id);
}

void stage_free(struct stage **stage)
{
	struct stage *old = *stage;
	if (!old)
		return;
	*stage = NULL;
	end(old);
	memory_free(&old->memory);
	bot_free(&old->bot);
	seal_free(&old->seal);
	for (size_t i = 0; i < old->leaving_count; i++)
		leaving_free(&old->leaving[i]);
	free(old->leaving);
	free(old->bot_channels);
	free(old->runner_channels);
	free(old);
}

static void released(void *arg)
{
	bool *is_released = arg;
	*is_released = true;
}

bool stage_restart(struct stage *stage)
{
	bool is_released = false;
	if (!stage_rest(stage))
		return false;
	runner_drain(stage->runner);
	runner_release(stage->runner, released, &is_released);
	if (!stage_rest(stage) || !is_released)
		return false;
	end(stage);
	start(stage);
	return stage_rest(stage);
}

int64_t stage_now(const struct stage *stage)
{
	return stage->now;
}

size_t stage_turned_away(const struct stage *stage)
{
	return stage->turned_away;
}

struct memory *stage_memory(struct stage *stage)
{
	return stage->memory;
}

static void accepted(void *arg, bool is_accepted)
{
	struct stage *stage = arg;
	if (!is_accepted)
		stage->turned_away++;
}

void stage_say(struct stage *stage, const char *channel, const struct message_in *message,
	       int times)
{
	for (int i = 0; i < times; i++)
		runner_accept(stage->runner, channel, message, 1, accepted, stage);
}

/* The platform answers one of the sends under way. */
static void settle_one(struct stage *stage)
{
	size_t at = stage->seed ? stage_random(&stage->dice) % stage->leaving_count : 0;
	struct leaving leaving = stage->leaving[at];
	stage->leaving_count--;
	memmove(&stage->leaving[at], &stage->leaving[at + 1],
		(stage->leaving_count - at) * sizeof(*stage->leaving));
	leaving.outcome.message_id = leaving.message_id;
	runner_settled(stage->runner, leaving.channel, leaving.send_id, &leaving.outcome);
	leaving_free(&leaving);
}

static bool turn(struct stage *stage)
{
	if (!stage->seed)
		return memory_turn(stage->memory);
	return memory_turn_random(stage->memory, &stage->dice);
}

/* What platforms still had to answer is never heard by the next one. */
static void killed(struct stage *stage)
{
	end(stage);
	for (size_t i = 0; i < stage->leaving_count; i++)
		leaving_free(&stage->leaving[i]);
	stage->leaving_count = 0;
	start(stage);
}

void stage_kill(struct stage *stage, int turns)
{
	stage->kill_in = turns;
}

bool stage_rest(struct stage *stage)
{
	for (int turns = 0; turns < TURNS_MAX; turns++) {
		if (stage->kill_in && !--stage->kill_in)
			killed(stage);
		bool settle_first =
			stage->seed && stage->leaving_count && stage_random(&stage->dice) % 3 == 0;
		if (!settle_first && turn(stage))
			continue;
		if (stage->leaving_count) {
			settle_one(stage);
		} else if (stage->wake && stage->wake <= stage->now) {
			stage->wake = 0;
			runner_wake(stage->runner);
		} else {
			return true;
		}
	}
	return false;
}

bool stage_pass(struct stage *stage, int64_t until)
{
	for (int wakes = 0; wakes < WAKES_MAX; wakes++) {
		if (!stage_rest(stage))
			return false;
		if (stage->now >= until)
			return true;
		bool wake = stage->wake && stage->wake < until;
		stage->now = wake ? stage->wake : until;
		memory_set_now(stage->memory, stage->now);
	}
	return false;
}
