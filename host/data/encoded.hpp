#pragma once
// Bytes of an image file that are decoded when somebody needs pixels. Replicates of an image share
// one object: then it is decoded once, in full; an image of its own decodes only the window that a
// crop asks for.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/data/pixel/image.hpp"

namespace vissl::host {

// Used by one thread at a time, as the sample that it belongs to.
class Encoded {
 public:
  // Copies the bytes, or borrows them: then they must outlive this object.
  Encoded(const void* bytes, std::size_t size_bytes, bool borrow);
  Encoded(const Encoded&) = delete;
  Encoded& operator=(const Encoded&) = delete;

  struct Size {
    int width, height;  // pixels
  };
  // From the file's header. These three throw Error(bad_data) for bytes that are no whole image
  // file, and remember the text.
  Size size();
  // RGB pixels of the whole image; decoded at the first call, then shared.
  const std::shared_ptr<pixel::Pixels>& decode();
  // RGB pixels of a window inside the image, equal to the same window of the whole.
  pixel::Pixels decode_window(int top, int left, int height, int width);

  bool decoded() const { return whole_ != nullptr; }
  // Why the bytes could not be read; empty as long as nothing failed.
  const std::string& failure() const { return failure_; }
  // Seconds that this thread has spent in decoding so far.
  static double thread_seconds();

 private:
  [[noreturn]] void fail(const std::string& text);

  std::vector<std::uint8_t> owned_;
  std::span<const std::uint8_t> bytes_;
  std::optional<Size> size_;
  std::shared_ptr<pixel::Pixels> whole_;
  std::string failure_;
};

}  // namespace vissl::host
