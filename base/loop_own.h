/* base/loop_own.h - what the files of the loop share; nobody else includes it. */
#ifndef BASE_LOOP_OWN_H
#define BASE_LOOP_OWN_H

#include <stddef.h>
#include <uv.h>

struct loop {
	uv_loop_t uv;
	size_t under_way; /* work and names on other threads */
};

#endif
