// It offers two components of one name.
#include "bad.hpp"
struct Other : Right {};
RIGHT_SCHEDULE("duplicate_component")
VISSL_LR_SCHEDULE(Other, "duplicate_component", "The same name again.")
VISSL_PLUGIN("org.example.duplicate_component", "1.0.0")
