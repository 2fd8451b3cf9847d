#pragma once
// The object behind vissl_batch (vissl/batch.h): the fields of one batch in memory of the runtime's
// allocator, which is kept and used again for the next batch of the ring.
#include <vissl/batch.h>

#include <string_view>
#include <utility>
#include <vector>

#include "host/boundary.hpp"
#include "host/data/image.hpp"

namespace vissl::host {

// Blocks of the allocator that only grow: `take` hands out pieces until `rewind` takes all of them
// back. After a first round every later round of the same size is one block.
class BatchMemory {
 public:
  explicit BatchMemory(Allocator allocator) : allocator_(std::move(allocator)) {}
  BatchMemory(const BatchMemory&) = delete;
  BatchMemory& operator=(const BatchMemory&) = delete;
  ~BatchMemory();

  void* take(std::size_t bytes);  // aligned to 64, unset
  void rewind();

 private:
  struct Block {
    std::byte* data;
    std::size_t bytes, used;
  };
  void add_block(std::size_t bytes);
  void release_all();

  Allocator allocator_;
  std::vector<Block> blocks_;
};

// Names the collator's random stream.
struct BatchStream {
  std::uint64_t seed = 0;
  std::uint32_t train_phase = 0;
  std::uint64_t batch = 0;  // over all ranks: number * world + rank
};

class BatchBuilder {
 public:
  explicit BatchBuilder(Allocator allocator) : memory_(std::move(allocator)) {}

  void reset(const BatchStream& stream);  // forgets the fields, keeps the memory
  Batch& batch() { return batch_; }

  // These throw Error(run_failed). `add` is for one thread; the others are for all at once, each on
  // its own rows.
  void add(std::string_view name, vissl_dtype dtype, std::uint32_t ndim, const std::int64_t* shape,
           bool nested);
  std::size_t element_count(std::string_view name) const;
  const BatchElement& element(std::string_view name, std::size_t i) const;
  void write_image(std::string_view name, std::size_t i, std::int64_t row, Image& image) const;
  void write_array(std::string_view name, std::size_t i, std::int64_t row,
                   const vissl_array& array) const;
  vissl_rng rng() const;

 private:
  BatchMemory memory_;
  BatchStream stream_;
  Batch batch_;
};

inline vissl_batch* handle(BatchBuilder* batch) {
  return reinterpret_cast<vissl_batch*>(batch);
}
inline BatchBuilder& unwrap(vissl_batch* batch) {
  return *reinterpret_cast<BatchBuilder*>(batch);
}
inline const BatchBuilder& unwrap(const vissl_batch* batch) {
  return *reinterpret_cast<const BatchBuilder*>(batch);
}

// The table of service "vissl.batch/1".
const vissl_batch_api& batch_api();

}  // namespace vissl::host
