// Built for an ABI that does not exist yet, as its section says.
#include "bad.hpp"
RIGHT_SCHEDULE("wrong_abi")
BAD_PLUGIN("wrong_abi", "2.0", sizeof(vissl_plugin), 2, nullptr)
