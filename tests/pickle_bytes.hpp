#pragma once
// Pickles as opcodes, for tests of what reads them: each function gives the opcodes that leave one
// value on the stack.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace vissl::test {

inline std::string little_endian(std::uint64_t value, int size_bytes) {
  std::string out;
  for (int i = 0; i < size_bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

inline std::string pickled(const std::string& value) {
  return "\x80\x02" + value + ".";
}
inline std::string pickled_text(std::string_view text) {
  return "X" + little_endian(text.size(), 4) + std::string(text);
}
inline std::string pickled_bytes(std::string_view bytes) {
  return "T" + little_endian(bytes.size(), 4) + std::string(bytes);
}
inline std::string pickled_integer(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}
inline std::string pickled_tuple(std::initializer_list<std::string> values) {
  std::string out = "(";
  for (const std::string& value : values) out += value;
  return out + "t";
}
inline std::string pickled_dict(std::initializer_list<std::string> keys_and_values) {
  std::string out = "}(";
  for (const std::string& value : keys_and_values) out += value;
  return out + "u";
}
// "torch.Size"
inline std::string pickled_global(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return "c" + name.substr(0, dot) + "\n" + name.substr(dot + 1) + "\n";
}
inline std::string pickled_call(const std::string& name,
                                std::initializer_list<std::string> arguments) {
  return pickled_global(name) + pickled_tuple(arguments) + "R";
}
// torch.save's name of a storage.
inline std::string pickled_storage(const std::string& key, const std::string& type,
                                   std::int64_t numel) {
  return pickled_tuple({pickled_text("storage"), pickled_global("torch." + type + "Storage"),
                        pickled_text(key), pickled_text("cpu"), pickled_integer(numel)}) +
         "Q";
}
inline std::string pickled_sizes(std::initializer_list<std::int64_t> sizes) {
  std::string out = "(";
  for (const std::int64_t size : sizes) out += pickled_integer(size);
  return out + "t";
}

}  // namespace vissl::test
