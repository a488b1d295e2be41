/* bot/run/daemon.c - the daemon's parts are made in order, run on one loop, and taken down in order. */
#include "bot/run/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "adapters/http.h"
#include "adapters/socket.h"
#include "adapters/web.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "bot/run/channels.h"
#include "bot/run/metrics.h"
#include "bot/run/notify.h"
#include "bot/run/runner.h"
#include "state/redis_child.h"
#include "state/seal.h"
#include "state/store_redis.h"

/* Each stage waits for the one before; see stop_step(). */
enum stage { RUNNING, DRAINING, CLOSING, ABANDONING, RELEASING, STOPPED };

enum {
	STOP_LOOK_MS = 5,
	DRAIN_STANDARD_MS = 30 * 1000,
	CLOSE_MOST_MS = 10 * 1000, /* for channels to close, after the drain's time is over */
	WAKE_MOST_MS = 60 * 1000,
};

struct daemon {
	const struct config *config;
	struct loop *loop;
	struct loop_timer *wake, *stop;
	struct loop_signal *terminate, *interrupt, *hangup;
	struct seal *seal;
	struct redis_child *redis;
	struct store *store;
	struct web *web;
	struct http *http;
	struct sockets *sockets;
	struct channels *channels;
	struct bot *bot;
	struct runner *runner;
	struct runner_host host;
	enum stage stage;
	bool store_seen; /* it was there once */
	bool abandoned; /* a channel did not close: its memory must stay */
	int64_t drain_until_us; /* on the clock that nobody sets */
};

static int64_t host_now(void *arg)
{
	(void)arg;
	return clock_wall_ms();
}

static int64_t host_mono_us(void *arg)
{
	(void)arg;
	return clock_mono_us();
}

static uint64_t host_seed(void *arg)
{
	uint64_t seed;

	(void)arg;
	randombytes_buf(&seed, sizeof(seed)); /* one-time digits come from it: it must not be guessed */
	return seed;
}

static int host_utc_offset(void *arg, const char *zone, int64_t now)
{
	int offset = 0;

	(void)arg;
	if (clock_zone_offset(zone, now, &offset))
		return 0; /* the configuration was checked; only a vanished tz database comes here */
	return offset;
}

static void host_hash(void *arg, const char *space, const char *input, char *out)
{
	struct daemon *daemon = arg;

	seal_hash(daemon->seal, space, input, out);
}

static void host_transmit(void *arg, const char *channel, const struct message_out *message)
{
	struct daemon *daemon = arg;

	channels_send(daemon->channels, channel, message);
}

static void host_wake_at(void *arg, int64_t at)
{
	struct daemon *daemon = arg;
	int64_t now = clock_wall_ms();
	int64_t wait = at > now ? at - now : 0;

	/* The timer counts time that passes; the wall clock may be set meanwhile. */
	loop_timer_start(daemon->wake, (uint64_t)(wait < WAKE_MOST_MS ? wait : WAKE_MOST_MS), 0);
}

static void host_held(void *arg, bool held)
{
	struct daemon *daemon = arg;

	daemon->store_seen = daemon->store_seen || !held;
	if (daemon->stage == RUNNING)
		channels_hold(daemon->channels, held);
}

static void wake(void *arg)
{
	struct daemon *daemon = arg;

	runner_wake(daemon->runner);
}

/* ---- pages of the house ---- */

static void get_health(void *arg, struct web_request *request)
{
	(void)arg;
	web_reply(request, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static const char *health_word(enum channel_health health)
{
	static const char *const words[] = {
		[CHANNEL_STARTING] = "starting",
		[CHANNEL_UP] = "up",
		[CHANNEL_RETRYING] = "retrying",
		[CHANNEL_DEAD] = "dead",
	};

	return words[health];
}

static void get_ready(void *arg, struct web_request *request)
{
	struct daemon *daemon = arg;
	bool store = runner_ready(daemon->runner);
	bool ready = store && daemon->stage == RUNNING;
	struct buf out;

	buf_init(&out, 0);
	buf_printf(&out, "%s\nstore: %s\n", ready ? "ready" : daemon->stage == RUNNING ? "not ready" : "stopping",
		   store ? "up" : "away");
	for (size_t i = 0; i < channels_count(daemon->channels); i++) {
		struct channel_status status = channels_status(daemon->channels, i);

		buf_printf(&out, "channel %s: %s%s%s\n", status.name, health_word(status.health),
			   status.why ? ": " : "", status.why ? status.why : "");
	}
	web_reply(request, ready ? 200 : 503, "text/plain; charset=utf-8", out.data, out.len);
	buf_free(&out);
}

static void get_metrics(void *arg, struct web_request *request)
{
	struct daemon *daemon = arg;
	struct buf out;

	buf_init(&out, 0);
	metrics_write(&out, &(struct metrics_sources){
				    .runner = daemon->runner,
				    .channels = daemon->channels,
				    .web = web_counts(daemon->web),
				    .store = store_redis_figures(daemon->store),
				    .ready = runner_ready(daemon->runner),
			    });
	web_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", out.data, out.len);
	buf_free(&out);
}

static void get_root(void *arg, struct web_request *request)
{
	struct daemon *daemon = arg;
	const char *page = channels_page(daemon->channels);

	if (!page) {
		web_refuse(request, 404, "There is no page here; /readyz tells how the daemon is.");
		return;
	}
	web_reply_header(request, "Location", page);
	web_reply(request, 303, "text/plain; charset=utf-8", "", 0);
}

static const struct web_route routes[] = {
	{.method = "GET", .path = "/", .handle = get_root},
	{.method = "GET", .path = "/healthz", .handle = get_health},
	{.method = "GET", .path = "/readyz", .handle = get_ready},
	{.method = "GET", .path = "/metrics", .handle = get_metrics},
	{.path = NULL},
};

/* ---- stopping, stage by stage ---- */

static void stopped(void *arg)
{
	struct daemon *daemon = arg;

	daemon->stage = STOPPED;
	loop_stop(daemon->loop);
}

static void released(void *arg)
{
	struct daemon *daemon = arg;

	if (daemon->redis)
		redis_child_stop(&daemon->redis, stopped, daemon);
	else
		stopped(daemon);
}

static void channels_closed(void *arg)
{
	struct daemon *daemon = arg;

	/* Closing settled what was still with the platforms; let those outcomes be recorded. */
	if (daemon->stage == CLOSING)
		daemon->stage = RELEASING;
}

/* Drained, or out of time: then the channels close, then the shards are given back. */
static void stop_step(void *arg)
{
	struct daemon *daemon = arg;
	int64_t over_us = clock_mono_us() - daemon->drain_until_us;
	bool late = over_us >= 0;

	if (daemon->stage == DRAINING && (late || runner_idle(daemon->runner))) {
		if (late)
			log_warning(NULL, "stopping: not everything in flight was answered in time");
		daemon->stage = CLOSING;
		channels_close(daemon->channels, channels_closed, daemon);
	}
	if (daemon->stage == CLOSING && over_us >= CLOSE_MOST_MS * 1000LL) {
		log_error(NULL, "stopping: a channel does not close; it is left as it is");
		daemon->stage = ABANDONING;
	}
	if (daemon->stage == ABANDONING ||
	    (daemon->stage == RELEASING && (late || runner_idle(daemon->runner)))) {
		daemon->abandoned = daemon->stage == ABANDONING;
		loop_timer_stop(daemon->stop);
		runner_release(daemon->runner, released, daemon);
	}
}

static void begin_stop(struct daemon *daemon)
{
	int64_t patience = daemon->config->drain ? daemon->config->drain : DRAIN_STANDARD_MS;

	log_info(NULL, "stopping: finishing what is in flight");
	daemon->stage = DRAINING;
	daemon->drain_until_us = clock_mono_us() + patience * 1000;
	notify_stopping();
	web_quiesce(daemon->web);
	channels_hold(daemon->channels, true);
	runner_drain(daemon->runner);
	loop_timer_start(daemon->stop, 0, STOP_LOOK_MS);
}

static void on_signal(void *arg, int signum)
{
	struct daemon *daemon = arg;

	if (daemon->stage != RUNNING) {
		log_warning(NULL, "leaving at once; what was in flight is found again at the next start");
		_exit(128 + signum);
	}
	begin_stop(daemon);
}

/* A closed terminal or a reload must not end a daemon that holds people's requests. */
static void on_hangup(void *arg, int signum)
{
	(void)arg;
	(void)signum;
	log_info(NULL, "SIGHUP: settings are read at the start; restart to use changed ones");
}

/* ---- starting ---- */

/* Held until the process ends: two daemons on one managed Redis would take the shards from each
 * other. */
static int lock_data(const char *folder, struct error *error_r)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/linli.lock", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(error_r, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return error_set(error_r, "data folder %s: another linli is running on it", folder);
	return 0;
}

/* A Redis of ours that has never come up will not by being started again; its own words are in the
 * log above. One that was there before is waited for: a full disk may be emptied. */
static void redis_failing(void *arg, const char *how)
{
	struct daemon *daemon = arg;

	if (daemon->store_seen || daemon->stage != RUNNING)
		return;
	log_error(NULL, "cannot start: redis-server %s again and again; what it says stands above, its data in %s",
		  how, daemon->config->data);
	exit(1); /* nothing was accepted yet */
}

static int open_store(struct daemon *daemon, struct error *error_r)
{
	const struct config *config = daemon->config;
	struct store_listener listener = runner_listener(daemon->runner);
	struct store_redis_options options = {.url = config->redis,
					      .user = config->redis_user,
					      .password = config->redis_password,
					      .instance = config->instance,
					      .prefix = "linli"};

	if (!strcmp(config->redis, "managed")) {
		daemon->redis = redis_child_start(daemon->loop, config->data, error_r);
		if (!daemon->redis || lock_data(config->data, error_r))
			return -1;
		redis_child_on_failing(daemon->redis, redis_failing, daemon);
		options.url = redis_child_url(daemon->redis);
		/* Nobody else uses it, so after a crash the shards are ours at once. */
		if (!options.instance)
			options.instance = "managed";
	}
	daemon->store = store_redis_new(daemon->loop, daemon->seal, &options, &listener, error_r);
	if (!daemon->store)
		return -1;
	runner_start(daemon->runner, daemon->store);
	return 0;
}

static void make_runner(struct daemon *daemon, const struct locales *locales)
{
	const struct config *config = daemon->config;
	const struct bot_channel *for_bot;
	const struct runner_channel *for_runner;
	size_t count = channels_for_bot(daemon->channels, &for_bot);

	daemon->bot = bot_new(locales, config->communities, config->community_count, for_bot, count);
	daemon->host = (struct runner_host){.arg = daemon,
					    .now = host_now,
					    .mono_us = host_mono_us,
					    .seed = host_seed,
					    .utc_offset = host_utc_offset,
					    .hash = host_hash,
					    .transmit = host_transmit,
					    .wake_at = host_wake_at,
					    .held = host_held};
	count = channels_for_runner(daemon->channels, &for_runner);
	daemon->runner = runner_new(config, daemon->bot, for_runner, count, &daemon->host);
}

static int start(struct daemon *daemon, const struct locales *locales, struct error *error_r)
{
	const struct config *config = daemon->config;

	daemon->seal = seal_open_file(config->key_file, error_r);
	if (!daemon->seal)
		return -1;
	daemon->web = web_new(daemon->loop, config->listen, error_r);
	if (!daemon->web)
		return -1;
	daemon->http = http_new(daemon->loop);
	daemon->sockets = sockets_new(daemon->loop, error_r);
	if (!daemon->sockets)
		return -1;
	daemon->channels =
		channels_new(config, daemon->loop, daemon->http, daemon->sockets, daemon->web);
	make_runner(daemon, locales);
	web_mount(daemon->web, "", routes, daemon);
	if (open_store(daemon, error_r))
		return -1;
	return channels_open(daemon->channels, daemon->runner, error_r);
}

static void announce(struct daemon *daemon)
{
	const char *page = channels_page(daemon->channels);

	log_info(NULL, "listening on port %d", web_port(daemon->web));
	if (page)
		log_info(NULL, "the page is at %s%s", daemon->config->public_url, page);
	notify_ready();
}

static void take_down(struct daemon *daemon)
{
	if (daemon->store)
		daemon->store->methods->free(daemon->store);
	runner_free(&daemon->runner);
	channels_free(&daemon->channels);
	bot_free(&daemon->bot);
	sockets_free(&daemon->sockets);
	http_free(&daemon->http);
	web_free(&daemon->web);
	seal_free(&daemon->seal);
	loop_signal_close(&daemon->terminate);
	loop_signal_close(&daemon->interrupt);
	loop_signal_close(&daemon->hangup);
	loop_timer_close(&daemon->wake);
	loop_timer_close(&daemon->stop);
	loop_run(daemon->loop); /* websockets end in turns of their own */
	loop_free(&daemon->loop);
}

int daemon_run(const struct config *config, const struct locales *locales)
{
	struct daemon daemon = {.config = config};
	struct error error = {""};
	int status = 0;

	signal(SIGPIPE, SIG_IGN);
	daemon.loop = loop_new();
	daemon.wake = loop_timer(daemon.loop, wake, &daemon);
	daemon.stop = loop_timer(daemon.loop, stop_step, &daemon);
	daemon.terminate = loop_signal(daemon.loop, SIGTERM, on_signal, &daemon);
	daemon.interrupt = loop_signal(daemon.loop, SIGINT, on_signal, &daemon);
	daemon.hangup = loop_signal(daemon.loop, SIGHUP, on_hangup, &daemon);
	if (start(&daemon, locales, &error)) {
		log_error(NULL, "cannot start: %s", error.text);
		exit(1); /* nothing was accepted yet; a managed redis dies with us */
	}
	announce(&daemon);
	loop_run(daemon.loop);
	if (daemon.abandoned)
		_exit(1);
	if (daemon.stage != STOPPED)
		status = 1;
	take_down(&daemon);
	log_info(NULL, "stopped");
	return status;
}
