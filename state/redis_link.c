/* Pipelines calls over one socket, watches their deadlines, and connects again after a loss. */
#include "state/redis_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "state/redis_dial.h"

enum {
	FAIL_AFTER_MS = 2,
	BACKOFF_FIRST_MS = 25,
	BACKOFF_MOST_MS = 2000,
	GOOD_LIFE_US = 5 * 1000 * 1000, /* a connection that lived so long was not a failed attempt */
	READ_SIZE = 64 * 1024,
	READS_A_TURN = 16, /* then the rest of the loop has its turn */
	WRITE_PARTS = 64,
	SHA1_HEX = 40,
};

static const int64_t patience_us[PATIENCE_COUNT] = {
	[PATIENCE_SHORT] = 90 * 1000,
	[PATIENCE_LONG] = 5000 * 1000,
	[PATIENCE_BLOCK] = (REDIS_BLOCK_MS + 5000) * 1000,
};

struct queue {
	struct redis_call *first, **end;
};

struct redis_link {
	struct loop *loop;
	struct redis_target target;
	char *url, *user, *password, *name;
	void *arg;
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);
	enum { LINK_DOWN, LINK_DIALING, LINK_GREETING, LINK_UP } state;
	struct redis_dial *dial;
	int fd;
	struct loop_watch *watch;
	bool want_write;
	struct loop_hook *hook;
	struct loop_timer *again, *tick, *soon;
	bool tick_runs;
	unsigned failures;
	int64_t up_us; /* since when it is up */
	struct queue calls; /* sent or to be sent, in order */
	struct redis_call *unsent;
	size_t unsent_offset;
	struct queue waits[PATIENCE_COUNT]; /* by next_wait */
	struct queue failed;                /* made while down */
	redisReader *reader;
	long long id;
	size_t loading;   /* SCRIPT LOADs under way, other than greetings */
	size_t greetings; /* replies that are missing before it is up */
	char sha[SCRIPT_COUNT][SHA1_HEX + 1];
	uint64_t commands;
	struct error broken; /* set while replies are handled; the connection ends after that */
	char input[READ_SIZE];
};

/* ---- queues ---- */

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void queue_add(struct queue *queue, struct redis_call *call)
{
	call->next = NULL;
	*queue->end = call;
	queue->end = &call->next;
}

static struct redis_call *queue_take(struct queue *queue)
{
	struct redis_call *call = queue->first;

	if (call) {
		queue->first = call->next;
		if (!queue->first)
			queue->end = &queue->first;
	}
	return call;
}

static void wait_add(struct queue *queue, struct redis_call *call)
{
	call->next_wait = NULL;
	*queue->end = call;
	queue->end = &call->next_wait;
}

/* Answers come in the order of calls, so it is the first of its queue, unless it was sent twice. */
static void wait_remove(struct queue *queue, struct redis_call *call)
{
	for (struct redis_call **at = &queue->first; *at; at = &(*at)->next_wait) {
		if (*at == call) {
			*at = call->next_wait;
			if (queue->end == &call->next_wait)
				queue->end = at;
			return;
		}
	}
}

static void call_free(struct redis_call *call)
{
	buf_free(&call->bytes);
	free(call);
}

static void call_finish(struct redis_call *call, const redisReply *reply)
{
	if (!call->over)
		call->reply(call->arg, reply);
	call_free(call);
}

/* ---- deadlines ---- */

static void link_drop(struct redis_link *link, const char *why);

static void tick_set(struct redis_link *link, int64_t deadline_us)
{
	int64_t left_us = deadline_us - clock_mono_us();

	link->tick_runs = true;
	loop_timer_start(link->tick, left_us > 0 ? (uint64_t)(left_us / 1000 + 1) : 1, 0);
}

static void ping(struct redis_link *link);

static void ticked(void *arg)
{
	struct redis_link *link = arg;
	int64_t now = clock_mono_us(), next = 0;
	bool silent = false;

	link->tick_runs = false;
	for (int patience = 0; patience < PATIENCE_COUNT; patience++) {
		struct queue *queue = &link->waits[patience];
		while (queue->first && queue->first->deadline_us <= now) {
			if (patience != PATIENCE_SHORT) {
				link_drop(link, "no answer in time");
				return;
			}
			struct redis_call *call = queue->first;
			wait_remove(queue, call);
			call->over = true;
			silent = true;
			call->reply(call->arg, NULL);
		}
		if (queue->first && (next == 0 || queue->first->deadline_us < next))
			next = queue->first->deadline_us;
	}
	/* Late, or dead? A connection that does not answer this in 5 s is given up. */
	if (silent && link->state == LINK_UP && !link->waits[PATIENCE_LONG].first)
		ping(link);
	if (next != 0 && !link->tick_runs)
		tick_set(link, next);
}

/* ---- calls ---- */

static void call_queue(struct redis_link *link, struct redis_call *call)
{
	queue_add(&link->calls, call);
	if (!link->unsent) {
		link->unsent = call;
		link->unsent_offset = 0;
	}
	wait_add(&link->waits[call->patience], call);
	link->commands++;
	if (!link->tick_runs)
		tick_set(link, call->deadline_us);
	else if (call->patience == PATIENCE_SHORT && link->waits[PATIENCE_SHORT].first == call)
		tick_set(link, call->deadline_us);
}

static void call_prepare(struct redis_call *call, enum redis_patience patience,
			 void (*reply)(void *arg, const redisReply *reply), void *arg)
{
	if (call->missing != 0 || call->bytes.full)
		abort();
	call->reply = reply;
	call->arg = arg;
	call->patience = patience;
	call->deadline_us = clock_mono_us() + patience_us[patience];
}

void redis_link_send(struct redis_link *link, struct redis_call *call, enum redis_patience patience,
		     void (*reply)(void *arg, const redisReply *reply), void *arg)
{
	call_prepare(call, patience, reply, arg);
	if (link->state == LINK_UP && link->broken.text[0] == '\0') {
		call_queue(link, call);
	} else {
		/* Not 0 ms: a caller that repeats at once would keep the loop in its timers, and
		 * the socket that it waits for would never be looked at. */
		if (!link->failed.first)
			loop_timer_start(link->soon, FAIL_AFTER_MS, 0);
		queue_add(&link->failed, call);
	}
}

static void failed_told(void *arg)
{
	struct redis_link *link = arg;
	struct queue failed = link->failed;

	if (!failed.first)
		return;
	queue_init(&link->failed);
	for (struct redis_call *call = failed.first, *next; call; call = next) {
		next = call->next;
		call_finish(call, NULL);
	}
}

static void pinged(void *arg, const redisReply *reply)
{
	(void)arg;
	(void)reply;
}

static void ping(struct redis_link *link)
{
	struct redis_call *call = redis_call_new(1);

	redis_call_str(call, "PING");
	call_prepare(call, PATIENCE_LONG, pinged, NULL);
	call_queue(link, call);
}

struct redis_call *redis_call_script(const struct redis_link *link, enum redis_script_id script,
				     size_t keys, size_t arguments)
{
	struct redis_call *call = redis_call_new(3 + keys + arguments);

	call->script = true;
	redis_call_str(call, "EVALSHA");
	redis_call_bytes(call, link->sha[script], SHA1_HEX);
	redis_call_printf(call, "%zu", keys);
	return call;
}

/* ---- the end of a connection ---- */

static void dial(void *arg);

static void again_later(struct redis_link *link)
{
	unsigned shift = link->failures < 7 ? link->failures : 7;
	uint32_t ms = (uint32_t)BACKOFF_FIRST_MS << shift;

	if (ms > BACKOFF_MOST_MS)
		ms = BACKOFF_MOST_MS;
	link->failures++;
	/* Between half and all of it, so that instances do not come back in one instant. */
	loop_timer_start(link->again, ms / 2 + randombytes_uniform(ms / 2 + 1), 0);
}

static void socket_close(struct redis_link *link)
{
	redis_dial_cancel(&link->dial);
	loop_watch_close(&link->watch);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->want_write = false;
	if (link->reader)
		redisReaderFree(link->reader);
	link->reader = NULL;
}

/* Every call that is under way ends without an answer. */
static void calls_end(struct redis_link *link)
{
	struct queue calls = link->calls;

	queue_init(&link->calls);
	link->unsent = NULL;
	for (int i = 0; i < PATIENCE_COUNT; i++)
		queue_init(&link->waits[i]);
	if (!calls.first)
		return;
	for (struct redis_call *call = calls.first, *next; call; call = next) {
		next = call->next;
		call_finish(call, NULL);
	}
}

static void link_drop(struct redis_link *link, const char *why)
{
	struct error error = {0};

	error_set(&error, "redis at %s: %s", link->url, why);
	socket_close(link);
	/* One that greets us and then breaks (a replica) must not be dialled without a pause. */
	if (link->state == LINK_UP && clock_mono_us() - link->up_us > GOOD_LIFE_US)
		link->failures = 0;
	link->state = LINK_DOWN;
	link->broken.text[0] = '\0';
	again_later(link);
	link->down(link->arg, error.text);
	calls_end(link);
}

/* ---- replies ---- */

static bool starts_with(const redisReply *reply, const char *word)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, word, strlen(word)) == 0;
}

/* A refusal to load shows when the call that needs the script comes back. */
static void loaded_again(void *arg, const redisReply *reply)
{
	(void)reply;
	((struct redis_link *)arg)->loading--;
}

static void script_load(struct redis_link *link, size_t i,
			void (*reply)(void *arg, const redisReply *reply), void *arg)
{
	struct redis_call *call = redis_call_new(3);

	redis_call_str(call, "SCRIPT");
	redis_call_str(call, "LOAD");
	redis_call_bytes(call, redis_scripts[i].text, redis_scripts[i].len);
	call_prepare(call, PATIENCE_LONG, reply, arg);
	call_queue(link, call);
}

/* The script cache was flushed, or this Redis never had it. */
static void call_again(struct redis_link *link, struct redis_call *call)
{
	/* One loading serves all calls that were behind the flush: they are queued after it. */
	if (link->loading == 0)
		for (size_t i = 0; i < SCRIPT_COUNT; i++, link->loading++)
			script_load(link, i, loaded_again, link);
	call->resent = true;
	call_queue(link, call);
}

static void reply_handle(struct redis_link *link, const redisReply *reply)
{
	struct redis_call *call = queue_take(&link->calls);

	if (!call || call == link->unsent) {
		error_set(&link->broken, "an answer to no question");
		if (call)
			call_finish(call, NULL);
		return;
	}
	if (!call->over)
		wait_remove(&link->waits[call->patience], call);
	if (call->script && !call->resent && !call->over && starts_with(reply, "NOSCRIPT")) {
		call_again(link, call);
		return;
	}
	/* A former master that became a replica, or one that has lost its own. */
	if (starts_with(reply, "READONLY") || starts_with(reply, "MASTERDOWN"))
		error_set(&link->broken, "it is a replica now");
	call_finish(call, reply);
}

static void replies_read(struct redis_link *link)
{
	void *reply = NULL;

	while (link->broken.text[0] == '\0') {
		if (redisReaderGetReply(link->reader, &reply) != REDIS_OK)
			error_set(&link->broken, "protocol error: %s", link->reader->errstr);
		if (!reply)
			break;
		reply_handle(link, reply);
		freeReplyObject(reply);
		reply = NULL;
	}
}

static void link_read(struct redis_link *link)
{
	for (int i = 0; i < READS_A_TURN && link->broken.text[0] == '\0'; i++) {
		ssize_t got = read(link->fd, link->input, sizeof link->input);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			error_set(&link->broken, "%s",
				  got < 0 ? strerror(errno) : "connection closed by it");
			return;
		}
		if (redisReaderFeed(link->reader, link->input, (size_t)got) != REDIS_OK)
			error_set(&link->broken, "protocol error");
		else
			replies_read(link);
		if ((size_t)got < sizeof link->input)
			return;
	}
}

/* ---- sending ---- */

static size_t parts_collect(const struct redis_link *link, struct iovec parts[WRITE_PARTS])
{
	size_t count = 0;

	for (struct redis_call *call = link->unsent; call && count < WRITE_PARTS;
	     call = call->next) {
		size_t offset = count == 0 ? link->unsent_offset : 0;
		parts[count].iov_base = call->bytes.data + offset;
		parts[count++].iov_len = call->bytes.len - offset;
	}
	return count;
}

static void parts_sent(struct redis_link *link, size_t sent)
{
	while (sent > 0) {
		size_t left = link->unsent->bytes.len - link->unsent_offset;
		if (sent < left) {
			link->unsent_offset += sent;
			return;
		}
		sent -= left;
		/* Scripts may have to be sent again; other commands are no longer needed. */
		if (!link->unsent->script)
			buf_free(&link->unsent->bytes);
		link->unsent = link->unsent->next;
		link->unsent_offset = 0;
	}
}

static void link_write(struct redis_link *link)
{
	struct iovec parts[WRITE_PARTS];
	bool blocked = false;

	while (link->unsent && !blocked) {
		size_t count = parts_collect(link, parts);
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
		/* Not writev(): a broken pipe is an errno here, not a signal for the process. */
		ssize_t sent = sendmsg(link->fd, &message, MSG_NOSIGNAL);
		if (sent >= 0) {
			parts_sent(link, (size_t)sent);
		} else if (errno == EAGAIN) {
			blocked = true;
		} else if (errno != EINTR) {
			error_set(&link->broken, "%s", strerror(errno));
			return;
		}
	}
	if (link->want_write != blocked) {
		link->want_write = blocked;
		loop_watch_set(link->watch, LOOP_READ | (blocked ? LOOP_WRITE : 0));
	}
}

static void broken_check(struct redis_link *link)
{
	struct error why = link->broken;

	if (why.text[0])
		link_drop(link, why.text);
}

static void turn_ended(void *arg)
{
	struct redis_link *link = arg;

	if (link->state >= LINK_GREETING && link->unsent && !link->want_write) {
		link_write(link);
		broken_check(link);
	}
}

static void ready(void *arg, int events)
{
	struct redis_link *link = arg;

	if (events & LOOP_READ)
		link_read(link);
	if ((events & LOOP_WRITE) && link->broken.text[0] == '\0')
		link_write(link);
	broken_check(link);
}

/* ---- the beginning of a connection ---- */

static void greeted(void *arg, const redisReply *reply)
{
	struct redis_link *link = arg;

	if (!reply || link->state != LINK_GREETING)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		error_set(&link->broken, "%s", reply->str);
		return;
	}
	/* CLIENT ID is the only number, and SCRIPT LOADs come last, in order. */
	if (reply->type == REDIS_REPLY_INTEGER)
		link->id = reply->integer;
	link->greetings--;
	if (link->greetings < SCRIPT_COUNT && reply->type == REDIS_REPLY_STRING &&
	    reply->len == SHA1_HEX)
		memcpy(link->sha[SCRIPT_COUNT - 1 - link->greetings], reply->str, SHA1_HEX + 1);
	if (link->greetings == 0) {
		link->state = LINK_UP;
		link->up_us = clock_mono_us();
		link->up(link->arg);
	}
}

static void greet(struct redis_link *link, size_t count, const char *const words[])
{
	struct redis_call *call = redis_call_new(count);

	for (size_t i = 0; i < count; i++)
		redis_call_str(call, words[i]);
	call_prepare(call, PATIENCE_LONG, greeted, link);
	call_queue(link, call);
	link->greetings++;
}

static void greet_all(struct redis_link *link)
{
	char db[16];

	snprintf(db, sizeof db, "%d", link->target.db);
	link->greetings = 0;
	if (link->password && link->user)
		greet(link, 3, (const char *const[]){"AUTH", link->user, link->password});
	else if (link->password)
		greet(link, 2, (const char *const[]){"AUTH", link->password});
	if (link->target.db != 0)
		greet(link, 2, (const char *const[]){"SELECT", db});
	greet(link, 3, (const char *const[]){"CLIENT", "SETNAME", link->name});
	greet(link, 2, (const char *const[]){"CLIENT", "ID"});
	for (size_t i = 0; i < SCRIPT_COUNT; i++, link->greetings++)
		script_load(link, i, greeted, link);
}

static void dialed(void *arg, int fd, const char *reason)
{
	struct redis_link *link = arg;

	link->dial = NULL;
	if (fd < 0) {
		link_drop(link, reason);
		return;
	}
	link->fd = fd;
	link->watch = loop_watch(link->loop, fd, LOOP_READ, ready, link);
	link->reader = redisReaderCreate();
	if (!link->reader)
		abort();
	link->state = LINK_GREETING;
}

static void dial(void *arg)
{
	struct redis_link *link = arg;

	link->state = LINK_DIALING;
	/* The greeting's deadlines cover the connecting, too. */
	greet_all(link);
	link->dial = redis_dial_start(link->loop, &link->target, dialed, link);
}

static char *copy(const char *s)
{
	return s && *s ? xstrdup(s) : NULL;
}

struct redis_link *redis_link_new(struct loop *loop, const struct redis_link_options *options,
				  struct error *error_r)
{
	struct redis_target target;

	if (redis_target_parse(options->url, &target, error_r) < 0)
		return NULL;
	struct redis_link *link = xalloc(sizeof *link);
	link->loop = loop;
	link->target = target;
	link->url = xstrdup(options->url);
	link->user = copy(options->user);
	link->password = copy(options->password);
	link->name = xstrdup(options->name);
	link->arg = options->arg;
	link->up = options->up;
	link->down = options->down;
	link->fd = -1;
	queue_init(&link->calls);
	queue_init(&link->failed);
	for (int i = 0; i < PATIENCE_COUNT; i++)
		queue_init(&link->waits[i]);
	link->hook = loop_at_turn_end(loop, turn_ended, link);
	link->again = loop_timer(loop, dial, link);
	link->tick = loop_timer(loop, ticked, link);
	link->soon = loop_timer(loop, failed_told, link);
	dial(link);
	return link;
}

void redis_link_free(struct redis_link **link_r)
{
	struct redis_link *link = *link_r;

	if (!link)
		return;
	*link_r = NULL;
	socket_close(link);
	link->state = LINK_DOWN;
	calls_end(link);
	failed_told(link);
	loop_hook_close(&link->hook);
	loop_timer_close(&link->again);
	loop_timer_close(&link->tick);
	loop_timer_close(&link->soon);
	if (link->password)
		sodium_memzero(link->password, strlen(link->password));
	free(link->password);
	free(link->user);
	free(link->name);
	free(link->url);
	free(link);
}

bool redis_link_is_up(const struct redis_link *link)
{
	return link->state == LINK_UP;
}

long long redis_link_id(const struct redis_link *link)
{
	return link->id;
}

uint64_t redis_link_commands(const struct redis_link *link)
{
	return link->commands;
}
