#pragma once
// The object behind vissl_sample (vissl/sample.h): an ordered map from a key to a list of images
// and arrays, and the random streams of this sample. One thread at a time; a worker fills it,
// transforms it, and its rows are copied to a batch.
#include <vissl/sample.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/array.hpp"
#include "host/data/image.hpp"

namespace vissl::host {

// Names the random streams of one sample (rng.h). `position` is the place of the running transform.
struct StreamKey {
  std::uint64_t seed = 0;
  std::uint32_t train_phase = 0;
  std::int64_t index = 0;  // position in the dataset, after data_limit
  std::uint32_t occurrence = 0;
  std::uint32_t position = 0;
};

class Sample {
 public:
  struct Entry {
    std::unique_ptr<Image> image;  // NULL = an array
    Array array;
  };
  struct List {
    std::string key;
    std::vector<Entry> entries;
  };

  void reset(const StreamKey& stream);  // forgets all entries
  void set_position(std::uint32_t position) { stream_.position = position; }
  const StreamKey& stream() const { return stream_; }
  vissl_rng rng(std::uint64_t view) const;

  const std::vector<List>& lists() const { return lists_; }
  std::size_t entry_count(std::string_view key) const;  // 0 when the key is absent
  Image* image(std::string_view key, std::size_t i);    // NULL: no such entry, or an array
  // The next three throw Error(run_failed) for an entry that is not there, or not of that type.
  const Array& array(std::string_view key, std::size_t i) const;
  void set_array(std::string_view key, std::size_t i, Array array);  // i = count appends
  void repeat(const std::uint64_t* times, std::size_t count);
  Image& add_image(std::string_view key);
  void remove(std::string_view key);  // an absent key is no error

  // Decodes what is still encoded.
  void settle();
  // Whether an image could not be decoded, so that what failed is the file and not the transform.
  bool unreadable() const;

 private:
  const List* find(std::string_view key) const;
  List& list(std::string_view key);  // made when absent

  StreamKey stream_;
  std::vector<List> lists_;
};

inline vissl_sample* handle(Sample* sample) {
  return reinterpret_cast<vissl_sample*>(sample);
}
inline Sample& unwrap(vissl_sample* sample) {
  return *reinterpret_cast<Sample*>(sample);
}
inline const Sample& unwrap(const vissl_sample* sample) {
  return *reinterpret_cast<const Sample*>(sample);
}

// The table of service "vissl.sample/1".
const vissl_sample_api& sample_api();

}  // namespace vissl::host
