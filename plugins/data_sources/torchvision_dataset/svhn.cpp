// SVHN's cropped digits: MATLAB 5 files with the variables X, bytes of shape (32, 32, 3, N) in
// column-major order, and y, digits from 1 to 10, where 10 is zero. Their format, MATLAB's
// "MAT-File Format" level 5: a header of 128 bytes, then elements of a type, a size and data padded
// to 8 bytes; variables may be packed with zlib.
#include <zlib.h>

#include <cstring>
#include <map>
#include <utility>

#include "content.hpp"

namespace {

enum : std::uint32_t {
  kInt8 = 1,
  kUint8 = 2,
  kInt16 = 3,
  kUint16 = 4,
  kInt32 = 5,
  kUint32 = 6,
  kSingle = 7,
  kDouble = 9,
  kMatrix = 14,
  kCompressed = 15,
};

struct Element {
  std::uint32_t type;
  const std::uint8_t* data;
  std::size_t size;
};

// Memory of an unpacked variable.
class Memory final : public Bytes {
 public:
  std::vector<std::uint8_t> content;
};

struct Variable {
  std::vector<std::int64_t> shape;
  Element real;
  File memory;  // holds what `real` points to
};

template <class T>
T read(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);  // files say that they are little-endian, as all machines
  return value;                           // that this runs on are
}

class MatReader {
 public:
  explicit MatReader(File file) : file_(std::move(file)) {
    const Bytes& bytes = *file_;
    if (bytes.size < 128 || std::memcmp(bytes.data, "MATLAB 5.0", 10) != 0 ||
        std::memcmp(bytes.data + 126, "IM", 2) != 0) {
      bad_file(bytes, "is no MATLAB 5 file: its header is another one");
    }
    const std::uint8_t* at = bytes.data + 128;
    const std::uint8_t* end = bytes.data + bytes.size;
    while (at < end) {
      const Element element = next(at, end, true);
      if (element.type == kCompressed) {
        const File unpacked = unpack(element);
        const std::uint8_t* inside = unpacked->data;
        add(next(inside, unpacked->data + unpacked->size, false), unpacked);
      } else {
        add(element, file_);
      }
    }
  }

  const Variable& at(const std::string& name) const {
    const auto found = variables_.find(name);
    if (found == variables_.end()) bad_file(*file_, "has no variable '" + name + "'");
    return found->second;
  }

 private:
  [[noreturn]] void cut_short() const {
    bad_file(*file_, "is cut short or damaged: an element is longer than the " +
                         std::to_string(file_->size) + " bytes of the file allow");
  }

  // Reads the element at `at` and moves on. Elements of up to 4 bytes can share the 8 of their tag.
  Element next(const std::uint8_t*& at, const std::uint8_t* end, bool top_level) const {
    if (end - at < 8) cut_short();
    const auto first = read<std::uint32_t>(at);
    if (first >> 16 != 0) {
      const Element small{first & 0xFFFF, at + 4, first >> 16};
      if (small.size > 4) cut_short();
      at += 8;
      return small;
    }
    const Element element{first, at + 8, read<std::uint32_t>(at + 4)};
    const auto room = static_cast<std::size_t>(end - element.data);
    if (element.size > room) cut_short();
    // Packed variables are not padded.
    const std::size_t padded =
        top_level && element.type == kCompressed ? element.size : (element.size + 7) / 8 * 8;
    at = element.data + std::min(padded, room);
    return element;
  }

  File unpack(const Element& element) const {
    auto memory = std::make_shared<Memory>();
    memory->path = file_->path;
    std::vector<std::uint8_t>& out = memory->content;
    z_stream stream{};
    if (::inflateInit(&stream) != Z_OK) vissl::fail("zlib cannot start");
    stream.next_in = const_cast<std::uint8_t*>(element.data);
    stream.avail_in = static_cast<uInt>(element.size);
    int status = Z_OK;
    while (status == Z_OK) {
      const std::size_t used = out.size();
      out.resize(used + std::max<std::size_t>(used, 1u << 20));
      stream.next_out = out.data() + used;
      stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size() - used, 1u << 30));
      const uInt room = stream.avail_out;
      status = ::inflate(&stream, Z_NO_FLUSH);
      out.resize(used + room - stream.avail_out);
    }
    ::inflateEnd(&stream);
    if (status != Z_STREAM_END) bad_file(*file_, "is cut short or damaged: zlib cannot unpack it");
    memory->data = out.data();
    memory->size = out.size();
    return memory;
  }

  // A variable: flags, shape, name, real part.
  void add(const Element& matrix, const File& memory) {
    if (matrix.type != kMatrix) return;
    const std::uint8_t* at = matrix.data;
    const std::uint8_t* end = matrix.data + matrix.size;
    next(at, end, false);  // flags
    const Element shape = next(at, end, false), name = next(at, end, false);
    Variable variable{{}, next(at, end, false), memory};
    for (std::size_t i = 0; i + 4 <= shape.size; i += 4) {
      variable.shape.push_back(read<std::int32_t>(shape.data + i));
    }
    variables_[std::string(reinterpret_cast<const char*>(name.data), name.size)] =
        std::move(variable);
  }

  File file_;
  std::map<std::string, Variable> variables_;
};

// The numbers of a variable, whatever MATLAB stored them as.
std::vector<std::int64_t> integers(const Variable& variable) {
  const Element& real = variable.real;
  const auto convert = [&](auto sample) {
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i + sizeof sample <= real.size; i += sizeof sample) {
      values.push_back(static_cast<std::int64_t>(read<decltype(sample)>(real.data + i)));
    }
    return values;
  };
  switch (real.type) {
    case kInt8:
      return convert(std::int8_t{});
    case kUint8:
      return convert(std::uint8_t{});
    case kInt16:
      return convert(std::int16_t{});
    case kUint16:
      return convert(std::uint16_t{});
    case kInt32:
      return convert(std::int32_t{});
    case kUint32:
      return convert(std::uint32_t{});
    case kSingle:
      return convert(float{});
    case kDouble:
      return convert(double{});
    default:
      bad_file(*variable.memory, "has labels of MATLAB's type " + std::to_string(real.type));
  }
}

}  // namespace

Content read_svhn(const Folder& folder, bool train) {
  constexpr std::size_t kSide = 32, kPlane = kSide * kSide, kImage = 3 * kPlane;
  const File file = map_file(folder.at({train ? "train_32x32.mat" : "test_32x32.mat"}));
  const MatReader mat(file);
  const Variable& images = mat.at("X");
  Content content;
  content.labels = integers(mat.at("y"));
  const auto count = static_cast<std::int64_t>(content.labels.size());
  if (images.real.type != kUint8 ||
      images.shape != std::vector<std::int64_t>{kSide, kSide, 3, count} ||
      images.real.size != content.labels.size() * kImage) {
    bad_file(*file, "should hold X as bytes of shape (32, 32, 3, " + std::to_string(count) +
                        ") for its " + std::to_string(count) + " labels, and does not");
  }
  for (std::int64_t& label : content.labels) {
    if (label < 0 || label > 10) {
      bad_file(*file, "has the label " + std::to_string(label) + "; labels run from 1 to 10");
    }
    if (label == 10) label = 0;
  }
  content.height = content.width = kSide;
  content.channels = 3;
  content.row = 1;
  content.column = kSide;
  content.channel = kPlane;
  content.images.push_back({images.memory,
                            static_cast<std::size_t>(images.real.data - images.memory->data),
                            kImage, count});
  return content;
}
