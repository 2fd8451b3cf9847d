// Loss scaling and clipping against torch's own (scripts/oracle/grad_scaler.py), bit for bit.
#include "host/runtime/train/scaler.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "host/runtime/abi/test_call.hpp"
#include "host/runtime/component_tests/component_host.hpp"
#include "host/runtime/test_config.hpp"
#include "host/runtime/train/clip.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

const Json kConfig = Json::parse(
    R"({"init_scale": 1024, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 3})");

// The gradient of step `i`: wave, with what is not finite in four steps.
at::Tensor gradient(int i) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  at::Tensor x = wave({5}, i);
  if (i == 2 || i == 14) x[i % 5] = kInf;
  if (i == 3) x[i % 5] = -kInf;
  if (i == 9) x[i % 5] = std::nan("");
  return x;
}

}  // namespace

TEST_CASE("scaler: scale, skipped steps and weights are those of torch.amp.GradScaler") {
  const nlohmann::json steps = golden("grad_scaler.json").at("steps");
  GradScaler scaler(setting(kConfig), at::kCPU);
  at::Tensor weight = wave({5}, 0.0);
  int taken = 0;
  for (int i = 0; i < static_cast<int>(steps.size()); ++i) {
    CAPTURE(i);
    at::Tensor scaled = gradient(i) * scaler.scale(at::ones({}));
    const bool finite = scaler.unscale({scaled});
    if (finite) weight -= 0.25 * scaled;
    scaler.update();
    const nlohmann::json& step = steps[static_cast<std::size_t>(i)];
    CHECK(finite == step.at("taken").get<bool>());
    CHECK(scaler.value() == step.at("scale").get<double>());
    CHECK(scaler.state_dict().at("_growth_tracker").as_int() ==
          step.at("tracker").get<std::int64_t>());
    const auto wanted = step.at("w").get<std::vector<double>>();
    CHECK(distance(weight, at::tensor(wanted, at::kDouble)) == 0.0);
    taken += finite ? 1 : 0;
  }
  CHECK(taken == 12);
}

TEST_CASE("scaler: one that loads the state goes on as one that never stopped") {
  GradScaler whole(setting(kConfig), at::kCPU);
  GradScaler first(setting(kConfig), at::kCPU);
  std::unique_ptr<GradScaler> second;
  for (int i = 0; i < 16; ++i) {
    if (i == 7) {
      second = std::make_unique<GradScaler>(setting(kConfig), at::kCPU);
      second->load_state_dict(first.state_dict(), "model.torch");
    }
    for (GradScaler* scaler : {&whole, second ? second.get() : &first}) {
      scaler->unscale({gradient(i)});
      scaler->update();
    }
  }
  CHECK(same_values(whole.state_dict(), second->state_dict()));
  Node broken = whole.state_dict();
  broken["scale"] = 0.0;
  CHECK(error_of([&] {
          first.load_state_dict(broken, "model.torch");
        }).starts_with("model.torch: its loss scale is 0.000000, no positive number"));
}

TEST_CASE("clipping: norms and gradients are those of torch.nn.utils.clip_grad_norm_") {
  for (const nlohmann::json& clip : golden("grad_scaler.json").at("clips")) {
    CAPTURE(clip.dump());
    std::vector<Entry> entries(3);
    const std::vector<std::vector<std::int64_t>> shapes = {{4, 3}, {7}, {2}};
    for (std::size_t i = 0; i < entries.size(); ++i)
      entries[i].tensor = at::zeros(shapes[i]).requires_grad_();
    entries[0].tensor.mutable_grad() = wave({4, 3}, 1.0);
    entries[1].tensor.mutable_grad() = 3 * wave({7}, 2.0);
    const double type = clip.at("norm_type").get<double>();
    const double total =
        clip_gradients({&entries[0], &entries[1], &entries[2]}, clip.at("max_norm").get<double>(),
                       type < 0 ? std::numeric_limits<double>::infinity() : type);
    CHECK(total == clip.at("total").get<double>());
    const auto a = clip.at("a").get<std::vector<double>>();
    const auto b = clip.at("b").get<std::vector<double>>();
    CHECK(distance(entries[0].tensor.grad().flatten(), at::tensor(a, at::kDouble)) == 0.0);
    CHECK(distance(entries[1].tensor.grad(), at::tensor(b, at::kDouble)) == 0.0);
    CHECK_FALSE(entries[2].tensor.grad().defined());
  }
}
