#include "adapters/socket.h"
