// A static constructor throws while the file is opened.
#include <stdexcept>

#include "bad.hpp"
__attribute__((constructor)) static void at_load() {
  throw std::runtime_error("no table was found");
}
RIGHT_SCHEDULE("throws_in_constructor")
VISSL_PLUGIN("org.example.throws_in_constructor", "1.0.0")
