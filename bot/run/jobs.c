/* bot/run/jobs.c - an event becomes a job: step it, load what it asks for, commit, send. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/arena.h"
#include "base/log.h"
#include "bot/run/envelope.h"
#include "bot/run/histogram.h"
#include "bot/run/inside.h"

enum { CONFLICTS_WORTH_A_LINE = 20 };

/* A document that a commit under way writes. Jobs that read it too wait here and are stepped again
 * afterwards: a conflict foreseen costs no round trip. */
struct hold {
	UT_hash_handle hh;
	struct job *parked;
	char key[];
};

struct job {
	struct job *prev, *next;             /* in its conversation */
	struct job *ready_prev, *ready_next; /* among the ready, the stalled, or the parked */
	struct runner *runner;
	struct shard *shard;
	const struct community *community;
	struct conversation *conversation;
	struct arena *arena;
	struct event event;
	struct view *view;
	struct commit wanted;    /* as the core wrote it */
	struct commit commit;    /* the same with the community's prefix on every name */
	struct parcel **parcels; /* one per send; NULL: has to wait */
	struct hold **holds;     /* one per write, while its commit is under way */
	unsigned term;
	int conflicts;
	int64_t committed_us;
	bool active;
	bool unsure; /* a commit of it ended without an answer */
};

static void job_run(struct job *job);
static void start_ready(struct runner *runner);

static bool job_void(const struct job *job)
{
	return job->term != job->shard->term;
}

/* The job's conversation goes on with its next event. */
static void job_end(struct job *job)
{
	struct runner *runner = job->runner;
	struct conversation *conversation = job->conversation;

	DL_DELETE(conversation->jobs, job);
	if (conversation->jobs) {
		DL_APPEND2(runner->ready, conversation->jobs, ready_prev, ready_next);
	} else {
		HASH_DEL(runner->conversations, conversation);
		free(conversation);
	}
	runner->jobs--;
	if (job->active)
		runner->active--;
	if (!runner->spare) {
		arena_clear(job->arena);
		runner->spare = job->arena;
	} else {
		arena_free(&job->arena);
	}
	free(job);
}

static struct hold *hold_of(const struct runner *runner, const char *key)
{
	struct hold *hold;

	HASH_FIND(hh, runner->holds, key, strlen(key), hold);
	return hold;
}

/* True if somebody's commit under way writes what this job read: it waits for that. */
static bool park(struct job *job)
{
	for (size_t i = 0; i < job->commit.read_count; i++) {
		struct hold *hold = hold_of(job->runner, job->commit.reads[i].key);

		if (hold) {
			DL_APPEND2(hold->parked, job, ready_prev, ready_next);
			return true;
		}
	}
	return false;
}

static void take_holds(struct job *job)
{
	struct commit *commit = &job->commit;

	job->holds = xalloc((commit->write_count + 1) * sizeof(struct hold *));
	for (size_t i = 0; i < commit->write_count; i++) {
		size_t len = strlen(commit->writes[i].key);

		if (hold_of(job->runner, commit->writes[i].key))
			continue;
		job->holds[i] = xalloc(sizeof(struct hold) + len + 1);
		memcpy(job->holds[i]->key, commit->writes[i].key, len);
		HASH_ADD(hh, job->runner->holds, key, len, job->holds[i]);
	}
}

static void go_on(struct job *job)
{
	if (job_void(job)) {
		job_end(job);
		return;
	}
	job->view = view_new(job->arena);
	job_run(job);
}

/* Those parked on a document go on one by one, until one of them holds it again. */
static void wake_parked(struct runner *runner, struct job *parked, const char *key)
{
	while (parked) {
		struct hold *again = hold_of(runner, key);
		struct job *job = parked;

		if (again) {
			DL_CONCAT2(again->parked, parked, ready_prev, ready_next);
			return;
		}
		DL_DELETE2(parked, job, ready_prev, ready_next);
		go_on(job);
	}
}

static void drop_holds(struct runner *runner, struct hold **holds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (holds[i])
			HASH_DEL(runner->holds, holds[i]);
}

static void wake_all_parked(struct runner *runner, struct hold **holds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (holds[i]) {
			wake_parked(runner, holds[i]->parked, holds[i]->key);
			free(holds[i]);
		}
	free(holds);
}

static void stall(struct job *job)
{
	DL_APPEND2(job->runner->stalled, job, ready_prev, ready_next);
	if (job->runner->up) /* else on_up() will come */
		runner_refused(job->runner);
}

/* Every name a community uses carries its id: two of them may share a shard. */
static const char *prefixed(const struct job *job, const char *name)
{
	return arena_printf(job->arena, "%s/%s", job->community->id, name);
}

static void prefix_all(struct job *job)
{
	struct commit *to = &job->commit;
	const struct commit *from = &job->wanted;

	*to = *from;
	to->entry = job->event.id;
	to->reads = arena_alloc(job->arena, (from->read_count + 1) * sizeof(*to->reads));
	to->writes = arena_alloc(job->arena, (from->write_count + 1) * sizeof(*to->writes));
	to->indexes = arena_alloc(job->arena, (from->index_count + 1) * sizeof(*to->indexes));
	to->dues = arena_alloc(job->arena, (from->due_count + 1) * sizeof(*to->dues));
	for (size_t i = 0; i < from->read_count; i++) {
		to->reads[i] = from->reads[i];
		to->reads[i].key = prefixed(job, from->reads[i].key);
	}
	for (size_t i = 0; i < from->write_count; i++) {
		to->writes[i] = from->writes[i];
		to->writes[i].key = prefixed(job, from->writes[i].key);
	}
	for (size_t i = 0; i < from->index_count; i++) {
		to->indexes[i] = from->indexes[i];
		to->indexes[i].index = prefixed(job, from->indexes[i].index);
	}
	for (size_t i = 0; i < from->due_count; i++) {
		to->dues[i] = from->dues[i];
		to->dues[i].name = prefixed(job, from->dues[i].name);
	}
}

static void reserve_sends(struct job *job)
{
	struct commit *commit = &job->commit;

	job->parcels = arena_alloc(job->arena, (commit->send_count + 1) * sizeof(struct parcel *));
	for (size_t i = 0; i < commit->send_count; i++) {
		struct shard_channel *channel = runner_channel(job->runner, commit->sends[i].channel);

		if (channel && channel->shard == job->shard)
			job->parcels[i] = courier_reserve(channel->courier, &commit->sends[i]);
		commit->sends[i].in_flight = job->parcels[i] != NULL;
	}
}

static void cancel_sends(struct job *job)
{
	for (size_t i = 0; i < job->commit.send_count; i++)
		if (job->parcels[i]) {
			struct courier *courier =
				runner_channel(job->runner, job->commit.sends[i].channel)->courier;

			courier_cancel(courier, job->parcels[i]);
			runner_stir(job->runner, courier);
		}
}

static void go_sends(struct job *job)
{
	for (size_t i = 0; i < job->commit.send_count; i++) {
		const struct send *send = &job->commit.sends[i];
		struct shard_channel *channel = runner_channel(job->runner, send->channel);

		if (!channel || channel->shard != job->shard)
			continue;
		if (job->parcels[i]) {
			courier_go(channel->courier, job->parcels[i], send);
		} else {
			courier_add(channel->courier, send);
			runner_stir(job->runner, channel->courier);
		}
	}
}

static void remember(struct job *job)
{
	struct cache *cache = job->runner->cache;

	for (size_t i = 0; i < job->commit.write_count; i++) {
		const struct document_write *write = &job->commit.writes[i];
		struct document document = {.key = write->key, .version = job->commit.version,
					    .body = write->body, .len = write->len};

		if (!write->body)
			document.version = 0;
		if (write->keep_ms) /* it may expire behind the cache's back */
			cache_drop(cache, job->shard->number, write->key);
		else
			cache_put(cache, job->shard->number, &document);
	}
	for (size_t i = 0; i < job->commit.due_count; i++) {
		int64_t at = job->commit.dues[i].at;

		if (at && (!job->shard->next_due || at < job->shard->next_due)) {
			job->shard->next_due = at;
			runner_wake_by(job->runner, at);
		}
	}
}

static void step_again(struct job *job)
{
	job->runner->conflicts++;
	for (size_t i = 0; i < job->commit.read_count; i++)
		cache_drop(job->runner->cache, job->shard->number, job->commit.reads[i].key);
	if (++job->conflicts % CONFLICTS_WORTH_A_LINE == 0)
		log_warning(NULL, "shard %d: an event met %d conflicts and is stepped again",
			    job->shard->number, job->conflicts);
	job->view = view_new(job->arena);
	job_run(job);
}

/* The entry stays in the inbox for an operator with the right key; the conversation goes on. */
static void give_up(struct job *job)
{
	log_error(NULL, "shard %d: a document does not open (wrong key or damaged); its event waits",
		  job->shard->number);
	job_end(job);
}

static void after_commit(struct job *job, enum store_result result)
{
	struct runner *runner = job->runner;

	switch (result) {
	case STORE_OK:
		runner->events++;
		remember(job);
		if (runner->host->stepped)
			runner->host->stepped(runner->host->arg, &job->event, &job->wanted);
		go_sends(job);
		job_end(job);
		break;
	case STORE_CONFLICT:
		step_again(job);
		break;
	case STORE_GONE: /* it had its effect before; sends of that time are in the outbox */
		runner->gone++;
		if (job->unsure)
			runner_reread(runner, job->shard);
		job_end(job);
		break;
	case STORE_FENCED: /* the store tells of the loss by itself */
		job_end(job);
		break;
	case STORE_AWAY:
		job->unsure = true;
		stall(job);
		break;
	case STORE_DAMAGED:
		give_up(job);
		break;
	}
}

static void committed(void *arg, enum store_result result)
{
	struct job *job = arg;
	struct runner *runner = job->runner;
	struct hold **holds = job->holds;
	size_t held = job->commit.write_count;

	runner->calls--;
	if (runner->host->mono_us)
		histogram_add(&runner->commit_times, runner_mono_us(runner) - job->committed_us);
	if (result != STORE_OK || job_void(job)) /* void: the next owner finds them in the outbox */
		cancel_sends(job);
	drop_holds(runner, holds, held);
	if (job_void(job))
		job_end(job);
	else
		after_commit(job, result);
	wake_all_parked(runner, holds, held);
	start_ready(runner);
}

static void commit_job(struct job *job)
{
	struct runner *runner = job->runner;

	prefix_all(job);
	if (park(job))
		return;
	take_holds(job);
	reserve_sends(job);
	job->committed_us = runner_mono_us(runner);
	runner->calls++;
	runner->store->methods->commit(runner->store, job->shard->number, &job->commit, committed,
				       job);
}

static const char *without_prefix(const struct job *job, const char *key)
{
	return key + strlen(job->community->id) + 1;
}

/* The view keeps what it is given, so bodies move into the job's arena. */
static void show(struct job *job, const struct document *document, const char *key)
{
	struct document copy = *document;

	copy.key = key;
	if (copy.version)
		copy.body = arena_bytes(job->arena, document->body, document->len);
	view_put(job->view, &copy);
}

static void loaded(void *arg, enum store_result result, const struct document *documents,
		   size_t count)
{
	struct job *job = arg;
	struct runner *runner = job->runner;

	runner->calls--;
	if (job_void(job)) {
		job_end(job);
	} else if (result == STORE_DAMAGED) {
		give_up(job);
	} else if (result != STORE_OK) {
		stall(job);
	} else {
		for (size_t i = 0; i < count; i++) {
			cache_put(runner->cache, job->shard->number, &documents[i]);
			show(job, &documents[i],
			     arena_str(job->arena, without_prefix(job, documents[i].key)));
		}
		job_run(job);
	}
	start_ready(runner);
}

/* Gives the view what the cache has; loads the rest. True if the job may go on at once. */
static bool provide(struct job *job)
{
	const char *const *keys;
	size_t count = view_wanted(job->view, &keys);
	const char **missing = arena_alloc(job->arena, (count + 1) * sizeof(char *));
	const char **names = arena_alloc(job->arena, (count + 1) * sizeof(char *));
	size_t missing_count = 0;

	for (size_t i = 0; i < count; i++)
		names[i] = arena_str(job->arena, keys[i]);
	for (size_t i = 0; i < count; i++) {
		const char *key = prefixed(job, names[i]);
		struct document document;

		if (cache_get(job->runner->cache, job->shard->number, key, &document))
			show(job, &document, names[i]);
		else
			missing[missing_count++] = key;
	}
	if (!missing_count)
		return true;
	job->runner->calls++;
	job->runner->store->methods->load(job->runner->store, job->shard->number, missing,
					  missing_count, loaded, job);
	return false;
}

static void job_run(struct job *job)
{
	struct runner *runner = job->runner;
	int64_t began = runner_mono_us(runner);
	enum step_result result;

	if (!runner->up) {
		stall(job);
		return;
	}
	do {
		job->wanted = (struct commit){0};
		result = bot_step(runner->bot, &job->event, job->view, job->arena, &job->wanted);
	} while (result == STEP_NEED && provide(job));
	if (runner->host->mono_us)
		histogram_add(&runner->step_times, runner_mono_us(runner) - began);
	if (result == STEP_DONE)
		commit_job(job);
}

static void start_ready(struct runner *runner)
{
	while (runner->ready && runner->active < JOBS_MAX && !runner->draining) {
		struct job *job = runner->ready;

		DL_DELETE2(runner->ready, job, ready_prev, ready_next);
		job->active = true;
		runner->active++;
		if (job_void(job))
			job_end(job);
		else
			job_run(job);
	}
}

static void stamp(struct job *job)
{
	const struct runner_host *host = job->runner->host;

	job->event.now = runner_now(job->runner);
	job->event.utc_offset = host->utc_offset(host->arg, job->community->zone, job->event.now);
}

void jobs_resume(struct runner *runner)
{
	struct job *job = runner->stalled, *next;

	runner->stalled = NULL;
	for (; job; job = next) {
		next = job->ready_next;
		stamp(job); /* the store may have been away for hours */
		job->view = view_new(job->arena);
		job_run(job);
	}
	start_ready(runner);
}

void jobs_drop(struct runner *runner)
{
	struct job *job, *next;

	DL_FOREACH_SAFE2(runner->stalled, job, next, ready_next) {
		if (job_void(job)) {
			DL_DELETE2(runner->stalled, job, ready_prev, ready_next);
			job_end(job);
		}
	}
	start_ready(runner);
}

void jobs_free(struct runner *runner)
{
	struct conversation *conversation, *next;

	HASH_ITER(hh, runner->conversations, conversation, next) {
		struct job *job, *next_job;

		HASH_DEL(runner->conversations, conversation);
		DL_FOREACH_SAFE(conversation->jobs, job, next_job) {
			arena_free(&job->arena);
			free(job);
		}
		free(conversation);
	}
	runner->ready = runner->stalled = NULL;
}

/* A person's events are one conversation wherever they speak; what is due or came of a send
 * belongs to its subject. */
static char *conversation_key(const struct job *job)
{
	const struct event *event = &job->event;
	const char *subject = event->sender_key;

	if (event->type == EVENT_DUE)
		subject = event->due;
	else if (event->type == EVENT_OUTCOME && event->ref)
		subject = event->ref;
	return arena_printf(job->arena, "%d/%s/%s", job->shard->number, job->community->id,
			    subject ? subject : "");
}

static void enqueue(struct job *job)
{
	struct runner *runner = job->runner;
	const char *key = conversation_key(job);
	size_t len = strlen(key);
	struct conversation *conversation;
	bool first;

	HASH_FIND(hh, runner->conversations, key, len, conversation);
	first = !conversation;
	if (first) {
		conversation = xalloc(sizeof(*conversation) + len + 1);
		memcpy(conversation->key, key, len);
		HASH_ADD(hh, runner->conversations, key, len, conversation);
	}
	job->conversation = conversation;
	DL_APPEND(conversation->jobs, job);
	runner->jobs++;
	if (first)
		DL_APPEND2(runner->ready, job, ready_prev, ready_next);
	start_ready(runner);
}

/* The due event's name is "<community>/<name>". */
static int read_due(struct job *job, const struct store_event *stored)
{
	const char *slash = strchr(stored->due, '/');

	if (!slash)
		return -1;
	job->event.type = EVENT_DUE;
	job->event.community = arena_bytes(job->arena, stored->due, (size_t)(slash - stored->due));
	job->event.due = arena_str(job->arena, slash + 1);
	job->event.due_at = stored->due_at;
	return 0;
}

static int read_event(struct job *job, const struct store_event *stored)
{
	struct runner *runner = job->runner;
	int result = stored->due ? read_due(job, stored)
				 : envelope_read(job->arena, stored->body, stored->len, &job->event);

	if (result)
		return -1;
	job->community = runner_community(runner, job->event.community);
	if (!job->community || job->community->shard != job->shard->number)
		return -1;
	job->event.id = arena_str(job->arena, stored->entry);
	job->event.seed = runner->host->seed(runner->host->arg);
	stamp(job);
	return 0;
}

/* An entry that nobody can read (its community is not configured any more) stays in the inbox,
 * and the operator is told: it must not be lost, nor may it stop the others. */
void job_start(struct runner *runner, const struct store_event *stored)
{
	struct job *job = xalloc(sizeof(*job));

	job->runner = runner;
	job->shard = runner_shard(runner, stored->shard);
	job->arena = runner->spare ? runner->spare : arena_new();
	runner->spare = NULL;
	if (!job->shard || read_event(job, stored)) {
		log_error(NULL, "shard %d: an inbox entry is of no configured community; it waits there",
			  stored->shard);
		arena_free(&job->arena);
		free(job);
		return;
	}
	job->term = job->shard->term;
	job->view = view_new(job->arena);
	enqueue(job);
}
