#include "host/runtime/runtime.hpp"

#include <array>
#include <utility>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/conformance/probes.hpp"
#include "host/runtime/conformance/tables.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/dist/distributed.hpp"
#include "host/runtime/engines/engines.hpp"
#include "host/runtime/model/models.hpp"
#include "host/runtime/model/show.hpp"

namespace vissl::host {

namespace {

// Other exceptions than Error would reach the user with libtorch's C++ backtrace.
template <class Body>
auto as_errors(Body&& body) {
  try {
    return body();
  } catch (const Error&) {
    throw;
  } catch (...) {
    throw Error(Exit::run_failed, current_exception_text());
  }
}

// What a model needs to know to be built where no data is.
vissl_run_facts facts_without_data(const Setting& config) {
  vissl_run_facts facts{};
  facts.size = sizeof(facts);
  facts.seed = static_cast<uint64_t>(config.integer("seed_value"));
  facts.rank = collectives().rank();
  facts.world = collectives().world();
  facts.epochs = config.integer("optimizer.num_epochs");
  facts.input_channels = config.string("model.input_type") == "lab" ? 1 : 3;
  return facts;
}

}  // namespace

const void* TorchRuntime::get_service(std::string_view id) {
  const bool probing = services_.data == nullptr;  // check-plugin: components without a run
  const std::array<std::pair<std::string_view, const void*>, 6> tables = {{
      {VISSL_TENSOR_ID, probing ? &probing_tensor_api() : &tensor_api()},
      {VISSL_STORE_ID, &store_api()},
      {VISSL_AUTOGRAD_ID, &autograd_api()},
      {VISSL_COLLECTIVES_ID, &collectives_api()},
      {VISSL_MODEL_ID, &model_api()},
      {VISSL_RUN_ID, probing ? &probing_run_api() : &run_api()},
  }};
  for (const auto& [name, table] : tables)
    if (name == id) return table;
  return nullptr;
}

const RunDevice& TorchRuntime::device() {
  if (!device_) {
    device_ = choose_device(whole_config(services_)["machine"], services_.ranks.local_rank,
                            *services_.log);
    if (device_->cuda != nullptr) services_.log->log(LogLevel::info, describe_gpu(*device_));
  }
  return *device_;
}

Session& TorchRuntime::session() {
  if (!session_) session_.emplace(services_, device());
  return *session_;
}

int TorchRuntime::run() {
  const Setting config = whole_config(services_);
  return run_with_ranks(
      services_, config, [&] { return device(); },
      [&] { return as_errors([&] { return run_engine(session()); }); });
}

int TorchRuntime::check() {
  return as_errors([&] { return check_run(session()); });
}

std::string TorchRuntime::show_model(bool json) {
  return as_errors([&] {
    const Setting& config = session().config();
    Models models(services_, config, facts_without_data(config));
    return host::show_model(*models.main().model, json);
  });
}

Verdict TorchRuntime::probe(const ProbeRequest& request) {
  return as_errors([&] { return run_probe(services_, request); });
}

}  // namespace vissl::host
