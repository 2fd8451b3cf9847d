#include "host/runtime/device/upload.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <vector>

using namespace vissl::host;

namespace {

// `count` batches of two numbers each: (k, k + 0.5).
class Numbers final : public Phase {
 public:
  explicit Numbers(int count) : count_(count) {}
  std::int64_t batch_count() const override { return count_; }
  double wait_seconds() const override { return 0.0; }
  std::shared_ptr<Batch> next() override {
    if (given == count_) return nullptr;
    struct Filled {
      std::vector<double> values;
      Batch batch;
    };
    auto filled = std::make_shared<Filled>();
    filled->values = {static_cast<double>(given), given + 0.5};
    filled->batch.fields = {{"data", false, {{VISSL_F64, {2, 1}, filled->values.data()}}}};
    filled->batch.number = given++;
    last = std::shared_ptr<Batch>(filled, &filled->batch);
    return std::shared_ptr<Batch>(filled, &filled->batch);
  }
  int given = 0;
  std::weak_ptr<Batch> last;

 private:
  int count_;
};

double first_value(const Fields& fields) {
  return fields.find("data")->tensors.front()[0].item<double>();
}

}  // namespace

TEST_CASE("upload: batches come in order and as the run's type, copied ahead or not") {
  for (const bool ahead : {false, true}) {
    CAPTURE(ahead);
    Upload upload({at::Device(at::kCPU), at::kFloat, false, ahead});
    Numbers numbers(3);
    Delivery delivery(numbers, upload);
    for (int k = 0; k < 3; ++k) {
      const auto batch = delivery.next();
      REQUIRE(batch);
      CHECK(batch->number == k);
      CHECK(numbers.given == std::min(3, ahead ? k + 2 : k + 1));
      const Fields fields = upload.take(batch);
      CHECK(first_value(fields) == k);
      CHECK((fields.find("data")->tensors.front().scalar_type() == at::kFloat));
    }
    CHECK(delivery.next() == nullptr);
    CHECK(delivery.next() == nullptr);
  }
}

TEST_CASE("upload: a batch that was never begun is copied when it is taken") {
  Upload upload({at::Device(at::kCPU), at::kFloat, false, true});
  Numbers numbers(2);
  const auto first = numbers.next(), second = numbers.next();
  upload.begin(first);
  CHECK(first_value(upload.take(second)) == 1.0);
  CHECK(first_value(upload.take(first)) == 0.0);
}

TEST_CASE("upload: a batch is given back to the data engine once it is copied") {
  Upload upload({at::Device(at::kCPU), at::kFloat, false, true});
  Numbers numbers(3);
  Delivery delivery(numbers, upload);
  std::weak_ptr<Batch> first;
  {
    const auto batch = delivery.next();
    first = batch;
    upload.take(batch);
  }
  CHECK(first.expired());
  delivery.next();
}
