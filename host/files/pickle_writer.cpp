#include "host/files/pickle_writer.hpp"

#include <bit>
#include <limits>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/utf8.hpp"

namespace vissl::host {

PickleWriter::PickleWriter() {
  stream_ = "\x80\x02";
}

void PickleWriter::put_number(std::uint64_t value, int size_bytes) {
  for (int i = 0; i < size_bytes; ++i) stream_ += static_cast<char>((value >> (8 * i)) & 0xff);
}

void PickleWriter::integer(std::int64_t value) {
  if (value >= 0 && value <= 0xff) {
    put('K');
    put_number(static_cast<std::uint64_t>(value), 1);
  } else if (value >= 0 && value <= 0xffff) {
    put('M');
    put_number(static_cast<std::uint64_t>(value), 2);
  } else if (value >= std::numeric_limits<std::int32_t>::min() &&
             value <= std::numeric_limits<std::int32_t>::max()) {
    put('J');
    put_number(static_cast<std::uint32_t>(value), 4);
  } else {
    // Eight bytes even where fewer would do: libtorch's own unpickler reads no other length.
    put('\x8a');
    put_number(8, 1);
    put_number(static_cast<std::uint64_t>(value), 8);
  }
}

void PickleWriter::real(double value) {
  put('G');
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int i = 7; i >= 0; --i) stream_ += static_cast<char>((bits >> (8 * i)) & 0xff);
}

bool PickleWriter::fetch(const std::string& memo_key) {
  const auto [place, is_new] =
      memo_.try_emplace(memo_key, static_cast<std::uint32_t>(memo_.size()));
  if (is_new) return false;
  if (place->second <= 0xff) {
    put('h');
    put_number(place->second, 1);
  } else {
    put('j');
    put_number(place->second, 4);
  }
  return true;
}

void PickleWriter::text(std::string_view value) {
  if (!is_utf8(value) || value.size() > 0xffffffff) {
    throw Error(Exit::run_failed, "text " + quoted_name(value) +
                                      " is not UTF-8 and cannot be saved; save it as bytes");
  }
  const std::string key = "t" + std::string(value);
  if (fetch(key)) return;
  put('X');
  put_number(value.size(), 4);
  stream_ += value;
  put_memo(memo_.at(key));
}

void PickleWriter::bytes(std::string_view value) {
  global("_codecs", "encode");
  std::string latin1;
  latin1.reserve(value.size());
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      latin1 += c;
    } else {
      latin1 += static_cast<char>(0xc0 | (byte >> 6));
      latin1 += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  mark();
  text(latin1);
  text("latin1");
  tuple();
  reduce();
}

void PickleWriter::global(std::string_view module, std::string_view name) {
  const std::string lines = std::string(module) + "\n" + std::string(name) + "\n";
  const std::string key = "g" + lines;
  if (fetch(key)) return;
  put('c');
  stream_ += lines;
  put_memo(memo_.at(key));
}

void PickleWriter::put_memo(std::uint32_t index) {
  put(index <= 0xff ? 'q' : 'r');
  put_number(index, index <= 0xff ? 1 : 4);
}

const std::string& PickleWriter::finish() {
  put('.');
  return stream_;
}

}  // namespace vissl::host
