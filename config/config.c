/* config/config.c - reads and checks the one YAML file. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "config/settings_read.h"

#define AT(field) offsetof(struct config, field)
#define DAY       ((int64_t)24 * 60 * 60 * 1000)

const struct setting instance_settings[] = {
	{.name = "data", .type = SETTING_TEXT, .offset = AT(data), .standard = "data",
	 .flags = SETTING_NO_RELOAD,
	 .help = "The folder of our own Redis; a relative path is below this file's folder."},
	{.name = "redis", .type = SETTING_TEXT, .offset = AT(redis), .standard = "managed",
	 .flags = SETTING_NO_RELOAD,
	 .help = "managed (our own, in data), tcp://host:port/db or unix:/path?db=N."},
	{.name = "redis_user", .type = SETTING_TEXT, .offset = AT(redis_user),
	 .flags = SETTING_NO_RELOAD, .help = "The Redis user; without, the default user."},
	{.name = "redis_password", .type = SETTING_SECRET, .offset = AT(redis_password),
	 .flags = SETTING_NO_RELOAD, .help = "The Redis password."},
	{.name = "key", .type = SETTING_TEXT, .offset = AT(key_file), .standard = "data/linli.key",
	 .flags = SETTING_NO_RELOAD, .help = "The key file that linli keygen made, mode 0600."},
	{.name = "listen", .type = SETTING_TEXT, .offset = AT(listen), .standard = "127.0.0.1:8080",
	 .flags = SETTING_NO_RELOAD,
	 .help = "Where the web server listens, address:port; port 0 takes any free one."},
	{.name = "socket_listen", .type = SETTING_TEXT, .offset = AT(socket_listen),
	 .flags = SETTING_NO_RELOAD,
	 .help = "Where incoming websockets are taken, address:port; without, none are."},
	{.name = "public_url", .type = SETTING_URL, .offset = AT(public_url),
	 .flags = SETTING_NO_RELOAD,
	 .help = "How the platforms reach listen; without, it is made from listen."},
	{.name = "log", .type = SETTING_CHOICE, .offset = AT(log),
	 .choices = "debug|info|warning|error", .standard = "info",
	 .help = "The least level that is logged."},
	{.name = "instance", .type = SETTING_TEXT, .offset = AT(instance),
	 .flags = SETTING_NO_RELOAD,
	 .help = "This daemon's name among others on one store. With a name of its own it has its shards back at once after a crash; without one, when its lease has run out (10 s)."},
	{.name = "shards", .type = SETTING_INT, .offset = AT(shards), .standard = "64", .least = 1,
	 .most = 1024, .flags = SETTING_NO_RELOAD,
	 .help = "Parts of the store; never changed once a store exists."},
	{.name = "drain", .type = SETTING_DURATION, .offset = AT(drain), .standard = "20s",
	 .least = 0, .most = 600000, .help = "How long a clean stop may take."},
	{.name = "seen_keep", .type = SETTING_DURATION, .offset = AT(seen_keep), .standard = "3d",
	 .least = 60000, .most = 90 * DAY,
	 .help = "How long a platform's message id is remembered, to know a repeat."},
	{.name = "cache_bytes", .type = SETTING_INT, .offset = AT(cache_bytes),
	 .standard = "2097152", .least = 65536, .most = (int64_t)64 << 30,
	 .help = "Documents kept in memory, in bytes."},
	{0},
};
#undef AT

const struct setting channel_settings[] = {
	{.name = "adapter", .type = SETTING_TEXT, .offset = offsetof(struct channel_config, adapter),
	 .flags = SETTING_REQUIRED | SETTING_NO_RELOAD,
	 .help = "What the channel speaks: one of the adapters below."},
	{.name = "rate", .type = SETTING_INT, .offset = offsetof(struct channel_config, rate),
	 .least = 1, .most = 100000,
	 .help = "Sends a second; without, what the platform stands."},
	{0},
};

static const char *const sections[] = {"channels", "communities", NULL};

static bool good_port(const char *text)
{
	size_t len = strspn(text, "0123456789");
	return len > 0 && len < 6 && text[len] == '\0' && strtol(text, NULL, 10) <= 65535;
}

/* "address:port" with an address that is no name; brackets around IPv6. */
static bool good_listen(const char *listen)
{
	const char *colon = strrchr(listen, ':');
	if (!colon || colon == listen || !good_port(colon + 1))
		return false;
	size_t len = (size_t)(colon - listen);
	if (listen[0] == '[')
		return len > 2 && listen[len - 1] == ']' &&
		       strspn(listen + 1, "0123456789abcdefABCDEF:.") == len - 2;
	return strspn(listen, "0123456789.") == len;
}

static bool good_redis(const char *redis)
{
	if (strcmp(redis, "managed") == 0)
		return true;
	if (strncmp(redis, "unix:/", 6) == 0)
		return redis[6] != '\0';
	if (strncmp(redis, "tcp://", 6) != 0)
		return false;
	const char *host = redis + 6;
	return strcspn(host, ":/") > 0 && !strchr(host, '@');
}

static void check_listen(struct settings_reader *reader, const struct yaml_node *root,
			 const char *key, const char *listen)
{
	const struct yaml_node *node = yaml_get(root, key);
	if (listen && node && !good_listen(listen))
		mistake_add(reader->mistakes, node->line, node->column,
			    "%s: must be an address and a port, like 127.0.0.1:8080", key);
}

/* An address for everyone is not one that can be called. */
static const char *url_of_listen(struct arena *arena, const char *listen)
{
	const char *port = strrchr(listen, ':');
	if (!port || strcmp(port, ":0") == 0)
		return NULL;
	if (strncmp(listen, "0.0.0.0:", 8) == 0)
		return arena_printf(arena, "http://127.0.0.1%s", port);
	if (strncmp(listen, "[::]:", 5) == 0)
		return arena_printf(arena, "http://[::1]%s", port);
	return arena_printf(arena, "http://%s", listen);
}

static const char *random_name(struct arena *arena)
{
	unsigned char bytes[6];
	if (getentropy(bytes, sizeof bytes) != 0)
		abort(); /* Linux without getrandom(2) is too old for the rest as well */
	return arena_printf(arena, "%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2],
			    bytes[3], bytes[4], bytes[5]);
}

static void read_instance(struct settings_reader *reader, const struct yaml_node *root,
			  struct config *config)
{
	settings_fill(reader, root, instance_settings, sections, config);
	check_listen(reader, root, "listen", config->listen);
	check_listen(reader, root, "socket_listen", config->socket_listen);
	const struct yaml_node *redis = yaml_get(root, "redis");
	if (redis && config->redis && !good_redis(config->redis))
		mistake_add(reader->mistakes, redis->line, redis->column,
			    "redis: must be managed, tcp://host:port/db or unix:/path?db=N");
	if (config->data)
		config->data = settings_path(reader, config->data);
	if (config->key_file)
		config->key_file = settings_path(reader, config->key_file);
	if (!config->instance)
		config->instance = random_name(reader->arena);
	if (!config->public_url && config->listen)
		config->public_url = url_of_listen(reader->arena, config->listen);
	size_t len = config->public_url ? strlen(config->public_url) : 0;
	while (len && config->public_url[len - 1] == '/')
		config->public_url = arena_bytes(reader->arena, config->public_url, --len);
}

static const struct adapter_settings *adapter_of(struct settings_reader *reader,
						 const struct yaml_node *map,
						 const struct adapter_settings *adapters)
{
	const struct yaml_node *node = yaml_get(map, "adapter");
	if (!node || node->kind != YAML_TEXT)
		return NULL;
	size_t count = 0;
	for (; adapters[count].adapter; count++)
		if (strcmp(adapters[count].adapter, node->text) == 0)
			return &adapters[count];
	const char **names = arena_alloc(reader->arena, (count + 1) * sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = adapters[i].adapter;
	settings_unknown(reader, node, "there is no adapter", node->text, names);
	return NULL;
}

/* The keys of a table, NULL-ended, without what is behind a dot. */
static const char *const *keys_of(struct arena *arena, const struct setting *table)
{
	const char **keys = NULL;
	size_t count = 0;
	for (; table->name; table++) {
		keys = arena_grow(arena, keys, count, sizeof *keys);
		keys[count++] = arena_bytes(arena, table->name, strcspn(table->name, "."));
	}
	keys = arena_grow(arena, keys, count, sizeof *keys);
	keys[count] = NULL;
	return keys;
}

/* Every key that stands in a map, NULL-ended. */
static const char *const *keys_in(struct arena *arena, const struct yaml_node *map)
{
	const char **keys = arena_alloc(arena, (map->count + 1) * sizeof *keys);
	for (size_t i = 0; i < map->count; i++)
		keys[i] = map->keys[i]->text;
	return keys;
}

static void read_channel(struct settings_reader *reader, const struct yaml_node *map,
			 const struct adapter_settings *adapters, struct channel_config *channel)
{
	static const struct setting none[] = {{0}};
	if (map->kind != YAML_MAP) {
		mistake_add(reader->mistakes, map->line, map->column,
			    "a channel is a section with keys, not %s", yaml_kind_name(map->kind));
		return;
	}
	const struct adapter_settings *adapter = adapter_of(reader, map, adapters);
	if (!adapter) {
		/* Whose the other keys are cannot be known. */
		if (!yaml_get(map, "adapter"))
			mistake_add(reader->mistakes, map->line, map->column,
				    "adapter: is missing");
		return;
	}
	/* One map, two tables: the first tells what is in neither, so the second need not. */
	const struct setting *own = adapter->settings ? adapter->settings : none;
	const char *const *own_keys = keys_of(reader->arena, own);
	const char *const *keys_there = keys_in(reader->arena, map);
	channel->own = arena_alloc(reader->arena, adapter->own_size);
	settings_fill(reader, map, channel_settings, own_keys, channel);
	settings_fill(reader, map, own, keys_there, channel->own);
}

/* The names of all channels, NULL-ended. */
static const char *const *read_channels(struct settings_reader *reader,
					const struct yaml_node *map,
					const struct adapter_settings *adapters,
					struct config *config)
{
	static const char *const none[] = {NULL};
	if (!map || map->kind != YAML_MAP || map->count == 0) {
		settings_none(reader, map, "channels", "channel");
		return none;
	}
	const char **names = arena_alloc(reader->arena, (map->count + 1) * sizeof *names);
	config->channels = arena_alloc(reader->arena, map->count * sizeof *config->channels);
	config->channel_count = map->count;
	for (size_t i = 0; i < map->count; i++) {
		names[i] = config->channels[i].name = arena_str(reader->arena, map->keys[i]->text);
		settings_check_id(reader, map->keys[i], names[i]);
		read_channel(reader, map->items[i], adapters, &config->channels[i]);
	}
	return names;
}

static void check_served(struct settings_reader *reader, const struct yaml_node *map,
			 const struct config *config)
{
	for (size_t i = 0; i < config->channel_count; i++)
		if (!config->channels[i].community)
			mistake_add(reader->mistakes, map->keys[i]->line, map->keys[i]->column,
				    "no community has the channel \"%s\"", config->channels[i].name);
}

static void read_root(struct settings_reader *reader, const struct yaml_node *root,
		      const struct adapter_settings *adapters, struct config *config)
{
	if (root->kind != YAML_MAP) {
		mistake_add(reader->mistakes, root->line, root->column,
			    "the file must be a section with keys, not %s",
			    yaml_kind_name(root->kind));
		return;
	}
	const struct yaml_node *channels = yaml_get(root, "channels");
	read_instance(reader, root, config);
	const char *const *names = read_channels(reader, channels, adapters, config);
	communities_read(reader, yaml_get(root, "communities"), names, config);
	if (config->community_count)
		check_served(reader, channels, config);
}

static const char *folder_of(struct arena *arena, const char *file)
{
	const char *slash = strrchr(file, '/');
	if (!slash)
		return ".";
	return slash == file ? "/" : arena_bytes(arena, file, (size_t)(slash - file));
}

/* Mistakes outlive the arena. */
static struct mistake *copy_out(const struct mistakes *mistakes)
{
	struct mistake *out = xalloc((mistakes->count + 1) * sizeof *out);
	for (size_t i = 0; i < mistakes->count; i++) {
		out[i] = mistakes->items[i];
		out[i].sentence = xstrdup(mistakes->items[i].sentence);
		out[i].file = xstrdup(mistakes->items[i].file);
	}
	return out;
}

struct config *config_read(const char *file, const struct adapter_settings *adapters,
			   const struct locales *locales, struct mistake **mistakes_r,
			   size_t *mistake_count_r)
{
	struct arena *arena = arena_new();
	struct mistakes mistakes = {.arena = arena, .file = arena_str(arena, file)};
	struct config *config = arena_alloc(arena, sizeof *config);
	struct settings_reader reader = {
		.arena = arena,
		.mistakes = &mistakes,
		.locales = locales,
		.folder = folder_of(arena, file),
	};
	config->arena = arena;
	config->file = mistakes.file;
	struct yaml_node *root = yaml_read_file(arena, file, &mistakes);
	if (root)
		read_root(&reader, root, adapters, config);
	*mistakes_r = NULL;
	*mistake_count_r = mistakes.count;
	if (mistakes.count == 0)
		return config;
	mistakes_sort(&mistakes);
	*mistakes_r = copy_out(&mistakes);
	arena_free(&arena);
	return NULL;
}

void mistakes_free(struct mistake **mistakes, size_t count)
{
	for (size_t i = 0; *mistakes && i < count; i++) {
		free((char *)(*mistakes)[i].sentence);
		free((char *)(*mistakes)[i].file);
	}
	free(*mistakes);
	*mistakes = NULL;
}

void config_free(struct config **config)
{
	if (!*config)
		return;
	struct arena *arena = (*config)->arena;
	*config = NULL;
	arena_free(&arena);
}

const struct community *config_community(const struct config *config, const char *id)
{
	for (size_t i = 0; i < config->community_count; i++)
		if (strcmp(config->communities[i].id, id) == 0)
			return &config->communities[i];
	return NULL;
}

const struct channel_config *config_channel(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->channel_count; i++)
		if (strcmp(config->channels[i].name, name) == 0)
			return &config->channels[i];
	return NULL;
}

int config_shard(const char *community, int64_t shards)
{
	/* FNV-1a, 32 bits (draft-eastlake-fnv). */
	uint32_t hash = 2166136261U;
	for (const char *c = community; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	return (int)(hash % (uint64_t)(shards > 0 ? shards : 1));
}
