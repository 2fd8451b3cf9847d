// Its init ends the process.
#include <cstdlib>

#include "bad.hpp"
RIGHT_SCHEDULE("exits_in_init")
INIT_THAT(std::_Exit(7))
BAD_INIT_PLUGIN("exits_in_init")
