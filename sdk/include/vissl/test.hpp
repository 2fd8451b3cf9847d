#pragma once
// A fake host for unit tests of plugins: no vissl-host, no libtorch.
//
//   vissl::test::Host host;
//   host.load(VISSL_PLUGIN_DIR "/linear.so");
//   vissl::test::Schedule lr = host.component("lr_schedule", "linear").create("start_value =
//   1\nend_value = 0"); CHECK(lr.value(0.25) == doctest::Approx(0.75));
//
// It checks configs against the declarations as the real host does, and reports leaked handles,
// double releases and uses after release as test failures. It is built for clarity, not for speed.
#include <vissl/test/schedule.hpp>

namespace vissl::test {

class Host : public HostCore {
 public:
  Host() { service(VISSL_COMPONENTS_ID, &components_service()); }
};

}  // namespace vissl::test
