#include "state/redis_child.h"
