/* How fast the Redis store is, with so many events under way at a time.
 *
 * Usage: store_bench URL accept|bare|commit|load EVENTS WINDOW. accept: appends only; bare: commits
 * that answer no event; commit: accepts, waits for the delivery and commits; load: loads two
 * documents from Redis before the commit. The figures depend on the appendfsync of that Redis; give
 * it a fresh one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/loop.h"
#include "state/seal.h"
#include "state/store_redis.h"

enum { SHARDS = 8 };

struct bench {
	struct loop *loop;
	struct store *store;
	size_t events, window;
	size_t owned, begun, accepted, delivered, committed, failed;
	int64_t first_us;
	bool up, accept_only, bare, load;
	char body[300];
};

struct work {
	struct bench *bench;
	int shard;
	struct commit commit;
	struct document_read reads[2];
	struct document_write writes[2];
	struct index_write index;
	struct send send;
	struct due_write due;
	char entry[32], task[32], person[32], id[32], due_name[32];
	const char *keys[2];
};

static void begin_more(struct bench *bench);
static void on_event(void *arg, const struct store_event *event);

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void committed(void *arg, enum store_result result)
{
	struct work *work = arg;
	struct bench *bench = work->bench;

	if (result == STORE_OK)
		bench->committed++;
	else
		bench->failed++;
	free(work);
	if (bench->committed + bench->failed == bench->events)
		loop_stop(bench->loop);
	begin_more(bench);
}

/* As a small answer does it: two documents, an index, a send in flight, a due event. */
static void loaded(void *arg, enum store_result result, const struct document *documents,
		   size_t count)
{
	struct work *work = arg;
	struct bench *bench = work->bench;

	if (result != STORE_OK)
		fail("load failed");
	for (size_t i = 0; i < count; i++) {
		work->reads[i] = (struct document_read){work->keys[i], documents[i].version};
		work->writes[i] = (struct document_write){
			.key = work->keys[i], .body = bench->body, .len = sizeof bench->body};
	}
	work->index = (struct index_write){.index = "tasks/open", .member = work->task, .score = 1};
	work->send = (struct send){.id = work->id,
				   .channel = "sms",
				   .payload = bench->body,
				   .len = sizeof bench->body,
				   .in_flight = true};
	work->due = (struct due_write){.name = work->due_name, .at = 1900000000000};
	work->commit = (struct commit){.entry = work->entry,
				       .reads = work->reads,
				       .read_count = count,
				       .writes = work->writes,
				       .write_count = count,
				       .indexes = &work->index,
				       .index_count = 1,
				       .sends = &work->send,
				       .send_count = 1,
				       .dues = &work->due,
				       .due_count = 1};
	bench->store->methods->commit(bench->store, work->shard, &work->commit, committed, work);
}

static void on_event(void *arg, const struct store_event *event)
{
	struct bench *bench = arg;
	struct work *work = xalloc(sizeof *work);
	size_t number = bench->delivered++;

	work->bench = bench;
	work->shard = event->shard;
	snprintf(work->entry, sizeof work->entry, "%s", event->entry);
	snprintf(work->task, sizeof work->task, "task/%zu", number);
	snprintf(work->person, sizeof work->person, "person/%zu", number);
	snprintf(work->id, sizeof work->id, "send-%zu", number);
	snprintf(work->due_name, sizeof work->due_name, "lease/%zu", number % 5000);
	work->keys[0] = work->task;
	work->keys[1] = work->person;
	if (bench->load) {
		bench->store->methods->load(bench->store, work->shard, work->keys, 2, loaded, work);
	} else {
		struct document none[2] = {{.key = work->task}, {.key = work->person}};
		loaded(work, STORE_OK, none, 2); /* as from the owner's memory */
	}
}

static void accepted(void *arg, enum store_result result, size_t fresh)
{
	struct bench *bench = arg;

	if (result != STORE_OK || fresh != 1)
		fail("accept failed");
	bench->accepted++;
	if (bench->accept_only && bench->accepted == bench->events)
		loop_stop(bench->loop);
	if (bench->accept_only)
		begin_more(bench);
}

static void begin_more(struct bench *bench)
{
	const size_t *ended = bench->accept_only ? &bench->accepted : &bench->committed;
	char dedup[64];

	while (bench->begun < bench->events && bench->begun < *ended + bench->window) {
		struct store_accept item = {.dedup = dedup,
					    .keep_ms = 86400000,
					    .body = bench->body,
					    .len = sizeof bench->body};
		snprintf(dedup, sizeof dedup, "%lld/%zu", (long long)bench->first_us, bench->begun);
		if (bench->bare) {
			struct store_event event = {.shard = (int)(bench->begun++ % SHARDS),
						    .entry = ""};
			on_event(bench, &event);
			continue;
		}
		bench->store->methods->accept(bench->store, (int)(bench->begun++ % SHARDS), &item,
					      1, accepted, bench);
	}
}

static void owned(void *arg, enum store_result result)
{
	struct bench *bench = arg;

	if (result != STORE_OK)
		fail("own failed");
	if (++bench->owned == SHARDS)
		loop_stop(bench->loop);
}

static void on_up(void *arg)
{
	struct bench *bench = arg;

	for (int shard = 0; shard < SHARDS && !bench->up && !bench->accept_only; shard++)
		bench->store->methods->own(bench->store, shard, owned, bench);
	bench->up = true;
}

int main(int argc, char **argv)
{
	static const unsigned char secret[32] = "thirty-two bytes for a benchmark";
	struct bench bench = {0};
	struct store_listener listener = {.arg = &bench, .event = on_event, .up = on_up};
	struct store_redis_options options = {.instance = "bench"};
	struct error error = {0};

	if (argc != 5)
		fail("usage: store_bench URL accept|bare|commit|load EVENTS WINDOW");
	options.url = argv[1];
	bench.accept_only = strcmp(argv[2], "accept") == 0;
	bench.bare = strcmp(argv[2], "bare") == 0;
	bench.load = strcmp(argv[2], "load") == 0;
	bench.events = strtoull(argv[3], NULL, 10);
	bench.window = strtoull(argv[4], NULL, 10);
	memset(bench.body, 'x', sizeof bench.body);
	struct seal *seal = seal_from_bytes(secret);
	bench.loop = loop_new();
	bench.store = store_redis_new(bench.loop, seal, &options, &listener, &error);
	if (!bench.store)
		fail(error.text);
	if (!bench.accept_only)
		loop_run(bench.loop); /* until the shards are owned */
	bench.first_us = clock_mono_us();
	while (bench.accept_only && !bench.up)
		loop_turn(bench.loop, true);
	bench.first_us = clock_mono_us();
	begin_more(&bench);
	loop_run(bench.loop);
	double seconds = (double)(clock_mono_us() - bench.first_us) / 1e6;
	struct store_figures figures = store_redis_figures(bench.store);
	printf("%-6s  %7zu events, %4zu under way: %6.0f per second, mean commit wait %.2f ms\n",
	       argv[2], bench.events, bench.window, (double)bench.events / seconds,
	       figures.commits ? (double)figures.commit_us_total / (double)figures.commits / 1000
			       : 0.0);
	bench.store->methods->free(bench.store);
	seal_free(&seal);
	loop_free(&bench.loop);
	return bench.failed > 0;
}
