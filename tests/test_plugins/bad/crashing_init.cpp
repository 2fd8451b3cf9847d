// Its init crashes.
#include <csignal>

#include "bad_entry.hpp"
struct Broken {};
PLAIN(loss, Broken, "crashing_init")
static vissl_status init(const vissl_host*, vissl_err*) {
  std::raise(SIGSEGV);
  return VISSL_OK;
}
BAD_PLUGIN("crashing_init", "1.0", 1, &init)
