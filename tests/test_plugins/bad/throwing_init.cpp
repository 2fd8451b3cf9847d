// An exception leaves its init.
#include <stdexcept>

#include "bad_entry.hpp"
struct Broken {};
PLAIN(loss, Broken, "throwing_init")
static vissl_status init(const vissl_host*, vissl_err*) {
  throw std::runtime_error("lost its way");
}
BAD_PLUGIN("throwing_init", "1.0", 1, &init)
