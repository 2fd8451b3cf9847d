#pragma once
// Emits pickle protocol 2: the opcodes that Python's restricted torch loader accepts, no others.
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vissl::host {

// A thin layer: the caller orders the opcodes, this encodes them. Text and globals are written once
// and then fetched from the memo, so a repeated name costs two to five bytes.
class PickleWriter {
 public:
  PickleWriter();

  void none() { put('N'); }
  void boolean(bool value) { put(value ? '\x88' : '\x89'); }
  void integer(std::int64_t value);
  void real(double value);
  // Text that Python can hold is UTF-8; other bytes would make the whole file unreadable there.
  // Throws Error(Exit::run_failed) for anything else.
  void text(std::string_view value);
  // As _codecs.encode(latin-1 text, "latin1"), the way Python 3 writes bytes in protocol 2.
  void bytes(std::string_view value);
  void global(std::string_view module, std::string_view name);

  void mark() { put('('); }
  void empty_dict() { put('}'); }
  void empty_list() { put(']'); }
  void empty_tuple() { put(')'); }
  void set_items() { put('u'); }
  void append_items() { put('e'); }
  void tuple() { put('t'); }   // of what follows the last mark
  void reduce() { put('R'); }  // callable, argument tuple -> object
  void build() { put('b'); }   // object, state -> object
  void persistent_id() { put('Q'); }

  // The finished stream; nothing may be written after it.
  const std::string& finish();

 private:
  void put(char opcode) { stream_ += opcode; }
  void put_number(std::uint64_t value, int size_bytes);
  bool fetch(const std::string& memo_key);
  void put_memo(std::uint32_t index);

  std::string stream_;
  std::unordered_map<std::string, std::uint32_t> memo_;
};

}  // namespace vissl::host
