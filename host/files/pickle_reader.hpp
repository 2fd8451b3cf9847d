#pragma once
// Reads a pickle into a graph of plain objects. Nothing is imported, called or built: a class is
// its name, a call is a note of what would be called with what. What the names mean is the caller's
// part.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vissl::host {

// Index into PickleGraph::objects. Objects may be shared and may even contain themselves.
using PickleId = std::uint32_t;
inline constexpr PickleId kNoPickle = 0xffffffff;

struct PickleObject {
  enum class Kind : std::uint8_t {
    none,
    boolean,     // integer: 0 or 1
    integer,     // integer
    real,        // real
    text,        // text, UTF-8 as it stands in the file
    bytes,       // text
    list,        // elements
    tuple,       // elements
    set,         // elements
    dict,        // pairs: key, value, key, value, ...
    global,      // text: "module.name"
    call,        // callable(args), then state, elements, pairs were put into the result
    persistent,  // args: the id, which names something outside the pickle
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<PickleId> elements;
  std::vector<PickleId> pairs;
  PickleId callable = kNoPickle;
  PickleId args = kNoPickle;
  PickleId state = kNoPickle;
};

struct PickleGraph {
  std::vector<PickleObject> objects;
  PickleId root = kNoPickle;
  const PickleObject& operator[](PickleId id) const { return objects[id]; }
};

// A pickle beyond any of these is refused, so that a small file cannot take much memory.
struct PickleLimits {
  std::size_t objects = 4'000'000;
  std::size_t stack = 1'000'000;
  std::size_t memo = 4'000'000;
  std::size_t global_bytes = 1024;
};

// Protocols 0 to 5, without the text opcodes of protocol 0 and without the extension registry.
// `file` is named in errors: Error(Exit::bad_data) with what and the byte inside the pickle.
PickleGraph read_pickle(std::string_view pickle, const std::string& file,
                        const PickleLimits& limits = {});

}  // namespace vissl::host
