/* tests/store/bed_redis.h - what tests of the Redis store alone need of its bed. */
#ifndef TESTS_STORE_BED_REDIS_H
#define TESTS_STORE_BED_REDIS_H

struct bed;
struct loop;
struct redis_server;
struct seal;

struct redis_server *bed_server(struct bed *bed);
struct loop *bed_loop(struct bed *bed);
const struct seal *bed_seal(const struct bed *bed);

#endif
