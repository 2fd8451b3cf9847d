// Its section says ABI 1.0, its descriptor another.
#include "bad.hpp"
RIGHT_SCHEDULE("other_abi_inside")
BAD_PLUGIN("other_abi_inside", "1.0", sizeof(vissl_plugin), 2, nullptr)
