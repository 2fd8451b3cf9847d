// A static constructor ends the process while the file is opened.
#include <cstdlib>

#include "bad.hpp"
__attribute__((constructor)) static void at_load() {
  std::abort();
}
RIGHT_SCHEDULE("aborts_in_constructor")
VISSL_PLUGIN("org.example.aborts_in_constructor", "1.0.0")
