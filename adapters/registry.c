/* adapters/registry.c - every adapter there is, a line each. */
#include <string.h>

#include "adapters/adapter.h"

#define ADAPTERS(X) \
	X(kannel) \
	X(simulator) \
	X(telegram) \
	X(twilio) \
	X(xmpp)

#define DECLARE(name) extern const struct adapter name##_adapter;
ADAPTERS(DECLARE)

#define POINT_TO(name) &name##_adapter,
const struct adapter *const adapters[] = {ADAPTERS(POINT_TO) NULL};

const struct adapter *adapter_find(const char *name)
{
	for (size_t i = 0; adapters[i]; i++)
		if (!strcmp(adapters[i]->name, name))
			return adapters[i];
	return NULL;
}
