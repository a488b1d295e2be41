#include "adapters/adapter.h"
