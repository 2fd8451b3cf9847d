// An exception leaves its init.
#include <stdexcept>

#include "bad.hpp"
RIGHT_SCHEDULE("throws_in_init")
INIT_THAT(throw std::runtime_error("no licence"))
BAD_INIT_PLUGIN("throws_in_init")
