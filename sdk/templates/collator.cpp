// my_component: a collator, which turns samples into a batch: "data" (B, C, H, W), "label" (B), and
// "data_idx" (B), the positions in the dataset. Samples of one batch are placed by several workers
// at once, each with its own instance, so that an instance must not remember anything.
#include <vissl/collator.hpp>
#include <vissl/plugin.hpp>

namespace {

struct MyComponent {
  // The fields and their shapes, from the first sample.
  void layout(const vissl::Sample& first, std::int64_t count, vissl::Batch& batch) const {
    batch.add_images("data", count, first.image("data", 0));
    batch.add<std::int64_t>("label", {count});
    batch.add<std::int64_t>("data_idx", {count});
  }
  // The rows of sample i, as soon as it is ready.
  void place(std::int64_t i, std::int64_t /*count*/, vissl::Sample& sample,
             vissl::Batch& batch) const {
    batch.write("data", 0, i, sample.image("data", 0));
    batch.write("label", 0, i, sample.array("label", 0));
    batch.data<std::int64_t>("data_idx")[i] = sample.index();
  }
};

}  // namespace

VISSL_COLLATOR(MyComponent, "my_component", "One image and one label per sample.")
VISSL_PLUGIN("example.my_component", "0.1.0")
