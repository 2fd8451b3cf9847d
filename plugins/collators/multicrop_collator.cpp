// multicrop_collator: crops of several sizes stay a list: "data" has one element (B, C, h_p, w_p)
// per crop p, which the model gets as a list of tensors. label, data_valid, data_idx are (kB, …):
// row p * B + i is crop p of sample i.
#include <vissl/collator.hpp>

#include <string>

using namespace vissl;

namespace {

constexpr const char* kArrays[] = {"label", "data_valid", "data_idx"};

struct Multicrop {
  void layout(const Sample& first, std::int64_t count, Batch& batch) {
    const std::uint64_t crops = first.count("data");
    for (std::uint64_t p = 0; p < crops; ++p) {
      batch.add_images("data", count, first.image("data", p), /*nested=*/true);
    }
    const std::int64_t rows = static_cast<std::int64_t>(crops) * count;
    for (const char* key : kArrays) batch.add_arrays(key, rows, first.array(key, 0));
  }

  void place(std::int64_t i, std::int64_t count, Sample& sample, Batch& batch) {
    const std::uint64_t crops = batch.count("data");
    if (sample.count("data") != crops) {
      fail("the first sample of the batch has " + std::to_string(crops) +
           " crops and this one has " + std::to_string(sample.count("data")));
    }
    for (std::uint64_t p = 0; p < crops; ++p) {
      batch.write("data", p, i, sample.image("data", p));
      const std::int64_t row = static_cast<std::int64_t>(p) * count + i;
      for (const char* key : kArrays) batch.write(key, 0, row, sample.array(key, p));
    }
  }
};

}  // namespace

VISSL_COLLATOR(Multicrop, "multicrop_collator",
               "Keeps crops of several sizes as a list of tensors, one per crop.")
VISSL_PLUGIN("org.vissl.collators.multicrop_collator", "1.0.0")
