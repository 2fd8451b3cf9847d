// Its init leaves another rounding mode.
#include <cfenv>

#include "bad.hpp"
RIGHT_SCHEDULE("changes_rounding")
INIT_THAT(std::fesetround(FE_UPWARD))
BAD_INIT_PLUGIN("changes_rounding")
