/* config/yaml.h - a YAML file as a tree whose every node knows its line and column.
 *
 * YAML 1.1 by libyaml, without what settings do not need: anchors, aliases, tags, several
 * documents and keys that are no plain words are mistakes. So are doubled keys. A file has at most
 * 1 MiB, 32 levels and 100,000 nodes.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/mistakes.h"

struct arena;

enum yaml_kind {
	YAML_NOTHING, /* empty, ~ or null */
	YAML_TEXT,
	YAML_LIST,
	YAML_MAP,
};

struct yaml_node {
	enum yaml_kind kind;
	int line, column;         /* from 1 */
	const char *text;         /* YAML_TEXT */
	struct yaml_node **items; /* of a list, or the values of a map */
	struct yaml_node **keys;  /* of a map, all YAML_TEXT */
	size_t count;
};

/* NULL if the text is no YAML; mistakes are added either way, and with some the tree may still be
 * there, so that more can be found in it. */
struct yaml_node *yaml_read(struct arena *arena, const char *text, size_t len,
			    struct mistakes *mistakes);
struct yaml_node *yaml_read_file(struct arena *arena, const char *file, struct mistakes *mistakes);

/* The value under a key of a map; NULL if there is none or the node is no map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* "a list", for sentences. */
const char *yaml_kind_name(enum yaml_kind kind);

#endif
