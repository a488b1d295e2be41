#include "bot/step.h"
