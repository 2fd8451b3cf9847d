#pragma once
// Declaring the parameters of a component. The host checks every config against the declarations,
// documents them in `describe`, and translates VISSL's YAML by their VISSL keys:
//
//   static void params(Params& p) {
//     p.number("temperature", 0.1, above(0.0), "Divides the
//     similarities.").vissl("LOSS.x.temperature"); p.integers("dims", required, at_least(1),
//     "Widths of the layers."); p.string("reduction", "mean", one_of("mean", "sum"), "How rows are
//     joined."); p.derive("memory_size", "len(data.train)");
//   }
//
// A default is a value, `required`, or `optional` (then `Config::has` tells whether it was given).
// [main, in declare]
#include <vissl/params.h>
#include <vissl/error.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

struct Required {};
struct Optional {};
inline constexpr Required required{};
inline constexpr Optional optional{};

// Bounds of a number, or of every element of a list: above(0.0), at_least(1),
// at_least(0.0).below(1.0).
class Bounds {
 public:
  constexpr Bounds above(double x) const { return Bounds(x, max_, true, max_open_); }
  constexpr Bounds at_least(double x) const { return Bounds(x, max_, false, max_open_); }
  constexpr Bounds below(double x) const { return Bounds(min_, x, min_open_, true); }
  constexpr Bounds at_most(double x) const { return Bounds(min_, x, min_open_, false); }
  constexpr Bounds() = default;

  constexpr double min() const { return min_; }
  constexpr double max() const { return max_; }
  constexpr std::uint32_t flags() const {
    return (min_open_ ? VISSL_P_MIN_OPEN : 0u) | (max_open_ ? VISSL_P_MAX_OPEN : 0u);
  }

 private:
  constexpr Bounds(double min, double max, bool min_open, bool max_open)
      : min_(min), max_(max), min_open_(min_open), max_open_(max_open) {}
  double min_ = -std::numeric_limits<double>::infinity();
  double max_ = std::numeric_limits<double>::infinity();
  bool min_open_ = false;
  bool max_open_ = false;
};
constexpr Bounds above(double x) {
  return Bounds().above(x);
}
constexpr Bounds at_least(double x) {
  return Bounds().at_least(x);
}
constexpr Bounds below(double x) {
  return Bounds().below(x);
}
constexpr Bounds at_most(double x) {
  return Bounds().at_most(x);
}
constexpr Bounds between(double min, double max) {
  return Bounds().at_least(min).at_most(max);
}

// The strings that a parameter accepts.
struct Choices {
  std::vector<std::string> values;
};
// The integers that a parameter accepts.
struct IntegerChoices {
  std::vector<std::int64_t> values;
};
inline IntegerChoices one_of(std::initializer_list<std::int64_t> values) {
  return {values};
}
template <class... Text>
Choices one_of(Text&&... text) {
  return Choices{{std::string(std::forward<Text>(text))...}};
}

// TOML text as a default of tables, components and free values: "{}", "[[1, 1]]".
struct Toml {
  Toml(const char* toml) : text(toml) {}
  Toml(std::string toml) : text(std::move(toml)) {}
  std::string text;
};

namespace detail {

inline std::string to_toml(bool value) {
  return value ? "true" : "false";
}
inline std::string to_toml(std::int64_t value) {
  return std::to_string(value);
}
inline std::string to_toml(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char digits[40];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, value);
  std::string text(digits, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}
inline std::string to_toml(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    const unsigned code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (text += '\\') += c;
    } else if (code < 0x20 || code == 0x7f) {
      static constexpr char kHex[] = "0123456789abcdef";
      ((text += "\\u00") += kHex[code >> 4]) += kHex[code & 15];
    } else {
      text += c;
    }
  }
  return text + '"';
}
inline std::string to_toml(const Toml& value) {
  return value.text;
}
template <class T>
std::string to_toml(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) {
    if (text.size() > 1) text += ", ";
    text += to_toml(value);
  }
  return text + "]";
}

// A default value, or the word that stands for its absence. It has no default constructor, so that
// {} is an empty list.
template <class T>
class Default {
 public:
  Default(Required) : flags_(VISSL_P_REQUIRED) {}
  Default(Optional) : flags_(VISSL_P_OPTIONAL) {}
  template <class U, class = std::enable_if_t<std::is_convertible_v<U&&, T> &&
                                              !std::is_same_v<std::decay_t<U>, Default>>>
  Default(U&& value) : toml_(to_toml(T(std::forward<U>(value)))) {}
  std::uint32_t flags() const { return flags_; }
  const std::string& toml() const { return toml_; }

 private:
  std::uint32_t flags_ = 0;
  std::string toml_;
};
template <class E>
class Default<std::vector<E>> {
 public:
  Default(Required) : flags_(VISSL_P_REQUIRED) {}
  Default(Optional) : flags_(VISSL_P_OPTIONAL) {}
  Default(std::initializer_list<E> values) : toml_(to_toml(std::vector<E>(values))) {}
  Default(const std::vector<E>& values) : toml_(to_toml(values)) {}
  std::uint32_t flags() const { return flags_; }
  const std::string& toml() const { return toml_; }

 private:
  std::uint32_t flags_ = 0;
  std::string toml_;
};

}  // namespace detail

// Collects the declarations of one component; each is handed to the host when the next begins.
class Params {
  using Text = std::string_view;

 public:
  // Refines the declaration that returned it; valid until the next one.
  class Entry {
   public:
    // VISSL's setting: "LOSS.simclr_info_nce_loss.temperature".
    Entry& vissl(Text key) { return vissl_key_ = key, *this; }
    // Accepted with a warning that shows the doc sentence.
    Entry& deprecated() { return flags_ |= VISSL_P_DEPRECATED, *this; }
    // What `any` takes, for people: "an integer or [height, width]".
    Entry& accepts(Text what) { return accepts_ = what, *this; }

   private:
    friend class Params;
    std::string name_, toml_, kind_, doc_, vissl_key_, accepts_;
    std::vector<std::string> choices_;
    std::uint32_t type_ = 0;
    std::uint32_t flags_ = 0;
    Bounds bounds_;
  };

  Params(vissl_decl* decl, const vissl_params_api* api) : decl_(decl), api_(api) {}
  Params(const Params&) = delete;
  Params& operator=(const Params&) = delete;

  Entry& boolean(Text name, detail::Default<bool> value, Text doc) {
    return add(name, VISSL_P_BOOL, value, doc);
  }
  Entry& integer(Text name, detail::Default<std::int64_t> value, Text doc) {
    return add(name, VISSL_P_INT, value, doc);
  }
  Entry& integer(Text name, detail::Default<std::int64_t> value, Bounds bounds, Text doc) {
    return add(name, VISSL_P_INT, value, doc, bounds);
  }
  Entry& integer(Text name, detail::Default<std::int64_t> value, const IntegerChoices& choices,
                 Text doc) {
    Entry& entry = add(name, VISSL_P_INT, value, doc);
    for (const std::int64_t choice : choices.values)
      entry.choices_.push_back(std::to_string(choice));
    return entry;
  }
  Entry& number(Text name, detail::Default<double> value, Text doc) {
    return add(name, VISSL_P_NUMBER, value, doc);
  }
  Entry& number(Text name, detail::Default<double> value, Bounds bounds, Text doc) {
    return add(name, VISSL_P_NUMBER, value, doc, bounds);
  }
  Entry& string(Text name, detail::Default<std::string> value, Text doc) {
    return add(name, VISSL_P_STRING, value, doc);
  }
  Entry& string(Text name, detail::Default<std::string> value, Choices choices, Text doc) {
    Entry& entry = add(name, VISSL_P_STRING, value, doc);
    entry.choices_ = std::move(choices.values);
    return entry;
  }
  // A path or URL; a relative path is resolved against the config file's folder.
  Entry& path(Text name, detail::Default<std::string> value, Text doc) {
    return flag(add(name, VISSL_P_STRING, value, doc), VISSL_P_PATH);
  }
  Entry& paths(Text name, detail::Default<std::vector<std::string>> value, Text doc) {
    return flag(add(name, VISSL_P_STRING | VISSL_P_LIST, value, doc), VISSL_P_PATH);
  }
  Entry& booleans(Text name, detail::Default<std::vector<bool>> value, Text doc) {
    return add(name, VISSL_P_BOOL | VISSL_P_LIST, value, doc);
  }
  Entry& integers(Text name, detail::Default<std::vector<std::int64_t>> value, Text doc) {
    return add(name, VISSL_P_INT | VISSL_P_LIST, value, doc);
  }
  Entry& integers(Text name, detail::Default<std::vector<std::int64_t>> value, Bounds bounds,
                  Text doc) {
    return add(name, VISSL_P_INT | VISSL_P_LIST, value, doc, bounds);
  }
  Entry& numbers(Text name, detail::Default<std::vector<double>> value, Text doc) {
    return add(name, VISSL_P_NUMBER | VISSL_P_LIST, value, doc);
  }
  Entry& numbers(Text name, detail::Default<std::vector<double>> value, Bounds bounds, Text doc) {
    return add(name, VISSL_P_NUMBER | VISSL_P_LIST, value, doc, bounds);
  }
  Entry& strings(Text name, detail::Default<std::vector<std::string>> value, Text doc) {
    return add(name, VISSL_P_STRING | VISSL_P_LIST, value, doc);
  }
  Entry& strings(Text name, detail::Default<std::vector<std::string>> value, Choices choices,
                 Text doc) {
    Entry& entry = add(name, VISSL_P_STRING | VISSL_P_LIST, value, doc);
    entry.choices_ = std::move(choices.values);
    return entry;
  }
  // A table whose keys the host does not check.
  Entry& table(Text name, detail::Default<Toml> value, Text doc) {
    return add(name, VISSL_P_TABLE, value, doc);
  }
  Entry& tables(Text name, detail::Default<Toml> value, Text doc) {
    return add(name, VISSL_P_TABLE | VISSL_P_LIST, value, doc);
  }
  // Any value; the constructor checks it and fails with VISSL_E_CONFIG.
  Entry& any(Text name, detail::Default<Toml> value, Text doc) {
    return add(name, VISSL_P_ANY, value, doc);
  }
  // A component of another kind inside this one: { name = "linear", … }.
  Entry& component(Text name, Text kind, detail::Default<Toml> value, Text doc) {
    Entry& entry = add(name, VISSL_P_COMPONENT, value, doc);
    entry.kind_ = kind;
    return entry;
  }
  Entry& components(Text name, Text kind, detail::Default<Toml> value, Text doc) {
    Entry& entry = add(name, VISSL_P_COMPONENT | VISSL_P_LIST, value, doc);
    entry.kind_ = kind;
    return entry;
  }

  // A table like [model]: trunk, heads, weights_init …, for TwinSpec::config.
  Entry& model(Text name, detail::Default<Toml> value, Text doc) {
    return add(name, VISSL_P_MODEL, value, doc);
  }

  // The parameter `name` follows `from` unless the user set it: a path into the whole config
  // ("checkpoint.dir", "model.heads[*].num_clusters") or len(path), last(path), sum(path),
  // product(path, path).
  void derive(Text name, Text from) { derive(name, from, 0); }
  // The same, but another value of the user is refused as a conflict.
  void derive_strictly(Text name, Text from) { derive(name, from, 1); }
  // The config is wrong unless the value at `path` is one of `allowed`; `why` completes "…
  // because".
  void require(Text path, std::initializer_list<Text> allowed, Text why) {
    finish();
    std::vector<vissl_str> texts;
    for (const Text text : allowed) texts.push_back(str(text));
    call(api_->require, decl_, str(path), texts.data(), std::uint64_t{texts.size()}, str(why));
  }
  void require_collator(Text name,
                        Text why = "it reads the views in the order that this collator gives") {
    require("data.train.collator.name", {name}, why);
  }
  // Sets `path` of the whole config unless the user set it.
  void imply(Text path, const Toml& value) {
    finish();
    call(api_->imply, decl_, str(path), str(value.text));
  }
  // VISSL's prefix of all parameters that name no VISSL key themselves:
  // "LOSS.simclr_info_nce_loss".
  void vissl_prefix(Text prefix) {
    finish();
    call(api_->vissl_prefix, decl_, str(prefix));
  }

  // Hands over the last declaration. The SDK calls it after `params` returns.
  void finish() {
    if (entry_.name_.empty()) return;
    std::vector<vissl_str> choices;
    for (const std::string& choice : entry_.choices_) choices.push_back(str(choice));
    vissl_param param = {};
    param.size = sizeof param;
    param.name = str(entry_.name_);
    param.type = entry_.type_;
    param.flags = entry_.flags_ | entry_.bounds_.flags();
    param.default_toml = str(entry_.toml_);
    param.min = entry_.bounds_.min();
    param.max = entry_.bounds_.max();
    param.choices = choices.empty() ? nullptr : choices.data();
    param.choice_count = choices.size();
    param.component_kind = str(entry_.kind_);
    param.doc = str(entry_.doc_);
    param.vissl_key = str(entry_.vissl_key_);
    param.accepts = str(entry_.accepts_);
    call(api_->add, decl_, &param);
    entry_ = Entry();
  }

 private:
  template <class T>
  Entry& add(Text name, std::uint32_t type, const detail::Default<T>& value, Text doc,
             Bounds bounds = Bounds()) {
    finish();
    entry_.name_ = name;
    entry_.type_ = type;
    entry_.flags_ = value.flags();
    entry_.toml_ = value.toml();
    entry_.doc_ = doc;
    entry_.bounds_ = bounds;
    return entry_;
  }
  static Entry& flag(Entry& entry, std::uint32_t flag) { return entry.flags_ |= flag, entry; }
  void derive(Text name, Text from, std::uint32_t strict) {
    finish();
    call(api_->derive, decl_, str(name), str(from), strict);
  }

  vissl_decl* decl_;
  const vissl_params_api* api_;
  Entry entry_;
};

}  // namespace abi1
}  // namespace vissl
