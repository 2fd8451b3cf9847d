#pragma once
// Reads the part of Python's pickle format that data sets use: dictionaries, lists, tuples,
// numbers, strings and numpy arrays, in protocols 2 to 5. Nothing of a pickle is run: a call that
// it asks for is kept as data.
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "content.hpp"

struct Pickled;
using PickledRef = std::shared_ptr<Pickled>;

struct Pickled {
  enum class Kind {
    none,
    integer,   // also true and false
    text,      // strings and bytes, borrowed from the file
    sequence,  // lists and tuples: items
    mapping,   // dictionaries: items are key, value, key, value, …
    global,    // a name of a module: text is its last part
    object,    // the result of a call: items are callable, arguments and, if set, state
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  std::string_view text;
  std::vector<PickledRef> items;

  // The value of a key of a mapping, or NULL.
  const Pickled* find(std::string_view key) const;
};

// Fails when the file is cut short, damaged, or uses what is not supported. Texts of the result
// point into the file.
Pickled read_pickle(const Bytes& file);

// A numpy array of unsigned bytes in C order.
struct PickledArray {
  std::vector<std::int64_t> shape;
  std::string_view bytes;
};
std::optional<PickledArray> as_byte_array(const Pickled& value);
