#pragma once
// Reads a pickle into a graph of plain objects. Nothing is imported, called or built: a class is
// its name, a call is a note of what would be called with what. What the names mean is the caller's
// part.
#include <cstdint>
#include <deque>
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
    boolean,      // integer: 0 or 1
    integer,      // integer
    big_integer,  // text: beyond 64 bits, as it stands in the file: binary or decimal
    real,         // real
    text,         // text, UTF-8 as it stands in the file
    bytes,        // text; also what Python 2 calls str
    list,         // elements
    tuple,        // elements
    set,          // elements
    dict,         // pairs: key, value, key, value, ...
    global,       // text: "module.name", modules of Python 2 under the names of Python 3
    call,         // callable(args), then state, elements, pairs were put into the result
    persistent,   // args: the id, which names something outside the pickle
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;  // into the pickle or the graph's `made`
  std::vector<PickleId> elements;
  std::vector<PickleId> pairs;
  PickleId callable = kNoPickle;
  PickleId args = kNoPickle;
  PickleId state = kNoPickle;
};

struct PickleGraph {
  std::vector<PickleObject> objects;
  PickleId root = kNoPickle;
  std::string_view source;       // the pickle, up to and with its STOP
  std::deque<std::string> made;  // text that does not stand in the pickle as it is
  const PickleObject& operator[](PickleId id) const { return objects[id]; }
};

// A pickle beyond any of these is refused, so that a small file cannot take much memory.
struct PickleLimits {
  std::size_t objects = 4'000'000;
  std::size_t stack = 1'000'000;
  std::size_t memo = 4'000'000;
  std::size_t global_bytes = 1024;
};

// Protocols 0 to 5, without the extension registry and buffers outside the pickle. Bytes after the
// pickle's end are left alone. The graph refers to `pickle`, which must outlive it. `file` is named
// in errors: Error(Exit::bad_data) with what and the byte inside the pickle.
PickleGraph read_pickle(std::string_view pickle, const std::string& file,
                        const PickleLimits& limits = {});

}  // namespace vissl::host
