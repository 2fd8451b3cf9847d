#include "host/files/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <new>

#include "host/files/damage.hpp"

namespace vissl::host {
namespace {

constexpr std::uint64_t kLargestRatio = 200;
constexpr std::uint64_t kAnyRatio = std::uint64_t{16} << 20;
constexpr std::uint64_t kPiece = std::uint64_t{1} << 30;  // zlib counts in 32 bits

// zlib's state, ended with the scope.
struct Inflater {
  Inflater() {
    constexpr int kGzip = 16;
    if (::inflateInit2(&stream, MAX_WBITS + kGzip) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream); }
  z_stream stream{};
};

}  // namespace

std::shared_ptr<const std::vector<std::byte>> gunzip(std::span<const std::byte> file,
                                                     const std::string& name) {
  const std::uint64_t limit = std::max<std::uint64_t>(kAnyRatio, kLargestRatio * file.size());
  const auto out = std::make_shared<std::vector<std::byte>>();
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::uint64_t taken = 0, made = 0;
  while (true) {
    if (made == out->size()) {
      if (made == limit) throw_damaged(name, "would inflate more than 200 times", taken);
      out->resize(std::min(limit, std::max<std::uint64_t>(1 << 16, 2 * made)));
    }
    const std::uint64_t in = std::min<std::uint64_t>(file.size() - taken, kPiece);
    const std::uint64_t room = std::min<std::uint64_t>(out->size() - made, kPiece);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(file.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out->data() + made);
    stream.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += room - stream.avail_out;
    if (status == Z_STREAM_END) {
      if (taken == file.size()) break;
      ::inflateReset(&stream);  // another member follows
    } else if (status != Z_OK && !(status == Z_BUF_ERROR && stream.avail_out == 0)) {
      const bool is_cut = status == Z_BUF_ERROR;
      throw_damaged(name, is_cut ? "the gzip stream is cut off" : "the gzip stream is broken",
                    taken);
    } else if (taken == file.size() && stream.avail_out != 0) {
      throw_damaged(name, "the gzip stream is cut off", taken);
    }
  }
  out->resize(made);
  return out;
}

}  // namespace vissl::host
