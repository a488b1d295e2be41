/* bot/run/envelope.h - events as they lie in the inbox: JSON, sealed by the store.
 *
 * Two kinds are written: a platform's message, and what became of a send. Due
 * events have no body; the store names them.
 */
#ifndef BOT_RUN_ENVELOPE_H
#define BOT_RUN_ENVELOPE_H

#include <stddef.h>

#include "bot/step.h"

struct arena;

char *envelope_message(struct arena *arena, const char *community, const char *channel,
		       const char *sender_key, const struct message_in *message, size_t *len_r);
char *envelope_outcome(struct arena *arena, const char *community, const char *channel,
		       const char *sender_key, const char *send_id, const char *ref,
		       const struct outcome *outcome, size_t *len_r);

/* Fills type, community, channel, sender_key and what belongs to the type; strings live in the
 * arena. -1 if the body is not one of ours. */
int envelope_read(struct arena *arena, const char *body, size_t len, struct event *event_r);

#endif
