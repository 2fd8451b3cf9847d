#pragma once
// A fake host for unit tests of plugins: no vissl-host, no libtorch.
//
//   vissl::test::Host host;
//   host.load(VISSL_PLUGIN_DIR "/simclr_info_nce_loss.so");
//   vissl::test::Loss loss(host.run, host.component("loss",
//   "simclr_info_nce_loss").create("temperature = 0.5")); CHECK_CLOSE(loss({vissl::test::tensor({1,
//   0, 0, 1}, {2, 2})}), {0.6931}, 1e-4, 0);
//
// One file of the test program defines VISSL_TEST_IMPLEMENTATION before the include: the services
// take seconds to compile.
//
// It checks configs against the declarations as the real host does, and reports leaked handles,
// double releases and uses after release as test failures. It is built for clarity, not for speed.
// Only one Host exists at a time; instances and tensors of a test must end before it.
#include <vissl/test/golden.hpp>
#include <vissl/test/kinds_data.hpp>
#include <vissl/test/kinds_model.hpp>
#include <vissl/test/ranks.hpp>
#include <vissl/test/schedule.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

class Host : public HostCore {
 public:
  Host();
  ~Host();

  Engine engine;

 private:
  std::unique_ptr<RunState> state_ = std::make_unique<RunState>();

 public:
  RunState& run = *state_;
};

#ifdef VISSL_TEST_IMPLEMENTATION
Host::Host() {
  service(VISSL_COMPONENTS_ID, &components_service());
  service(VISSL_IMAGE_ID, &image_service());
  service(VISSL_SAMPLE_ID, &sample_service());
  service(VISSL_BATCH_ID, &batch_service());
  service(VISSL_TENSOR_ID, &tensor_service());
  service(VISSL_STORE_ID, &store_service());
  service(VISSL_RUN_ID, &run_service());
  service(VISSL_MODEL_ID, &model_service());
  service(VISSL_COLLECTIVES_ID, &collectives_service());
  service(VISSL_AUTOGRAD_ID, &autograd_service());
  RunState::current() = &run;
}

Host::~Host() {
  RunState::current() = nullptr;
  LastFunction::current().clear();
  state_.reset();
  if (engine.alive() != 0) {
    report_failure(std::to_string(engine.alive()) + " tensor handles leaked");
  }
  if (detail::living_lists() != 0) report_failure("a list of tensors leaked");
  detail::living_lists() = 0;
}
#endif

}  // namespace test
}  // namespace vissl
