/* adapters/chat/xmpp_ids.c - remembers which ids mean the same message, as far back as one ring
 * holds. */
#include <stdlib.h>
#include <string.h>

#include "adapters/chat/tag.h"
#include "adapters/chat/xmpp.h"
#include "base/arena.h"

static void forget(struct known_id *known)
{
	free(known->room);
	free(known->stanza);
	free(known->wire);
	free(known->told);
	free(known->author);
	*known = (struct known_id){0};
}

void ids_clear(struct xmpp_ids *ids)
{
	for (size_t i = 0; i < XMPP_KNOWN_IDS; i++)
		forget(&ids->ring[i]);
	ids->next = 0;
}

static uint32_t hash_of(const char *id)
{
	return id ? chat_tag(id) : 0;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static const struct known_id *by_wire(const struct xmpp_ids *ids, const char *room,
				      const char *wire)
{
	uint32_t hash = hash_of(wire);

	for (size_t i = 0; i < XMPP_KNOWN_IDS; i++) {
		const struct known_id *known = &ids->ring[i];

		if (known->room && known->wire_hash == hash && same(known->wire, wire) &&
		    same(known->room, room))
			return known;
	}
	return NULL;
}

static const struct known_id *by_stanza(const struct xmpp_ids *ids, const char *room,
					const char *stanza)
{
	uint32_t hash = hash_of(stanza);

	for (size_t i = 0; i < XMPP_KNOWN_IDS; i++) {
		const struct known_id *known = &ids->ring[i];

		if (known->room && known->stanza_hash == hash && same(known->stanza, stanza) &&
		    same(known->room, room))
			return known;
	}
	return NULL;
}

const char *ids_note(struct xmpp_ids *ids, const char *room, const char *stanza, const char *wire,
		     const char *replaces, const char *author)
{
	const struct known_id *there = stanza ? by_stanza(ids, room, stanza) : NULL;
	const struct known_id *first = replaces ? by_wire(ids, room, replaces) : NULL;
	struct known_id *known;

	if (!there && wire)
		there = by_wire(ids, room, wire);
	if (there)
		return there->told;
	if (!stanza && !wire)
		return NULL;
	known = &ids->ring[ids->next];
	/* The first of a corrected message may be the very one that gives way. */
	if (first == known)
		first = NULL;
	ids->next = (ids->next + 1) % XMPP_KNOWN_IDS;
	forget(known);
	*known = (struct known_id){
		.stanza_hash = hash_of(stanza),
		.wire_hash = hash_of(wire),
		.room = xstrdup(room),
		.stanza = copy(stanza),
		.wire = copy(wire),
		.told = xstrdup(first    ? first->told
				: stanza ? stanza
					 : wire),
		.author = copy(author),
	};
	return known->told;
}

const char *ids_told(const struct xmpp_ids *ids, const char *room, const char *id)
{
	const struct known_id *known = by_stanza(ids, room, id);

	if (!known)
		known = by_wire(ids, room, id);
	return known ? known->told : id;
}

const char *ids_wire(const struct xmpp_ids *ids, const char *room, const char *told)
{
	const struct known_id *known;

	if (!strncmp(told, XMPP_OWN_ID, strlen(XMPP_OWN_ID)))
		return told;
	known = by_stanza(ids, room, told);
	return known ? known->wire : NULL;
}

const char *ids_echoed(const struct xmpp_ids *ids, const char *room, const char *wire)
{
	const struct known_id *known = by_wire(ids, room, wire);

	return known ? known->told : NULL;
}

const char *ids_author(const struct xmpp_ids *ids, const char *room, const char *told)
{
	const struct known_id *known = by_stanza(ids, room, told);

	return known ? known->author : NULL;
}

size_t ids_new_reactions(struct xmpp_ids *ids, const char *sender, const char *reacted,
			 const char **reactions, size_t count)
{
	/* Zero means "no such reaction", so hashes are made odd. */
	uint32_t key = (chat_tag(sender) * 31 ^ chat_tag(reacted)) | 1;
	struct reacted now = {.key = key}, *was = NULL;
	size_t fresh = 0;

	for (size_t i = 0; i < XMPP_KNOWN_REACTIONS && !was; i++)
		if (ids->reacted[i].key == key)
			was = &ids->reacted[i];
	for (size_t i = 0; i < count && i < XMPP_REACTIONS_MAX; i++) {
		bool seen = false;

		now.reactions[i] = chat_tag(reactions[i]) | 1;
		for (size_t j = 0; was && j < XMPP_REACTIONS_MAX; j++)
			seen |= was->reactions[j] == now.reactions[i];
		if (!seen)
			reactions[fresh++] = reactions[i];
	}
	if (!was) {
		was = &ids->reacted[ids->next_reacted];
		ids->next_reacted = (ids->next_reacted + 1) % XMPP_KNOWN_REACTIONS;
	}
	*was = now;
	return fresh;
}
