#include "state/store_memory.h"
