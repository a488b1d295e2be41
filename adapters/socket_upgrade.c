/* Reads the request that opens a websocket, strictly, and writes it down again in plain. */
#include "adapters/socket_upgrade.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"

struct facts {
	const char *host, *upgrade, *connection, *version, *key, *origin, *authorization, *protocol;
	bool twice, body;
};

static bool is_token(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-.^_`|~";

	return *s && !s[strspn(s, plain)];
}

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

/* "keep-alive, Upgrade" has "upgrade". */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		list += strspn(list, ", \t");
		size_t n = strcspn(list, ", \t");

		if (n == len && !strncasecmp(list, word, len))
			return true;
		list += n;
	}
	return false;
}

static void note(struct facts *facts, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **at;
	} known[] = {
		{"Host", &facts->host},
		{"Upgrade", &facts->upgrade},
		{"Connection", &facts->connection},
		{"Sec-WebSocket-Version", &facts->version},
		{"Sec-WebSocket-Key", &facts->key},
		{"Origin", &facts->origin},
		{"Authorization", &facts->authorization},
		{"Sec-WebSocket-Protocol", &facts->protocol},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcasecmp(name, known[i].name))
			continue;
		facts->twice = facts->twice || *known[i].at;
		*known[i].at = value;
	}
	if (!strcasecmp(name, "Content-Length") || !strcasecmp(name, "Transfer-Encoding"))
		facts->body = true;
}

/* One line, cut out; false if it is no header. */
static bool read_field(struct facts *facts, char *line)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (!colon)
		return false;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (!is_token(line) || !is_clean(value))
		return false;
	note(facts, line, value);
	return true;
}

/* A key is 16 bytes in base64: 22 letters and "==". */
static bool is_key(const char *s)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	return strlen(s) == 24 && strspn(s, base64) == 22 && !strcmp(s + 22, "==");
}

static char *read_request_line(char *line)
{
	char *path = strchr(line, ' '), *version = path ? strchr(path + 1, ' ') : NULL;

	if (!version || strcmp(version + 1, "HTTP/1.1") || strncmp(line, "GET /", 5))
		return NULL;
	path++;
	*version = '\0';
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return NULL;
	return path;
}

long socket_upgrade_read(struct arena *arena, const char *bytes, size_t len,
			 struct socket_upgrade *upgrade_r, const char **plain_r)
{
	static const char get[] = "GET /";
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	size_t size = end ? (size_t)(end - bytes) : len;

	/* Whatever is no upgrade is seen at its first bytes. */
	if (memcmp(bytes, get, len < sizeof get - 1 ? len : sizeof get - 1) ||
	    memchr(bytes, '\0', size) || size > SOCKET_HEAD_MAX)
		return -1;
	if (!end)
		return 0;
	struct facts facts = {0};
	char *line = arena_bytes(arena, bytes, size), *path = NULL;

	for (bool first = true; line; first = false) {
		char *next = strstr(line, "\r\n");

		if (next) {
			*next = '\0';
			next += 2;
		}
		if (strpbrk(line, "\r\n"))
			return -1;
		if (first)
			path = read_request_line(line);
		if (!path || (!first && !read_field(&facts, line)))
			return -1;
		line = next;
	}
	if (facts.twice || facts.body || !facts.host || !facts.upgrade || !facts.connection ||
	    !facts.version || !facts.key || !has_word(facts.upgrade, "websocket") ||
	    !has_word(facts.connection, "upgrade") || strcmp(facts.version, "13") ||
	    !is_key(facts.key))
		return -1;
	*upgrade_r = (struct socket_upgrade){
		.path = path,
		.origin = facts.origin,
		.authorization = facts.authorization,
		.subprotocol = facts.protocol,
	};
	*plain_r = arena_printf(arena,
				"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
				"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				"Sec-WebSocket-Key: %s\r\n\r\n",
				facts.key);
	return (long)size + 4;
}
