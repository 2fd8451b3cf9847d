// Batches that are functions of their positions.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "host/runtime/conformance/stand_ins.hpp"

namespace vissl::host {
namespace {

constexpr std::int64_t kBatch = 64, kClasses = 8, kSide = 8, kPixels = 3 * kSide * kSide;

std::int64_t class_of(std::int64_t index) {
  return index * 5 % kClasses;
}

// A batch that owns its values.
struct OwnedBatch : Batch {
  std::vector<float> images;
  std::vector<std::int64_t> classes, valid;

  OwnedBatch(std::vector<std::int64_t> positions, std::int64_t which) {
    indices = std::move(positions);
    samples = static_cast<std::int64_t>(indices.size());
    number = which;
    for (const std::int64_t index : indices) {
      const std::int64_t label = class_of(index);
      classes.push_back(label);
      valid.push_back(1);
      for (std::int64_t i = 0; i < kPixels; ++i)
        images.push_back(static_cast<float>(
            std::sin(0.37 * static_cast<double>(i + 1) * static_cast<double>(label + 1) +
                     static_cast<double>(index))));
    }
    fields.push_back({"data", false, {{VISSL_F32, {samples, 3, kSide, kSide}, images.data()}}});
    fields.push_back({"label", false, {{VISSL_I64, {samples}, classes.data()}}});
    fields.push_back({"data_valid", false, {{VISSL_I64, {samples}, valid.data()}}});
    fields.push_back({"data_idx", false, {{VISSL_I64, {samples}, indices.data()}}});
  }
};

// Batches of one phase: in dataset order, turned by the epoch in training.
class StandInPhase final : public Phase {
 public:
  StandInPhase(const PhaseSpec& spec, std::int64_t length)
      : length_(length), turn_(spec.training ? 3 * spec.epoch : 0), next_(spec.start_batch) {}

  std::int64_t batch_count() const override { return length_ / kBatch; }
  std::shared_ptr<Batch> next() override {
    if (next_ >= batch_count()) return nullptr;
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < kBatch; ++i)
      indices.push_back((next_ * kBatch + i + turn_) % length_);
    auto batch = std::make_shared<OwnedBatch>(std::move(indices), next_);
    ++next_;
    return batch;
  }
  double wait_seconds() const override { return 0.0; }

 private:
  std::int64_t length_, turn_, next_;
};

class StandInData final : public DataEngine {
 public:
  bool has(std::string_view split) const override { return split == "train" || split == "test"; }
  std::int64_t length(std::string_view split) override { return split == "train" ? 256 : 128; }
  std::int64_t batch_size(std::string_view) override { return kBatch; }
  vissl_status label(std::string_view split, std::int64_t index, vissl_array* out,
                     vissl_err* err) override {
    if (!has(split) || index < 0 || index >= length(split)) {
      const std::string_view text = "no such sample";
      if (err != nullptr && err->set != nullptr)
        err->set(err, VISSL_E_FAILED, {text.data(), text.size()});
      return VISSL_E_FAILED;
    }
    label_ = class_of(index);
    *out = {sizeof(vissl_array), VISSL_I64, 0, {}, &label_};
    return VISSL_OK;
  }
  std::string path(std::string_view split, std::int64_t index) override {
    return std::string(split) + "/" + std::to_string(index);
  }
  std::vector<std::int64_t> class_labels(std::string_view split) override {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < length(split); ++i) labels.push_back(class_of(i));
    return labels;
  }
  std::int64_t batch_count(const PhaseSpec& spec) override { return length(spec.split) / kBatch; }
  std::unique_ptr<Phase> open(const PhaseSpec& spec, const Allocator&) override {
    return std::make_unique<StandInPhase>(spec, length(spec.split));
  }
  std::int64_t invalid_samples() const override { return 0; }
  std::string sheet_png(std::string_view, const Batch&) override {
    throw Error(Exit::run_failed, "the data of check-plugin are no images to look at");
  }

 private:
  std::int64_t label_ = 0;
};

}  // namespace

std::unique_ptr<DataEngine> stand_in_data() {
  return std::make_unique<StandInData>();
}

}  // namespace vissl::host
