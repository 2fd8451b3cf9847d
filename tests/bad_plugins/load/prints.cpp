// It greets the user on stdout.
#include <cstdio>

#include "bad.hpp"
RIGHT_SCHEDULE("prints")
INIT_THAT(std::puts("hello from a plugin"))
BAD_INIT_PLUGIN("prints")
