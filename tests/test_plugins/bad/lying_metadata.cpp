// It lists a component that it does not have.
#include "bad_entry.hpp"
VISSL_META_TEXT(absent, "loss/lying_metadata/Is not there.");
BAD_PLUGIN("lying_metadata", "1.0", 1, nullptr)
