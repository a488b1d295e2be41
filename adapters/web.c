#include "adapters/web.h"
