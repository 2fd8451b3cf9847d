#include "host/data/encoded.hpp"

#include <utility>

#include "host/data/pixel/decode.hpp"
#include "host/data/stages.hpp"
#include "host/files/error.hpp"

namespace vissl::host {
namespace {

thread_local double decode_seconds = 0;

// Adds the time until its end to this thread's sum.
class DecodeTime {
 public:
  DecodeTime() = default;
  ~DecodeTime() { decode_seconds += watch_.lap(); }
  DecodeTime(const DecodeTime&) = delete;
  DecodeTime& operator=(const DecodeTime&) = delete;

 private:
  Stopwatch watch_;
};

}  // namespace

Encoded::Encoded(const void* bytes, std::size_t size_bytes, bool borrow) {
  const auto* data = static_cast<const std::uint8_t*>(bytes);
  if (borrow) {
    bytes_ = {data, size_bytes};
  } else {
    owned_.assign(data, data + size_bytes);
    bytes_ = owned_;
  }
}

void Encoded::fail(const std::string& text) {
  failure_ = text;
  throw Error(Exit::bad_data, text);
}

Encoded::Size Encoded::size() {
  if (!size_) {
    const pixel::DecodedSize found = pixel::decode_size(bytes_);
    if (!found.ok()) fail(found.error);
    size_ = Size{found.width, found.height};
  }
  return *size_;
}

const std::shared_ptr<pixel::Pixels>& Encoded::decode() {
  if (!whole_) {
    const DecodeTime time;
    pixel::Decoded decoded = pixel::decode(bytes_);
    if (!decoded.ok()) fail(decoded.error);
    whole_ = std::make_shared<pixel::Pixels>(std::move(decoded.pixels));
  }
  return whole_;
}

pixel::Pixels Encoded::decode_window(int top, int left, int height, int width) {
  const DecodeTime time;
  pixel::Decoded decoded = pixel::decode_crop(bytes_, {top, left, height, width});
  if (!decoded.ok()) fail(decoded.error);
  return std::move(decoded.pixels);
}

double Encoded::thread_seconds() {
  return decode_seconds;
}

}  // namespace vissl::host
