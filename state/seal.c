#include "state/seal.h"
