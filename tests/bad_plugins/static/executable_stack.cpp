// Its stack may hold code.
#include "bad.hpp"
RIGHT_SCHEDULE("executable_stack")
VISSL_PLUGIN("org.example.executable_stack", "1.0.0")
