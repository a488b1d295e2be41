/* bot/run/channels.h - the configured channels, opened, held back, closed.
 *
 * Lends each adapter its host: loop, HTTP, websockets, and the runner behind
 * accept() and settled().
 */
#ifndef BOT_RUN_CHANNELS_H
#define BOT_RUN_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "adapters/adapter.h"
#include "bot/run/runner.h"
#include "config/config.h"

struct channels;
struct web;

/* What config must know to read the adapters' sections; ends with a NULL row. */
const struct adapter_settings *channels_settings(void);

struct channels *channels_new(const struct config *config, struct loop *loop, struct http *http,
			      struct sockets *sockets, struct web *web);
/* The same channels as the runner and the core see them. */
size_t channels_for_runner(const struct channels *channels, const struct runner_channel **list_r);
size_t channels_for_bot(const struct channels *channels, const struct bot_channel **list_r);
/* Opens all and mounts their webhooks; -1 names the first that cannot work as configured. */
int channels_open(struct channels *channels, struct runner *runner, struct error *error_r)
	MUST_CHECK;
void channels_send(struct channels *channels, const char *name, const struct message_out *message);
/* The store is away (true) or back. */
void channels_hold(struct channels *channels, bool held);
/* Closes all; `closed` comes once all are. */
void channels_close(struct channels *channels, void (*closed)(void *arg), void *arg);
void channels_free(struct channels **channels);

/* "/hook/<name>/" of the first channel that has a page for people, or NULL. */
const char *channels_page(const struct channels *channels);

struct channel_status {
	const char *name, *adapter;
	enum channel_health health;
	const char *why; /* NULL: nothing to say */
};
size_t channels_count(const struct channels *channels);
struct channel_status channels_status(const struct channels *channels, size_t index);

#endif
