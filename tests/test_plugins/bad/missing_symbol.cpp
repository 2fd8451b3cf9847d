// It needs a function that nobody has.
#include "bad_entry.hpp"
extern "C" int function_that_nobody_has();
struct Broken {
  Broken() { static_cast<void>(function_that_nobody_has()); }
};
PLAIN(loss, Broken, "missing_symbol")
BAD_PLUGIN("missing_symbol", "1.0", 1, nullptr)
