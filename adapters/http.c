#include "adapters/http.h"
