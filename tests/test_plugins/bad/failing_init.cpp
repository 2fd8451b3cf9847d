// Its init refuses to start.
#include "bad_entry.hpp"
struct Broken {};
PLAIN(loss, Broken, "failing_init")
static vissl_status init(const vissl_host*, vissl_err* err) {
  return vissl::report(err, VISSL_E_PLUGIN, "no licence file was found");
}
BAD_PLUGIN("failing_init", "1.0", 1, &init)
