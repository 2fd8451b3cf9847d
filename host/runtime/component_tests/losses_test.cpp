// Losses against VISSL's definitions (scripts/oracle/losses.py) and against their own derivatives.
#include <doctest/doctest.h>

#include <cmath>

#include "host/runtime/component_tests/component_host.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

std::vector<at::Tensor> leaves(std::vector<at::Tensor> outputs) {
  for (at::Tensor& output : outputs) output = output.clone().requires_grad_(true);
  return outputs;
}

// Value and gradients against golden, and the gradient of the first output against differences.
void check_loss(Built& loss, const nlohmann::json& expected, const std::vector<at::Tensor>& inputs,
                const at::Tensor& target) {
  const std::vector<at::Tensor> outputs = leaves(inputs);
  const at::Tensor value = loss.loss(outputs, target);
  CHECK(value.dim() == 0);
  CHECK(value.item<double>() == doctest::Approx(expected.at("loss").get<double>()).epsilon(1e-9));
  value.backward();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CHECK(distance(outputs[i].grad(), tensor_of(expected.at("grads").at(i))) < 1e-9);
  }
  const auto first = [&](const at::Tensor& x) {
    std::vector<at::Tensor> moved = inputs;
    moved[0] = x;
    return loss.loss(moved, target);
  };
  CHECK(distance(numeric_gradient(first, inputs[0]), outputs[0].grad()) < 1e-7);
}

const std::string kFile = "cross_entropy";
const at::Tensor kTarget = at::tensor({0, 3, 1, -1, 2, 2}, at::kLong);
const at::Tensor kFull = at::tensor({0, 3, 1, 0, 2, 2}, at::kLong);

}  // namespace

TEST_CASE("simclr: values and gradients equal VISSL's, and the gradient its differences") {
  ComponentHost host;
  const nlohmann::json expected = golden("losses.json");
  const struct {
    std::int64_t rows, dim;
    std::string temperature;
  } cases[] = {{2, 3, "0.5"}, {8, 5, "0.1"}, {12, 16, "0.07"}};
  for (const auto& c : cases) {
    Built loss(host, "loss", "simclr_info_nce_loss", "temperature = " + c.temperature);
    const std::string name =
        "info_nce_" + std::to_string(c.rows) + "_" + std::to_string(c.dim) + "_" + c.temperature;
    CAPTURE(name);
    check_loss(loss, expected.at(name), {wave({c.rows, c.dim}, 0.0, at::kDouble)}, {});
  }
}

TEST_CASE("simclr: neither the order of images nor that of the views matters") {
  ComponentHost host;
  Built loss(host, "loss", "simclr_info_nce_loss", "temperature = 0.2");
  const at::Tensor x = wave({12, 5}, 0.3, at::kDouble);
  const double value = loss.loss({x}, {}).item<double>();
  const at::Tensor images = at::tensor({3, 0, 5, 1, 4, 2}, at::kLong);
  const at::Tensor shuffled = x.index_select(0, at::cat({images, images + 6}));
  CHECK(loss.loss({shuffled}, {}).item<double>() == doctest::Approx(value).epsilon(1e-12));
  CHECK(loss.loss({x.roll({6}, {0})}, {}).item<double>() == doctest::Approx(value).epsilon(1e-12));
  // Moving one view alone makes other pairs.
  const at::Tensor wrong = at::cat({x.narrow(0, 0, 6), x.narrow(0, 6, 6).roll({1}, {0})});
  CHECK(std::abs(loss.loss({wrong}, {}).item<double>() - value) > 1e-3);
}

TEST_CASE("simclr: extreme embeddings and temperatures stay finite") {
  ComponentHost host;
  Built loss(host, "loss", "simclr_info_nce_loss", "temperature = 0.0001");
  const at::Tensor x = (wave({8, 4}, 0.0) * 1e4F).requires_grad_(true);
  const at::Tensor value = loss.loss({x}, {});
  CHECK(std::isfinite(value.item<double>()));
  value.backward();
  CHECK(at::isfinite(x.grad()).all().item<bool>());
  CHECK(std::isfinite(loss.loss({at::zeros({4, 3})}, {}).item<double>()));
}

TEST_CASE("simclr: half-precision embeddings are compared in float32") {
  ComponentHost host;
  Built loss(host, "loss", "simclr_info_nce_loss", "temperature = 0.1");
  const at::Tensor x = wave({8, 5}, 0.0).to(at::kBFloat16);
  const at::Tensor value = loss.loss({x}, {});
  CHECK((value.scalar_type() == at::kFloat));
  CHECK(value.item<double>() ==
        doctest::Approx(loss.loss({x.to(at::kFloat)}, {}).item<double>()).epsilon(1e-7));
}

TEST_CASE("simclr: an odd number of rows names the collator") {
  ComponentHost host;
  Built loss(host, "loss", "simclr_info_nce_loss", "");
  CHECK(error_text([&] {
          loss.loss({at::ones({7, 4})}, {});
        }) ==
        "simclr_info_nce_loss needs two views of each image, (2B, D), but it was given 7 rows of 1 "
        "dimensions; use simclr_collator after ImgReplicatePil with num_times = 2");
}

TEST_CASE("cross entropy: one output equals torch's") {
  ComponentHost host;
  const nlohmann::json expected = golden("losses.json");
  const at::Tensor x = wave({6, 4}, 0.0, at::kDouble);
  Built plain(host, "loss", "CrossEntropyLoss", "", 0, kFile);
  check_loss(plain, expected.at("plain"), {x}, kTarget);
  check_loss(plain, expected.at("plain"), {x}, kTarget.unsqueeze(1));
  Built weighted(host, "loss", "CrossEntropyLoss", "weight = [1.0, 0.5, 2.0, 0.25]", 0, kFile);
  check_loss(weighted, expected.at("weighted"), {x}, kTarget);
  Built smoothed(host, "loss", "CrossEntropyLoss", "label_smoothing = 0.1", 0, kFile);
  check_loss(smoothed, expected.at("smoothed"), {x}, kFull);
  check_loss(plain, expected.at("soft"), {x}, at::softmax(wave({6, 4}, 2.0, at::kDouble), 1));
  Built sum(host, "loss", "CrossEntropyLoss", "reduction = \"sum\"", 0, kFile);
  CHECK(sum.loss({x}, kFull).item<double>() ==
        doctest::Approx(6 * plain.loss({x}, kFull).item<double>()).epsilon(1e-12));
}

TEST_CASE("cross entropy: several outputs are summed, divided by the temperature, normalised") {
  ComponentHost host;
  const nlohmann::json expected = golden("losses.json");
  const std::vector<at::Tensor> both = {wave({6, 4}, 0.0, at::kDouble),
                                        wave({6, 4}, 1.0, at::kDouble)};
  const std::string name = "cross_entropy_multiple_output_single_target";
  Built cold(host, "loss", name, "temperature = 0.2", 0, kFile);
  check_loss(cold, expected.at("two_outputs"), both, kTarget);
  Built normalized(host, "loss", name, "temperature = 0.2\nnormalize_output = true", 0, kFile);
  check_loss(normalized, expected.at("normalized"), both, kTarget);
  Built plain(host, "loss", name, "", 0, kFile);
  const at::Tensor order = at::tensor({5, 3, 0, 1, 4, 2}, at::kLong);
  CHECK(
      plain.loss({both[0].index_select(0, order)}, kTarget.index_select(0, order)).item<double>() ==
      doctest::Approx(plain.loss({both[0]}, kTarget).item<double>()).epsilon(1e-12));
  // An ensemble: two predictions for the same targets count as their mean.
  CHECK(plain.loss({at::stack(both)}, kFull).item<double>() ==
        doctest::Approx(plain.loss(both, kFull).item<double>() / 2).epsilon(1e-12));
}

TEST_CASE("cross entropy: logits of ten thousand give finite values and gradients") {
  ComponentHost host;
  Built loss(host, "loss", "CrossEntropyLoss", "", 0, kFile);
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = (wave({6, 4}, 0.0) * 1e4F).to(dtype).requires_grad_(true);
    const at::Tensor value = loss.loss({x}, kTarget);
    CHECK((value.scalar_type() == at::kFloat));
    CHECK(std::isfinite(value.item<double>()));
    value.backward();
    CHECK(at::isfinite(x.grad()).all().item<bool>());
  }
}

TEST_CASE("cross entropy: a label without class is one sentence with the remedy") {
  ComponentHost host;
  Built loss(host, "loss", "CrossEntropyLoss", "", 0, kFile);
  const at::Tensor x = wave({3, 4}, 0.0);
  const std::string end =
      " has no class: the model's output has 4 classes, 0 to 3; widen the last layer of the head "
      "(dims), or correct the labels of the split";
  CHECK(error_text([&] { loss.loss({x}, at::tensor({0, 4, 1}, at::kLong)); }) == "label 4" + end);
  CHECK(error_text([&] { loss.loss({x}, at::tensor({0, 1, -7}, at::kLong)); }) == "label -7" + end);
  CHECK(error_text([&] { loss.loss({x}, {}); }) ==
        "cross entropy needs a target, but the batch has none; check target_key_names and the "
        "label source of the split");
  CHECK(error_text([&] {
          Built weighted(host, "loss", "CrossEntropyLoss", "weight = [1.0, 2.0]", 0, kFile);
          weighted.loss({x}, at::tensor({0, 1, 2}, at::kLong));
        }) == "the loss has weights for 2 classes, but the model's output has 4");
}
