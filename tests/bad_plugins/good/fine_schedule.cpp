// Nothing is wrong with it: what `list` must still show among the bad ones.
#include "bad.hpp"
RIGHT_SCHEDULE("fine_schedule")
VISSL_PLUGIN("org.example.fine_schedule", "1.0.0")
