/* adapters/chat/telegram.h - one Telegram bot by long polling (Bot API, core.telegram.org/bots/api).
 *
 * telegram.c polls and keeps the channel's life, telegram_in.c reads updates (pure),
 * telegram_out.c sends and edits.
 *
 * Ids: a message is "<message_id>.<8 hex of its chat>", because Telegram numbers messages per chat.
 * The offset of getUpdates, which makes Telegram forget, moves only after the house has accepted;
 * it need not be kept: without one Telegram begins at the oldest it has not been told about.
 */
#ifndef ADAPTERS_CHAT_TELEGRAM_H
#define ADAPTERS_CHAT_TELEGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/adapter.h"

struct arena;
struct http_answer;
struct http_request;
struct json_object;
struct loop_timer;

enum {
	TELEGRAM_UPDATE_MESSAGES_MAX = 16, /* one update: a set of reactions makes several */
	TELEGRAM_UPDATES_MAX = 100,        /* of one poll: the API's own limit */
	TELEGRAM_TEXT_UNITS_MAX = 4096,    /* UTF-16 code units of a text */
	TELEGRAM_BUTTON_BYTES_MAX = 64,
	TELEGRAM_FLOOR_MS = 1000,          /* between two polls that brought nothing */
};

/* ---- telegram_in.c ---- */

struct telegram_self {
	int64_t id;
	const char *username; /* without @ */
};

/* What an update means besides messages. */
struct telegram_notice {
	const char *callback_id; /* a button was tapped: to be answered at once */
	int64_t moved_from, moved_to; /* a group became a supergroup */
	bool removed;            /* the bot was put out of a group */
};

/* Strings live in the arena or in `update`. Returns the number of messages, at most
 * TELEGRAM_UPDATE_MESSAGES_MAX. Unknown or malformed parts are skipped. */
size_t telegram_read_update(struct arena *arena, struct json_object *update,
			    const struct telegram_self *self, struct message_in *messages,
			    struct telegram_notice *notice_r);
/* A strict parse of one document; NULL if it is none. Free with json_object_put(). */
struct json_object *telegram_parse(const char *json, size_t len);
struct json_object *telegram_member(struct json_object *object, const char *name);
int64_t telegram_int(struct json_object *object, const char *name);      /* 0: none */
const char *telegram_string(struct json_object *object, const char *name); /* NULL: none */
char *telegram_message_id(struct arena *arena, int64_t message_id, int64_t chat);

/* ---- telegram_out.c ---- */

struct telegram;

struct telegram_send {
	struct telegram_send *next;
	struct telegram *telegram;
	struct http_request *request;
	struct arena *arena;
	struct message_out message; /* a copy in the arena */
	bool moved;                 /* tried again at the group's new id */
};

void telegram_send(struct channel *channel, const struct message_out *message);
void telegram_cancel_sends(struct telegram *telegram);
void telegram_settle_late(struct telegram *telegram);

/* ---- telegram.c ---- */

struct telegram_move {
	struct telegram_move *next;
	int64_t from, to;
};

struct telegram_late {
	struct telegram_late *next;
	char *id;
	struct outcome outcome; /* strings are literals */
};

struct telegram {
	/* settings */
	const char *token, *url;
	int64_t poll_ms, rest_ms;

	struct channel *channel;
	struct loop_timer *timer, *soon;
	struct http_request *polling;
	char *username;
	int64_t id, offset, asked_at, backoff_ms;
	struct arena *batch;  /* of the messages offered to the house; NULL: none */
	struct json_object *batch_json;
	struct message_in *messages;
	size_t message_count;
	int64_t batch_offset; /* the offset once they are accepted */
	bool offered, held, closing;
	size_t answering;     /* answerCallbackQuery under way */
	struct telegram_send *sends;
	struct telegram_move *moves;
	struct telegram_late *late;
};

/* Starts a call of a Bot API method; `body` is taken and freed. */
struct http_request *telegram_call(struct telegram *telegram, const char *method,
				   struct json_object *body, int64_t timeout_ms,
				   void (*done)(void *arg, const struct http_answer *answer),
				   void *arg);
/* The group's id now; -1001… after it moved. */
int64_t telegram_moved(const struct telegram *telegram, int64_t chat);
void telegram_note_move(struct telegram *telegram, int64_t from, int64_t to);
void telegram_maybe_closed(struct telegram *telegram);

#endif
