// Nothing is wrong with it, but only a run can tell.
#include "twin_loss.hpp"
TWIN_LOSS(Twin, "twin_loss", "Follows a teacher.")
