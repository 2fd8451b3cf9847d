// Accuracy against VISSL's definition (scripts/oracle/meters.py), ties and names by hand.
#include <doctest/doctest.h>
#include <vissl/meter.h>

#include <limits>

#include "host/runtime/abi/handle.hpp"
#include "host/runtime/component_tests/component_host.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

class Meter {
 public:
  Meter(ComponentHost& host, const std::string& toml)
      : instance_(host.create("meter", "accuracy_list_meter", toml)),
        table_(instance_.table<vissl_meter_class>(VISSL_METER_ID)) {}
  void update(const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    const std::vector<vissl_tensor*> handles = borrow_all(outputs);
    vissl::call(table_.update, instance_.handle(), handles.data(), std::uint64_t{handles.size()},
                borrow(target));
  }
  void reset() { vissl::call(table_.reset, instance_.handle()); }
  nlohmann::json value() {
    std::string json;
    const vissl_out out = {sizeof(vissl_out), &json,
                           [](void* self, const void* data, std::uint64_t bytes) {
                             static_cast<std::string*>(self)->append(
                                 static_cast<const char*>(data), static_cast<std::size_t>(bytes));
                             return bytes;
                           }};
    vissl::call(table_.value, instance_.handle(), &out);
    return nlohmann::json::parse(json);
  }
  std::vector<double> counters() {
    double* data = nullptr;
    std::uint64_t count = 0;
    vissl::call(table_.counters, instance_.handle(), &data, &count);
    return {data, data + count};
  }

 private:
  Instance instance_;
  const vissl_meter_class& table_;
};

at::Tensor classes(int batch) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < 16; ++i) labels.push_back((3 * i + batch) % 9);
  return at::tensor(labels, at::kLong);
}

}  // namespace

TEST_CASE("accuracy: class labels and sets of labels give VISSL's percentages") {
  ComponentHost host;
  const nlohmann::json expected = golden("meters.json");
  Meter single(host, "topk_values = [1, 3, 5]"), sets(host, "topk_values = [1, 3, 5]");
  for (int batch = 0; batch < 2; ++batch) {
    const at::Tensor scores = wave({16, 9}, batch);
    single.update({scores}, batch == 0 ? classes(batch) : classes(batch).unsqueeze(1));
    sets.update({scores}, (wave({16, 9}, 20.0 + batch) > 0.5).to(at::kFloat));
  }
  for (const std::string k : {"top_1", "top_3", "top_5"}) {
    CAPTURE(k);
    CHECK(single.value().at(k).at("0") == expected.at("classes").at(k));
    CHECK(sets.value().at(k).at("0") == expected.at("sets").at(k));
  }
}

TEST_CASE("accuracy: among equal scores the lowest class number comes first") {
  ComponentHost host;
  Meter meter(host, "topk_values = [1, 2]");
  const at::Tensor equal = at::zeros({3, 4});
  meter.update({equal}, at::tensor({0, 1, 2}, at::kLong));
  CHECK(meter.value().at("top_1").at("0") == 33.3333);
  CHECK(meter.value().at("top_2").at("0") == 66.6667);
  Meter sets(host, "topk_values = [1, 2]");
  sets.update({equal}, at::eye(4).narrow(0, 0, 3));
  CHECK(sets.value() == meter.value());
}

TEST_CASE("accuracy: a score that is not a number is never right") {
  ComponentHost host;
  Meter meter(host, "");
  meter.update({at::full({4, 3}, std::numeric_limits<double>::quiet_NaN())},
               at::tensor({0, 1, 2, 0}, at::kLong));
  CHECK(meter.value().at("top_1").at("0") == 0.0);
}

TEST_CASE("accuracy: samples that cross entropy ignores are left out") {
  ComponentHost host;
  const at::Tensor scores = wave({6, 4}, 3.0);
  const at::Tensor target = at::tensor({0, -1, 2, 9, -5, 1}, at::kLong);
  Meter meter(host, "topk_values = [1, 2]\nignore_index = 9");
  meter.update({scores}, target);
  Meter kept(host, "topk_values = [1, 2]");
  const at::Tensor rows = at::tensor({0, 2, 5}, at::kLong);
  kept.update({scores.index_select(0, rows)}, target.index_select(0, rows));
  CHECK(meter.counters() == kept.counters());
  CHECK(meter.counters().back() == 3.0);
  meter.reset();
  meter.update({scores}, at::full({6}, -1, at::kLong));
  CHECK(meter.value().at("top_1").at("0") == 0.0);
}

TEST_CASE("accuracy: outputs take the names of features, and equal names share a list") {
  ComponentHost host;
  const at::Tensor right = at::eye(3), wrong = at::eye(3).roll({1}, {0});
  const at::Tensor target = at::tensor({0, 1, 2}, at::kLong);
  Meter meter(host, "features = [{ name = \"res4\" }, { name = \"res5\" }, { name = \"res4\" }]");
  meter.update({right, wrong, wrong}, target);
  CHECK(meter.value() ==
        nlohmann::json::parse(R"({"top_1": {"res4": [100.0, 0.0], "res5": 0.0}})"));
  Meter named(host, "num_meters = 2\nmeter_names = [\"a\", \"b\"]");
  named.update({right, wrong}, target);
  CHECK(named.value() == nlohmann::json::parse(R"({"top_1": {"a": 100.0, "b": 0.0}})"));
  CHECK(named.counters() == std::vector<double>{3, 3, 0, 3});
  named.reset();
  CHECK(named.counters() == std::vector<double>(4, 0.0));
  CHECK(named.value() == nlohmann::json::parse(R"({"top_1": {"a": 0.0, "b": 0.0}})"));
}

TEST_CASE("accuracy: what does not fit is one sentence") {
  ComponentHost host;
  Meter meter(host, "topk_values = [1, 5]");
  const at::Tensor target = at::tensor({0, 1, 2}, at::kLong);
  CHECK(error_text([&] { meter.update({at::eye(3)}, target); }) ==
        "accuracy_list_meter counts the top 5 of 3 classes; lower topk_values");
  CHECK(error_text([&] {
          meter.update({at::eye(3), at::eye(3)}, target);
        }) ==
        "accuracy_list_meter has 1 meters, but the model gives 2 outputs; set num_meters or "
        "meter_names");
  Meter one(host, "");
  CHECK(error_text([&] { one.update({at::eye(3)}, target + 1); }) ==
        "label 3 has no class: the model's output has 3 classes, 0 to 2; correct the labels of the "
        "split or the head's dims");
  CHECK(error_text([&] { one.update({at::eye(3)}, {}); }) ==
        "accuracy_list_meter needs a target, but the batch has none");
  CHECK(error_text([&] {
          Meter(host, "num_meters = 3\nmeter_names = [\"a\"]");
        }).find("'num_meters' is 3 but there are 1 names") != std::string::npos);
}
