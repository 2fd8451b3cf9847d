// Its init fails and does not say why.
#include "bad.hpp"
RIGHT_SCHEDULE("refuses_without_text")
INIT_THAT(return VISSL_E_PLUGIN)
BAD_INIT_PLUGIN("refuses_without_text")
