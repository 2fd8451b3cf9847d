#pragma once
// For tests: synthetic images, their hash, and the golden results that scripts/oracle/pixels.py
// made of them.
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel::test {

// Noise (kind 0), ramps with a little noise (1), few dark levels (2).
inline Pixels draw(int kind, int width, int height, int channels) {
  Pixels image(width, height, channels);
  std::uint8_t* out = image.data();
  for (std::uint32_t y = 0; y < static_cast<std::uint32_t>(height); ++y) {
    for (std::uint32_t x = 0; x < static_cast<std::uint32_t>(width); ++x) {
      for (std::uint32_t c = 0; c < static_cast<std::uint32_t>(channels); ++c) {
        std::uint32_t h = x * 0x9E3779B1u + y * 0x85EBCA77u + c * 0xC2B2AE3Du;
        h ^= h >> 15;
        h *= 0x2C1B3C6Du;
        h ^= h >> 12;
        std::uint32_t value = h >> 24;
        if (kind == 1) value = x * (c + 2) + y * (3 - c % 3) + (value >> 4);
        if (kind == 2) value = 60 + 20 * c + (value >> 5);
        *out++ = static_cast<std::uint8_t>(value & 255);
      }
    }
  }
  return image;
}

inline std::uint64_t hash(const void* data, std::size_t size_bytes) {
  std::uint64_t h = 0xCBF29CE484222325u;
  const unsigned char* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size_bytes; ++i) h = (h ^ bytes[i]) * 0x100000001B3u;
  return h;
}

inline bool equal(const View& a, const View& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels) return false;
  for (int y = 0; y < a.height; ++y) {
    const std::string_view left(reinterpret_cast<const char*>(a.row(y)),
                                static_cast<std::size_t>(a.row_bytes()));
    const std::string_view right(reinterpret_cast<const char*>(b.row(y)),
                                 static_cast<std::size_t>(b.row_bytes()));
    if (left != right) return false;
  }
  return true;
}

inline std::string golden_path(const std::string& name) {
  return std::string(VISSL_SOURCE_DIR) + "/tests/golden/pixels/" + name;
}

// One line of operations.txt: its input, its arguments as text, and what must come out.
struct Case {
  std::string line, operation;
  int kind = 0, width = 0, height = 0, channels = 0;
  std::vector<std::string> arguments;
  std::string expected;  // "width height channels hash"

  Pixels input() const { return draw(kind, width, height, channels); }
  double number(std::size_t i) const { return std::stod(arguments.at(i)); }
  int integer(std::size_t i) const { return std::stoi(arguments.at(i)); }
};

inline std::vector<Case> golden(std::string_view operation) {
  std::ifstream file(golden_path("operations.txt"));
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Case one;
    one.line = line;
    words >> one.operation >> one.kind >> one.width >> one.height >> one.channels;
    if (one.operation != operation) continue;
    for (std::string word; words >> word && word != "=";) one.arguments.push_back(word);
    std::getline(words >> std::ws, one.expected);
    cases.push_back(one);
  }
  return cases;
}

inline std::string describe(const Pixels& image) {
  std::ostringstream text;
  text << image.width() << ' ' << image.height() << ' ' << image.channels() << ' ' << std::hex;
  text.width(16);
  text.fill('0');
  text << hash(image.data(), image.size_bytes());
  return text.str();
}

}  // namespace vissl::host::pixel::test
