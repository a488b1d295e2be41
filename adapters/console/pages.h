/* adapters/console/pages.h - the files of adapters/console/pages, inside the binary.
 *
 * Generated at build time by embed.cmake; ends with a row whose name is NULL.
 */
#ifndef ADAPTERS_CONSOLE_PAGES_H
#define ADAPTERS_CONSOLE_PAGES_H

#include <stddef.h>

struct page_file {
	const char *name, *type;
	const unsigned char *data;
	size_t len;
};

extern const struct page_file page_files[];

#endif
