// Built for an ABI that does not exist yet, as its metadata says.
#include "bad_entry.hpp"
struct Broken {};
PLAIN(loss, Broken, "future_abi")
BAD_PLUGIN("future_abi", "2.0", 2, nullptr)
