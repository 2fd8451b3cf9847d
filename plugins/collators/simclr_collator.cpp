// simclr_collator: the k views of B samples become one tensor, view by view: row p * B + i is view
// p of sample i.
//   data (kB, C, H, W); label, data_valid, data_idx (kB, …) in the same order.
#include <vissl/collator.hpp>

#include <string>

using namespace vissl;

namespace {

constexpr const char* kArrays[] = {"label", "data_valid", "data_idx"};

struct Simclr {
  void layout(const Sample& first, std::int64_t count, Batch& batch) {
    const std::int64_t rows = static_cast<std::int64_t>(first.count("data")) * count;
    batch.add_images("data", rows, first.image("data", 0));
    for (const char* key : kArrays) batch.add_arrays(key, rows, first.array(key, 0));
  }

  void place(std::int64_t i, std::int64_t count, Sample& sample, Batch& batch) {
    const std::int64_t views = batch.array("data").shape[0] / count;
    if (static_cast<std::int64_t>(sample.count("data")) != views) {
      fail("the first sample of the batch has " + std::to_string(views) +
           " views and this one has " + std::to_string(sample.count("data")));
    }
    for (std::int64_t p = 0; p < views; ++p) {
      const auto view = static_cast<std::uint64_t>(p);
      const std::int64_t row = p * count + i;
      batch.write("data", 0, row, sample.image("data", view));
      for (const char* key : kArrays) batch.write(key, 0, row, sample.array(key, view));
    }
  }
};

}  // namespace

VISSL_COLLATOR(Simclr, "simclr_collator", "Stacks the views of all samples, view by view.")
VISSL_PLUGIN("org.vissl.collators.simclr_collator", "1.0.0")
