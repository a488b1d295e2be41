/* bot/run/channels.c - each configured channel gets its adapter, its settings and its host. */
#include "bot/run/channels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/web.h"
#include "base/arena.h"

struct seat {
	struct channel channel;
	struct channels *all;
	enum channel_health health;
	char why[256];
	char prefix[128];
	bool open;
};

struct channels {
	struct host host;
	struct runner *runner;
	struct web *web;
	struct seat *seats;
	size_t count, open;
	struct runner_channel *for_runner;
	struct bot_channel *for_bot;
	void (*closed)(void *arg);
	void *closed_arg;
};

const struct adapter_settings *channels_settings(void)
{
	static struct adapter_settings rows[64];

	for (size_t i = 0; adapters[i] && i + 1 < sizeof(rows) / sizeof(rows[0]); i++)
		rows[i] = (struct adapter_settings){adapters[i]->name, adapters[i]->own_size,
						    adapters[i]->settings};
	return rows;
}

struct acceptance {
	void (*done)(void *arg, enum accept_result result);
	void *arg;
};

static void accepted(void *arg, bool durable)
{
	struct acceptance *acceptance = arg;

	acceptance->done(acceptance->arg, durable ? ACCEPTED : ACCEPT_LATER);
	free(acceptance);
}

static void host_accept(void *self, struct channel *channel, const struct message_in *messages,
			size_t count, void (*done)(void *arg, enum accept_result result), void *arg)
{
	struct channels *channels = self;
	struct acceptance *acceptance = xalloc(sizeof(*acceptance));

	*acceptance = (struct acceptance){done, arg};
	runner_accept(channels->runner, channel->name, messages, count, accepted, acceptance);
}

static void host_settled(void *self, struct channel *channel, const char *send_id,
			 const struct outcome *outcome)
{
	struct channels *channels = self;

	if (outcome->kind == OUTCOME_REFUSED)
		log_warning(&channel->log, "a message was refused: %s",
			    outcome->reason ? outcome->reason : "no reason told");
	else if (outcome->kind == OUTCOME_UNCERTAIN)
		log_warning(&channel->log, "a message may or may not have gone out: %s",
			    outcome->reason ? outcome->reason : "no answer");
	runner_settled(channels->runner, channel->name, send_id, outcome);
}

static void host_health(void *self, struct channel *channel, enum channel_health health,
			const char *why)
{
	static const char *const words[] = {"starting", "up", "trying again", "not working"};
	struct seat *seat = channel->house;
	bool news = health != seat->health || strncmp(seat->why, why ? why : "", sizeof(seat->why) - 1);

	(void)self;
	seat->health = health;
	snprintf(seat->why, sizeof(seat->why), "%s", why ? why : "");
	if (!news)
		return;
	log_line(health == CHANNEL_DEAD ? LOG_ERROR : health == CHANNEL_RETRYING ? LOG_WARNING : LOG_INFO,
		 &channel->log, "%s%s%s", words[health], why ? ": " : "", why ? why : "");
}

static void host_closed(void *self, struct channel *channel)
{
	struct channels *channels = self;
	struct seat *seat = channel->house;

	if (!seat->open)
		return;
	seat->open = false;
	if (--channels->open == 0 && channels->closed)
		channels->closed(channels->closed_arg);
}

static void fill_seat(struct channels *channels, size_t index, const struct channel_config *config)
{
	const struct adapter *adapter = adapter_find(config->adapter);
	struct seat *seat = &channels->seats[index];

	seat->all = channels;
	seat->channel = (struct channel){
		.name = config->name,
		.adapter = adapter,
		.host = &channels->host,
		.own = config->own,
		.log = {.kind = "channel", .name = config->name},
		.house = seat,
	};
	snprintf(seat->prefix, sizeof(seat->prefix), "/hook/%s/", config->name);
	channels->for_runner[index] = (struct runner_channel){
		.name = config->name,
		.adapter = adapter->name,
		.can = adapter->can,
		.rate = config->rate ? config->rate : adapter->rate,
		.group_gap_ms = adapter->group_gap_ms,
		.in_flight_max = adapter->in_flight_max,
	};
	channels->for_bot[index] = (struct bot_channel){
		.name = config->name, .can = adapter->can, .text_max = adapter->text_max};
}

struct channels *channels_new(const struct config *config, struct loop *loop, struct http *http,
			      struct sockets *sockets, struct web *web)
{
	struct channels *channels = xalloc(sizeof(*channels));
	size_t count = config->channel_count;

	channels->host = (struct host){.self = channels,
				       .loop = loop,
				       .http = http,
				       .sockets = sockets,
				       .public_url = config->public_url,
				       .accept = host_accept,
				       .settled = host_settled,
				       .health = host_health,
				       .closed = host_closed};
	channels->web = web;
	channels->count = count;
	channels->seats = xalloc((count + 1) * sizeof(*channels->seats));
	channels->for_runner = xalloc((count + 1) * sizeof(*channels->for_runner));
	channels->for_bot = xalloc((count + 1) * sizeof(*channels->for_bot));
	for (size_t i = 0; i < count; i++)
		fill_seat(channels, i, &config->channels[i]);
	return channels;
}

size_t channels_for_runner(const struct channels *channels, const struct runner_channel **list_r)
{
	*list_r = channels->for_runner;
	return channels->count;
}

size_t channels_for_bot(const struct channels *channels, const struct bot_channel **list_r)
{
	*list_r = channels->for_bot;
	return channels->count;
}

int channels_open(struct channels *channels, struct runner *runner, struct error *error_r)
{
	channels->runner = runner;
	for (size_t i = 0; i < channels->count; i++) {
		struct seat *seat = &channels->seats[i];
		const struct adapter *adapter = seat->channel.adapter;

		seat->open = true;
		channels->open++;
		if (adapter->open(&seat->channel, error_r)) {
			seat->open = false;
			channels->open--;
			return error_prefix(error_r, "channel %s", seat->channel.name);
		}
		if (adapter->routes)
			web_mount(channels->web, seat->prefix, adapter->routes, &seat->channel);
	}
	return 0;
}

void channels_send(struct channels *channels, const char *name, const struct message_out *message)
{
	for (size_t i = 0; i < channels->count; i++) {
		struct channel *channel = &channels->seats[i].channel;

		if (!strcmp(channel->name, name)) {
			/* One that is closing takes nothing more: the next start finds it in flight. */
			if (!channels->closed)
				channel->adapter->send(channel, message);
			return;
		}
	}
}

void channels_hold(struct channels *channels, bool held)
{
	for (size_t i = 0; i < channels->count; i++) {
		struct seat *seat = &channels->seats[i];

		if (seat->open && seat->channel.adapter->hold)
			seat->channel.adapter->hold(&seat->channel, held);
	}
}

void channels_close(struct channels *channels, void (*closed)(void *arg), void *arg)
{
	channels->closed = closed;
	channels->closed_arg = arg;
	channels->open++; /* so that the last one to close is not missed while this loop runs */
	for (size_t i = 0; i < channels->count; i++)
		if (channels->seats[i].open)
			channels->seats[i].channel.adapter->close(&channels->seats[i].channel);
	if (--channels->open == 0)
		closed(arg);
}

void channels_free(struct channels **channels)
{
	if (!*channels)
		return;
	free((*channels)->seats);
	free((*channels)->for_runner);
	free((*channels)->for_bot);
	free(*channels);
	*channels = NULL;
}

const char *channels_page(const struct channels *channels)
{
	for (size_t i = 0; i < channels->count; i++)
		if (channels->seats[i].channel.adapter->has_page)
			return channels->seats[i].prefix;
	return NULL;
}

size_t channels_count(const struct channels *channels)
{
	return channels->count;
}

struct channel_status channels_status(const struct channels *channels, size_t index)
{
	const struct seat *seat = &channels->seats[index];

	return (struct channel_status){seat->channel.name, seat->channel.adapter->name, seat->health,
				       *seat->why ? seat->why : NULL};
}
