// A static constructor throws while the file is loaded.
#include <stdexcept>

#include "bad_entry.hpp"
struct Broken {};
PLAIN(loss, Broken, "throwing_load")
static const int kValue = [] {
  if (std::uncaught_exceptions() == 0) throw std::runtime_error("a constructor failed");
  return 0;
}();
extern "C" int throwing_load_value() {
  return kValue;
}
BAD_PLUGIN("throwing_load", "1.0", 1, nullptr)
