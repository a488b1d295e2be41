/* adapters/listen.h - one way to open a listening socket (shared by web and socket). */
#ifndef ADAPTERS_LISTEN_H
#define ADAPTERS_LISTEN_H

#include "base/error.h"

/* "127.0.0.1:8080", "[::1]:0": numeric addresses, so that nothing is resolved and exactly that
 * address is bound. The descriptor (non-blocking, close-on-exec) and its port, or -1. */
int listen_on(const char *at, int *port_r, struct error *error_r);

#endif
