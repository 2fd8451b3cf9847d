#include "host/runtime/conformance/probes.hpp"

namespace vissl::host {

Verdict run_probe(Catalogue&, const ProbeRequest& request) {
  return {Outcome::skipped, "no check '" + request.check + "' for a " + request.kind};
}

}  // namespace vissl::host
