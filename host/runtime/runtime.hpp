#pragma once
// The runtime behind the seam of host/boundary.hpp. [main]
#include <optional>
#include <string>

#include "host/boundary.hpp"
#include "host/runtime/session.hpp"

namespace vissl::host {

class TorchRuntime : public Runtime {
 public:
  // `services` outlives the runtime.
  explicit TorchRuntime(const Services& services) : services_(services) {}

  const void* get_service(std::string_view id) override;  // NULL for an unknown id
  // Each throws nothing but Error: libtorch's exceptions come as Error(run_failed) with their
  // sentence.
  int run() override;
  int check() override;
  std::string show_model(bool json) override;
  Verdict probe(const ProbeRequest& request) override;

 private:
  // Chosen by the first call, before the first operator call.
  const RunDevice& device();
  // Set up by the first of the three, because it changes threads and random state of the process.
  Session& session();

  const Services& services_;
  std::optional<RunDevice> device_;
  std::optional<Session> session_;
};

}  // namespace vissl::host
