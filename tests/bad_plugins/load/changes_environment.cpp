// Its init sets an environment variable.
#include <cstdlib>

#include "bad.hpp"
RIGHT_SCHEDULE("changes_environment")
INIT_THAT(::setenv("OMP_NUM_THREADS", "64", 1))
BAD_INIT_PLUGIN("changes_environment")
