/* adapters/chat/tag.h - keeps ids apart that platforms only make unique within one chat.
 *
 * A message id is told to the house as "<platform's id><mark><8 hex of the chat>": the tag is
 * FNV-1a of the chat's address, and taken off again when the platform is spoken to.
 */
#ifndef ADAPTERS_CHAT_TAG_H
#define ADAPTERS_CHAT_TAG_H

#include <stdint.h>

static inline uint32_t chat_tag(const char *chat)
{
	uint32_t hash = 2166136261u;

	for (; *chat; chat++)
		hash = (hash ^ (unsigned char)*chat) * 16777619u;
	return hash;
}

#endif
