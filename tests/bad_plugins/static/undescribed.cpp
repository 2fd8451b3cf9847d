// Nobody can tell what its component is for.
#include "bad.hpp"
VISSL_LR_SCHEDULE(Right, "undescribed", "")
VISSL_PLUGIN("org.example.undescribed", "1.0.0")
