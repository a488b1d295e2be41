/* config/settings_read.h - fills structs from YAML by their tables; private to config/. */
#ifndef CONFIG_SETTINGS_READ_H
#define CONFIG_SETTINGS_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "config/community.h"
#include "config/mistakes.h"
#include "config/settings.h"
#include "config/yaml.h"

struct locales;

/* What reading needs to know; one for a whole file. */
struct settings_reader {
	struct arena *arena; /* strings and lists go there */
	struct mistakes *mistakes;
	const struct locales *locales;
	const char *folder; /* relative paths are below it */
};

/* Fills *into. Keys in `others` (NULL-ended, may be NULL) are read by somebody else. A row without
 * a default leaves its field alone, so that the caller may set it before. */
void settings_fill(struct settings_reader *reader, const struct yaml_node *map,
		   const struct setting *table, const char *const *others, void *into);

/* "15m" as milliseconds; false if it is no duration. */
bool setting_duration(const char *text, int64_t *ms_r);
/* A path as seen from the config file's folder. */
const char *settings_path(const struct settings_reader *reader, const char *path);
/* Adds the mistake "<what> …" at a node, with the nearest of `names` (NULL-ended) as a hint. */
void settings_unknown(struct settings_reader *reader, const struct yaml_node *at, const char *what,
		      const char *name, const char *const *names);

/* Says that a section with one key for each has none, or is a list. `node` may be NULL. */
void settings_none(struct settings_reader *reader, const struct yaml_node *node,
		   const char *section, const char *one);
/* Ids are parts of keys in the store and of addresses: letters, digits, - and _, at most 32. */
void settings_check_id(struct settings_reader *reader, const struct yaml_node *node,
		       const char *id);

/* The tables, for reading and for docs/settings.md. */
extern const struct setting instance_settings[];
extern const struct setting channel_settings[];
extern const struct setting community_settings[];
extern const struct setting area_settings[];
extern const struct setting kind_settings[];
extern const struct setting group_settings[];
extern const struct setting organiser_settings[];

/* config/community_read.c: all communities of the file. `channels` are the names that exist. */
struct config;
void communities_read(struct settings_reader *reader, const struct yaml_node *map,
		      const char *const *channels, struct config *config);

#endif
