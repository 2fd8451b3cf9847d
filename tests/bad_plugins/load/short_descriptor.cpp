// Its descriptor ends before the components.
#include "bad.hpp"
RIGHT_SCHEDULE("short_descriptor")
BAD_PLUGIN("short_descriptor", "1.0", 24, 1, nullptr)
