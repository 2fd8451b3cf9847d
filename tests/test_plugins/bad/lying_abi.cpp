// Its metadata says ABI 1.0, its descriptor another.
#include "bad_entry.hpp"
struct Broken {};
PLAIN(loss, Broken, "lying_abi")
BAD_PLUGIN("lying_abi", "1.0", 2, nullptr)
