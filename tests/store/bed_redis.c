/* The contract's bed on a real redis-server; a cut is a kill -9 of it. */
#include "tests/store/bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/loop.h"
#include "state/seal.h"
#include "state/store_redis.h"
#include "tests/store/bed_redis.h"
#include "tests/store/redis_server.h"

struct bed {
	struct redis_server server;
	struct loop *loop;
	struct loop_timer *beat;
	struct seal *seal;
	int instances;
};

static void beaten(void *arg)
{
	(void)arg;
}

struct bed *bed_new(void)
{
	struct bed *bed = xalloc(sizeof *bed);

	redis_server_new(&bed->server, NULL);
	bed->loop = loop_new();
	/* No turn waits longer than this. */
	bed->beat = loop_timer(bed->loop, beaten, NULL);
	loop_timer_start(bed->beat, 2, 2);
	bed->seal = seal_from_bytes((const unsigned char *)"thirty-two bytes for a test's key");
	return bed;
}

void bed_free(struct bed *bed)
{
	loop_timer_close(&bed->beat);
	loop_free(&bed->loop);
	seal_free(&bed->seal);
	redis_server_free(&bed->server);
	free(bed);
}

const char *bed_name(void)
{
	return "redis";
}

struct store *bed_open(struct bed *bed, const struct store_listener *listener)
{
	char instance[32];
	struct store_redis_options options = {
		.url = bed->server.url, .instance = instance, .lease_ms = 3000};
	struct error error = {0};

	snprintf(instance, sizeof instance, "instance-%d", ++bed->instances);
	struct store *store = store_redis_new(bed->loop, bed->seal, &options, listener, &error);
	if (!store)
		fail_msg("%s", error.text);
	return store;
}

void bed_turn(struct bed *bed)
{
	loop_turn(bed->loop, true);
}

void bed_pass(struct bed *bed, int64_t ms)
{
	int64_t end = clock_mono_us() + ms * 1000;

	while (clock_mono_us() < end)
		bed_turn(bed);
}

void bed_expire(struct bed *bed, int shard)
{
	redisContext *context = redis_server_connect(&bed->server);
	redisReply *reply = redisCommand(context, "DEL linli:{%d}:owner", shard);

	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	freeReplyObject(reply);
	redisFree(context);
}

void bed_cut(struct bed *bed)
{
	redis_server_kill(&bed->server);
}

void bed_mend(struct bed *bed)
{
	redis_server_start(&bed->server, NULL);
}

bool bed_turn_random(struct bed *bed, uint64_t *seed)
{
	(void)seed; /* the kernel and the server choose */
	loop_turn(bed->loop, true);
	return true;
}

void bed_snap(struct bed *bed, struct store *store)
{
	if (!store)
		return;
	redisContext *context = redis_server_connect(&bed->server);
	redisReply *reply = redisCommand(context, "CLIENT KILL TYPE normal SKIPME yes");
	assert_non_null(reply);
	freeReplyObject(reply);
	redisFree(context);
}

int bed_races(void)
{
	return 12;
}

struct redis_server *bed_server(struct bed *bed)
{
	return &bed->server;
}

struct loop *bed_loop(struct bed *bed)
{
	return bed->loop;
}

const struct seal *bed_seal(const struct bed *bed)
{
	return bed->seal;
}
