#include "state/store_redis.h"
