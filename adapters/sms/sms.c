#include "adapters/sms/sms.h"
