/* bot/run/inside.h - what runner.c and jobs.c share; nobody else includes it. */
#ifndef BOT_RUN_INSIDE_H
#define BOT_RUN_INSIDE_H

#include <uthash.h>

#include "bot/run/cache.h"
#include "bot/run/courier.h"
#include "bot/run/runner.h"

struct hold;
struct job;

enum { JOBS_MAX = 512 };

struct shard {
	int number;
	bool owned, asking;
	int64_t ask_again;  /* when to try to own it, 0: not waiting */
	int64_t next_due;   /* 0: none */
	bool due_asked;
	unsigned term;      /* counts ownerships; what began in an older one is void */
};

struct shard_channel {
	struct runner_channel settings;
	const struct community *community;
	struct shard *shard;
	struct courier *courier;
	uint64_t in, in_repeated, in_later;
};

struct conversation {
	UT_hash_handle hh;
	struct job *jobs; /* the first one is under way */
	char key[];
};

struct runner {
	const struct config *config;
	const struct bot *bot;
	const struct runner_host *host;
	struct store *store;
	struct shard *shards;
	size_t shard_count;
	struct shard_channel *channels;
	size_t channel_count;
	struct cache *cache;
	struct conversation *conversations;
	struct hold *holds;  /* documents that commits under way write */
	struct job *ready;   /* first in their conversation, waiting for a place */
	struct job *stalled; /* waiting for the store to come back */
	struct arena *spare; /* one arena kept warm */
	size_t jobs, active, calls;
	bool up, draining, released;
	int64_t wake;  /* what wake_at() was told, 0: nothing */
	int64_t woken; /* when runner_wake() was called last */
	int64_t refused_again; /* when to repeat what the store refused while it was there; 0: nothing */
	uint64_t events, conflicts, gone;
	struct histogram step_times, commit_times;
};

struct shard *runner_shard(struct runner *runner, int number);
struct shard_channel *runner_channel(struct runner *runner, const char *name);
const struct community *runner_community(const struct runner *runner, const char *id);
int64_t runner_now(const struct runner *runner);
int64_t runner_mono_us(const struct runner *runner);
/* Asks to be woken at `at` if that is sooner than what was asked before. */
void runner_wake_by(struct runner *runner, int64_t at);
/* The store refuses (its memory is full, its disk): what has stalled is tried again in a while. */
void runner_refused(struct runner *runner);
/* Something may stand in the shard's outboxes that nobody here has heard of. */
void runner_reread(struct runner *runner, const struct shard *shard);
void runner_stir(void *arg, struct courier *courier);

/* An inbox entry: becomes a job in its conversation. */
void job_start(struct runner *runner, const struct store_event *event);
void jobs_resume(struct runner *runner);
/* Ends the jobs of shards that were lost (whose term is over). */
void jobs_drop(struct runner *runner);
void jobs_free(struct runner *runner);

#endif
