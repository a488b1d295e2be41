#include "config/texts.h"
