#include "base/civil.h"
