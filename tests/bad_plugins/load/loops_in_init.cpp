// Its init never ends.
#include <unistd.h>

#include "bad.hpp"
RIGHT_SCHEDULE("loops_in_init")
INIT_THAT(for (;;)::sleep(1))
BAD_INIT_PLUGIN("loops_in_init")
