#include "host/files/npy.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "host/files/atomic_file.hpp"
#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/numpy_types.hpp"

namespace vissl::host {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

// The header is a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& file, std::uint64_t offset)
      : text_(text), file_(file), offset_(offset) {}

  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;

  void parse() {
    expect('{');
    int found = 0;
    while (!accept('}')) {
      const std::string key = quoted_text();
      expect(':');
      if (key == "descr") {
        descr = quoted_text();
        found |= 1;
      } else if (key == "fortran_order") {
        fortran_order = truth();
        found |= 2;
      } else if (key == "shape") {
        sizes();
        found |= 4;
      } else {
        damaged("has the unknown header entry " + quoted_name(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (found != 7) damaged("has a header without descr, fortran_order and shape");
  }

  [[noreturn]] void damaged(const std::string& what) const {
    throw_damaged(file_, what, offset_ + at_);
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) damaged(std::string("has no '") + c + "' where its header needs one");
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string quoted_text() {
    skip_space();
    const char mark = at_ < text_.size() ? text_[at_] : '\0';
    if (mark == '[') {
      throw Error(Exit::bad_data, file_ +
                                      ": has elements that are records, which are no plain "
                                      "numbers; save each of their fields as an array");
    }
    if (mark != '\'' && mark != '"') damaged("has no text in quotes where its header needs one");
    const std::size_t end = text_.find(mark, at_ + 1);
    if (end == std::string_view::npos) damaged("has a header without an end");
    std::string text(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return text;
  }
  bool truth() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) damaged("has a fortran_order that is neither True nor False");
    return false;
  }
  void sizes() {
    constexpr std::size_t kMostDimensions = 64;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t size = 0;
      const char* end = text_.data() + text_.size();
      const auto [stop, error] = std::from_chars(text_.data() + at_, end, size);
      if (error != std::errc{} || size < 0 || shape.size() == kMostDimensions) {
        damaged("has a bad shape");
      }
      at_ = static_cast<std::size_t>(stop - text_.data());
      shape.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view text_;
  const std::string& file_;
  std::uint64_t offset_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader read_npy_header(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic)) throw_damaged(name, "is not a .npy file", 0);
  if (text.size() < 12) throw_damaged(name, "ends inside its header", text.size());
  const auto byte = [&bytes](std::size_t at) { return static_cast<std::size_t>(bytes[at]); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) {
    throw_damaged(name, "has the unknown .npy version " + std::to_string(version), 6);
  }
  std::size_t size = byte(8) | byte(9) << 8;
  if (version > 1) size |= byte(10) << 16 | byte(11) << 24;
  const std::size_t start = version == 1 ? 10 : 12;
  if (text.size() - start < size) throw_damaged(name, "ends inside its header", text.size());
  HeaderText parsed(text.substr(start, size), name, start);
  parsed.parse();
  return {std::move(parsed.descr), parsed.fortran_order, std::move(parsed.shape), start + size};
}

NpyLayout npy_layout(const NpyHeader& header, const std::string& name) {
  const char order = header.descr.empty() ? '\0' : header.descr.front();
  const NumpyCode* type = numpy_code(std::string_view(header.descr).substr(order == '\0' ? 0 : 1));
  if (type == nullptr || std::string_view("<>|=").find(order) == std::string_view::npos) {
    throw Error(Exit::bad_data, name + ": has elements of the type " + quoted_name(header.descr) +
                                    ", which are no plain numbers; save it as numbers");
  }
  NpyLayout layout;
  std::int64_t count = 1;
  bool is_empty = false;
  for (const std::int64_t size : header.shape) {
    is_empty = is_empty || size == 0;
    if (__builtin_mul_overflow(count, std::max<std::int64_t>(size, 1), &count)) {
      throw_damaged(name, "has a shape that overflows");
    }
  }
  if (is_empty) count = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(count), size_bytes(type->dtype),
                             &layout.size_bytes)) {
    throw_damaged(name, "has a shape that overflows");
  }
  layout.tensor = TensorRef::contiguous(type->dtype, header.shape, nullptr);
  if (header.is_fortran) layout.tensor.strides = fortran_strides(header.shape);
  layout.is_swapped = order == '>';
  return layout;
}

TensorRef read_npy(const FileBytes& file) {
  const NpyHeader header = read_npy_header(file.bytes, file.name);
  NpyLayout layout = npy_layout(header, file.name);
  const auto data = file.bytes.subspan(header.data_offset);
  if (layout.size_bytes > data.size()) {
    throw_damaged(file.name,
                  "ends before its " + std::to_string(layout.tensor.numel()) + " elements",
                  file.bytes.size());
  }
  layout.tensor.storage = file_storage(data.first(layout.size_bytes), file.keep_alive,
                                       layout.tensor.dtype, layout.is_swapped);
  return std::move(layout.tensor);
}

TensorRef read_npy(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return read_npy(FileBytes{file->bytes(), file, file->name()});
}

void write_npy_header(Sink& sink, DType dtype, const std::vector<std::int64_t>& shape) {
  const auto* type = std::ranges::find(kNumpyCodes, dtype, &NumpyCode::dtype);
  if (type == kNumpyCodes.end()) {
    throw Error(Exit::run_failed, "numpy has no element type " + std::string(facts(dtype).name) +
                                      "; convert to float32 before writing a .npy file");
  }
  std::string sizes;
  for (const std::int64_t size : shape) sizes += std::to_string(size) + ", ";
  // numpy writes (3,) with one size and (3, 2) with more.
  if (shape.size() > 1) sizes.resize(sizes.size() - 2);
  if (shape.size() == 1) sizes.pop_back();
  const char order = size_bytes(dtype) == 1 ? '|' : '<';
  std::string header = std::string("{'descr': '") + order + std::string(type->code) +
                       "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  // Data begins at a multiple of 64, so that a mapped file is aligned.
  const std::size_t prefix = kMagic.size() + 4;
  header.resize((prefix + header.size() + 1 + 63) / 64 * 64 - prefix - 1, ' ');
  header += '\n';
  std::string head(kMagic);
  head += '\x01';
  head += '\x00';
  head += static_cast<char>(header.size() & 0xff);
  head += static_cast<char>(header.size() >> 8);
  sink.write_text(head + header);
}

void write_npy(const std::filesystem::path& path, const TensorRef& tensor) {
  if (const char* problem = tensor.invalid()) {
    throw Error(Exit::run_failed, std::string("cannot save ") + problem);
  }
  AtomicFile file(path);
  write_npy_header(file, tensor.dtype, tensor.shape);
  const std::uint64_t unit = size_bytes(tensor.dtype);
  if (tensor.is_contiguous()) {
    file.write(tensor.storage->bytes().subspan(static_cast<std::uint64_t>(tensor.offset) * unit,
                                               static_cast<std::uint64_t>(tensor.numel()) * unit));
  } else {
    file.write(tensor.packed());
  }
  file.commit();
}

}  // namespace vissl::host
