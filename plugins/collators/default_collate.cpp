// default_collate: torch's. Every key of the samples becomes a field with one element per entry
// (source or view): images (B, C, H, W), arrays (B, …). Models take fields of one element; several
// sources need a collator that joins them.
#include <vissl/collator.hpp>

#include <string>

using namespace vissl;

namespace {

struct DefaultCollate {
  void layout(const Sample& first, std::int64_t count, Batch& batch) {
    for (const std::string& key : first.keys()) {
      for (std::uint64_t entry = 0; entry < first.count(key); ++entry) {
        if (first.has_image(key, entry)) {
          batch.add_images(key, count, first.image(key, entry));
        } else {
          batch.add_arrays(key, count, first.array(key, entry));
        }
      }
    }
  }

  void place(std::int64_t i, std::int64_t /*count*/, Sample& sample, Batch& batch) {
    for (const std::string& key : sample.keys()) {
      const std::uint64_t entries = batch.count(key);
      if (sample.count(key) != entries) {
        fail("the first sample of the batch has " + std::to_string(entries) + " entries under '" +
             key + "' and this one has " + std::to_string(sample.count(key)));
      }
      for (std::uint64_t entry = 0; entry < entries; ++entry) {
        if (sample.has_image(key, entry)) {
          batch.write(key, entry, i, sample.image(key, entry));
        } else {
          batch.write(key, entry, i, sample.array(key, entry));
        }
      }
    }
  }
};

}  // namespace

VISSL_COLLATOR(DefaultCollate, "default_collate",
               "Stacks each entry of the samples into a tensor of its own, as torch does.")
VISSL_PLUGIN("org.vissl.collators.default_collate", "1.0.0")
