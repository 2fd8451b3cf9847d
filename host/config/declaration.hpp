#pragma once
// What a component declares about its parameters (sdk/include/vissl/params.h), copied into the
// host; and where the config checker finds it.
#include <vissl/params.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/value.hpp"

namespace vissl::host {

// A type of the host's own keys beside those of params.h: an integer, or the word "auto".
inline constexpr std::uint32_t kIntegerOrAuto = 0x80;

struct Param {
  std::string name;
  std::uint32_t type = VISSL_P_ANY;  // VISSL_P_…, maybe with VISSL_P_LIST
  std::uint32_t flags = 0;
  std::optional<Value> fallback;  // the default; absent for REQUIRED and OPTIONAL
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  // strings, or integers in decimal; empty = any
  std::string component_kind;
  std::string doc;
  std::string vissl_key;
  std::string accepts = {};  // what a free value may be, for people; empty = nothing is said

  bool is_list() const { return (type & VISSL_P_LIST) != 0; }
  std::uint32_t element() const { return type & VISSL_P_TYPE_MASK; }
  bool has(std::uint32_t flag) const { return (flags & flag) != 0; }
};

struct Derivation {
  std::string name;  // the component's parameter
  std::string from;  // a path or a function of paths
  bool strict = false;
};

struct Requirement {
  std::string path;
  std::vector<std::string> allowed;  // empty = any value, but it must be there
  std::string why;
  std::string unless = {};  // a path to a boolean that lifts the requirement when it is true; the
                            // host's own components only
};

struct Implication {
  std::string path;
  Value value;
};

// A component of the catalogue with everything that it declared.
struct Declaration {
  std::string kind;
  std::string name;
  std::string sentence;
  std::string file;            // "/opt/plugins/losses.so"; "host" for what the host itself offers
  std::string plugin_id;       // "org.vissl.losses"
  std::string plugin_version;  // "1.0.0"
  std::vector<Param> params;
  std::vector<Derivation> derivations;
  std::vector<Requirement> requirements;
  std::vector<Implication> implications;
  std::string vissl_prefix;

  const Param* find(std::string_view param) const {
    for (const Param& candidate : params)
      if (candidate.name == param) return &candidate;
    return nullptr;
  }
};

// Checks `value` (a default or a user's value) against a parameter's type, bounds and choices. An
// integer where a number is expected becomes a number in place. Returns what is wrong, "must be a
// number, not the string "x"", or nothing. Components and free tables are looked at no deeper than
// their outer type.
std::optional<std::string> mismatch(const Param& param, Value& value);

// "a number above 0", "one of 'mean', 'sum'", "a list of integers from 1 to 5": what the parameter
// accepts.
std::string expectation(const Param& param);

// Where the checker finds declarations. The catalogue implements it; tests fill a map.
class DeclarationIndex {
 public:
  virtual ~DeclarationIndex() = default;
  // The declaration, or NULL when no plugin offers it. Throws Error(Exit::bad_plugin) when the
  // plugin that offers it cannot be used. `where` is the place of the config that names it, for
  // that text. The pointer stays valid.
  virtual const Declaration* find(std::string_view kind, std::string_view name,
                                  const std::string& where) = 0;
  virtual std::vector<std::string> names(std::string_view kind) const = 0;  // sorted
  virtual std::string searched() const = 0;  // "/opt/plugins and /home/me/plugins"
};

}  // namespace vissl::host
