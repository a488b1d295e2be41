/* config/community.h - one neighbourhood as the operator wrote it down.
 *
 * Plain data, read-only while the daemon runs; the core reads it.
 */
#ifndef CONFIG_COMMUNITY_H
#define CONFIG_COMMUNITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"

/* Languages are the shipped locales, in the order they were found; index 0 is
 * always zh-CN and 1 en. A third language is one more file in config/locales. */
enum { LANGUAGES_MAX = 8 };

/* A name in each language; missing ones fall back to the community's. */
struct names {
	const char *in[LANGUAGES_MAX];
};

struct area {
	const char *id;
	struct names name;   /* as shown on a card */
	struct texts words;  /* folded (base/text.h) words that mean this area */
};

struct kind {
	const char *id;
	struct names name;
	struct texts words;  /* folded keywords in all languages; "re:"-free plain substrings */
	bool sensitive;      /* never posted to a group */
	int64_t helpers;     /* how many volunteers it takes, at least 1 */
	struct texts groups; /* group ids it goes to; empty: every group of the area */
};

/* A group chat of volunteers. */
struct group {
	const char *id;
	const char *channel; /* channel name */
	const char *address; /* the platform's id of the chat */
	int language;
	struct texts areas;  /* area ids; empty: all */
};

/* Somebody who may organise, named by address. */
struct organiser {
	const char *channel;
	const char *address;
};

struct model;

struct community {
	const char *id;
	int shard;
	struct names name;
	int language;             /* default */
	const char *zone;         /* IANA time zone */
	const char *country;      /* ISO 3166, for emergency numbers */
	struct texts emergency;   /* numbers told in danger, e.g. 110 119 120 */
	struct area *areas;       size_t area_count;
	struct kind *kinds;       size_t kind_count;
	struct group *groups;     size_t group_count;
	struct organiser *organisers; size_t organiser_count;
	struct texts channels;    /* names of the channels that serve it */
	bool join_open;           /* anyone may become a volunteer by word */
	/* steps and patience, milliseconds */
	int64_t lease;            /* a claim lasts this long unless kept */
	int64_t lease_reminder;   /* this long before its end a word is asked for */
	int64_t unfilled;         /* after this long open, organisers are told */
	int64_t confirm_wait;     /* after done, silence this long closes as unconfirmed */
	int64_t draft_wait;       /* an unanswered question is forgotten after this long */
	int64_t code_rest;        /* a code is not used again this long after closing */
	int64_t flood_count;      /* messages … */
	int64_t flood_window;     /* … in this long, then one warning and silence */
	const struct model *intake_model; /* what reads like a request; NULL: words alone decide */
	int64_t intake_threshold; /* percent; 0: the model's own */
};

#endif
