#pragma once
// For tests: runs transform plugins over samples as the data engine does.
#include <string>
#include <vector>

#include "data_host.hpp"

namespace vissl::test {

// A sample with one image and the label 7.
class TransformSample {
 public:
  explicit TransformSample(std::uint64_t seed, std::int64_t index = 0) {
    sample_.reset({seed, 0, index, 0, 0});
    sample_.set_array("label", 0, host::Array::scalar(7));
    image_ = &sample_.add_image("data");
  }
  host::Image& first() { return *image_; }
  host::Sample& sample() { return sample_; }
  host::Image& image(std::size_t view) { return *sample_.image("data", view); }
  std::size_t views() const { return sample_.entry_count("data"); }
  std::int64_t label(std::size_t i = 0) const {
    return to_scalar<std::int64_t>(sample_.array("label", i).view());
  }

 private:
  host::Sample sample_;
  host::Image* image_;
};

// Throws Failure with the transform's text. `position`: its place in the pipeline.
inline void apply(const Instance& transform, host::Sample& sample, std::uint32_t position = 0) {
  sample.set_position(position);
  const auto& table = transform.table<vissl_transform_class>(VISSL_TRANSFORM_ID);
  if (table.apply_image == nullptr) {
    vissl::call(table.apply_sample, transform.handle(), host::handle(&sample));
    return;
  }
  for (std::size_t view = 0; view < sample.entry_count("data"); ++view) {
    vissl_rng stream = sample.rng(view);
    vissl::call(table.apply_image, transform.handle(), host::handle(sample.image("data", view)),
                &stream);
  }
}

}  // namespace vissl::test
