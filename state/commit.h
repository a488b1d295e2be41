/* state/commit.h - what one event changes, all at once.
 *
 * Plain data: the core fills it (bot/step.h), the store applies it in one
 * atomic step. Everything belongs to one shard. Strings and bodies live in the
 * event's arena. Bodies and payloads are sealed by the store; keys, index
 * members and due names are not, so they are made of kinds, codes and keyed
 * hashes only, never of a person's words, name or address.
 */
#ifndef STATE_COMMIT_H
#define STATE_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A document: "task/4711", "person/<keyed hash>". Version 0: it does not exist. */
struct document {
	const char *key;
	uint64_t version;
	const char *body;
	size_t len;
};

/* `version` is the one that was read; the commit fails if it is another now. */
struct document_read {
	const char *key;
	uint64_t version;
};

struct document_write {
	const char *key;
	const char *body; /* NULL: delete */
	size_t len;
	int64_t keep_ms; /* deleted by itself after this long; 0: stays */
};

/* Sorted sets of opaque members: "volunteers/east". Not version-checked. */
struct index_write {
	const char *index, *member;
	double score;
	bool remove;
};

enum lane { LANE_CONVERSATION, LANE_BULK, LANE_COUNT };

struct send {
	const char *id;      /* unique; the same when the event is stepped again */
	const char *channel;
	enum lane lane;
	const char *payload;
	size_t len;
	bool in_flight; /* handed over at once: recorded as possibly gone from the start */
	char entry[32]; /* filled by the store: the outbox entry's id */
};

struct due_write {
	const char *name; /* "lease/4711"; setting it again moves it */
	int64_t at;       /* ms; 0: clear */
};

struct commit {
	const char *entry; /* the inbox entry that this answers; NULL: none */
	struct document_read *reads;   size_t read_count;
	struct document_write *writes; size_t write_count;
	struct index_write *indexes;   size_t index_count;
	struct send *sends;            size_t send_count;
	struct due_write *dues;        size_t due_count;
	uint64_t version; /* filled by the store on OK: what every document written now has */
};

#endif
