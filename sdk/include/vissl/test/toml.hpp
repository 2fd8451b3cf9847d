#pragma once
// The part of TOML that configs in tests need: tables, dotted keys, [headers], inline tables,
// lists, strings, numbers, booleans, comments. Also the service vissl.value/1 over it.
#include <vissl/value.h>
#include <vissl/error.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vissl {
namespace test VISSL_HIDDEN {

// A node of a config. Nodes keep their address while their tree lives.
struct Node {
  std::uint32_t type = VISSL_VALUE_NONE;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> items;  // of a list the keys are empty
  std::string where = "default";

  const vissl_value* handle() const { return reinterpret_cast<const vissl_value*>(this); }
  static const Node& of(const vissl_value* v) { return *reinterpret_cast<const Node*>(v); }

  Node* find(std::string_view key) const {
    for (const auto& item : items) {
      if (item.first == key) return item.second.get();
    }
    return nullptr;
  }
  Node& add(std::string_view key) {
    items.emplace_back(std::string(key), std::make_unique<Node>());
    return *items.back().second;
  }
};

namespace detail {

class TomlParser {
 public:
  TomlParser(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  void document(Node& root) {
    root.type = VISSL_VALUE_TABLE;
    root.where = place();
    Node* table = &root;
    for (skip(true); !done(); skip(true)) {
      if (take('[')) {
        table = &path(root, true);
        expect(']');
      } else {
        pair(*table);
      }
      skip(false);
      if (!done() && peek() != '\n') wrong("a new line");
    }
  }
  void value_only(Node& into) {
    skip(true);
    value(into);
    skip(true);
    if (!done()) wrong("the end");
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    skip(false);
    if (!take(c)) wrong(std::string("'") + c + "'");
  }
  std::string place() const {
    std::size_t line = 1, column = 1;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i) {
      column = text_[i] == '\n' ? 1 : column + 1;
      line += text_[i] == '\n' ? 1 : 0;
    }
    return where_ + ":" + std::to_string(line) + ":" + std::to_string(column);
  }
  [[noreturn]] void wrong(const std::string& wanted) const {
    fail(VISSL_E_CONFIG, place() + ": expected " + wanted);
  }
  void skip(bool lines) {
    for (; !done(); ++at_) {
      if (peek() == '#') {
        while (!done() && peek() != '\n') ++at_;
        if (done()) return;
      }
      if (peek() != ' ' && peek() != '\t' && peek() != '\r' && !(lines && peek() == '\n')) return;
    }
  }
  std::string key() {
    skip(false);
    if (peek() == '"' || peek() == '\'') return quoted();
    const std::size_t from = at_;
    const auto in_key = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    };
    while (in_key(peek())) ++at_;
    if (at_ == from) wrong("a key");
    return std::string(text_.substr(from, at_ - from));
  }
  // Follows a dotted key; creates tables on the way, and the last one when `tables`.
  Node& path(Node& from, bool tables) {
    Node* node = &from;
    while (true) {
      const std::string place_of_key = place();
      const std::string name = key();
      skip(false);
      const bool last = peek() != '.';
      Node* next = node->find(name);
      if (last && !tables) {
        if (next != nullptr) fail(VISSL_E_CONFIG, place_of_key + ": '" + name + "' is set twice");
        next = &node->add(name);
        next->where = place_of_key;
        return *next;
      }
      if (next == nullptr) {
        next = &node->add(name);
        next->type = VISSL_VALUE_TABLE;
        next->where = place_of_key;
      }
      node = next;
      if (last) return *node;
      ++at_;
    }
  }
  void pair(Node& table) {
    Node& into = path(table, false);
    expect('=');
    skip(false);
    value(into);
  }
  void value(Node& into) {
    into.where = place();
    const char c = peek();
    if (c == '"' || c == '\'') {
      into.type = VISSL_VALUE_STRING;
      into.text = quoted();
    } else if (c == '[') {
      into.type = VISSL_VALUE_LIST;
      elements(']', [&] { value(into.add("")); });
    } else if (c == '{') {
      into.type = VISSL_VALUE_TABLE;
      elements('}', [&] { pair(into); });
    } else {
      scalar(into);
    }
  }
  template <class Element>
  void elements(char closing, Element element) {
    ++at_;
    for (skip(true); !take(closing); skip(true)) {
      element();
      skip(true);
      if (peek() != closing && !take(',')) wrong("',' or '" + std::string(1, closing) + "'");
    }
  }
  std::string quoted() {
    const char quote = peek();
    std::string out;
    for (++at_; peek() != quote; ++at_) {
      if (done() || peek() == '\n') wrong("the end of the string");
      if (quote == '\'' || peek() != '\\') {
        out += peek();
        continue;
      }
      ++at_;
      switch (peek()) {
        case 'n':
          out += '\n';
          break;
        case 't':
          out += '\t';
          break;
        case 'u':
          out += static_cast<char>(
              std::strtol(std::string(text_.substr(at_ + 1, 4)).c_str(), nullptr, 16));
          at_ += 4;
          break;
        default:
          out += peek();
      }
    }
    ++at_;
    return out;
  }
  void scalar(Node& into) {
    const std::size_t from = at_;
    while (!done() && std::string_view(" \t\r\n,]}#").find(peek()) == std::string_view::npos) ++at_;
    std::string word(text_.substr(from, at_ - from));
    if (word == "true" || word == "false") {
      into.type = VISSL_VALUE_BOOL;
      into.boolean = word == "true";
      return;
    }
    std::string digits;
    for (const char c : word) {
      if (c != '_') digits += c;
    }
    char* end = nullptr;
    into.integer = std::strtoll(digits.c_str(), &end, 10);
    into.type = VISSL_VALUE_INT;
    if (*end != '\0' || digits.empty()) {
      into.number = std::strtod(digits.c_str(), &end);
      into.type = VISSL_VALUE_NUMBER;
      at_ = *end != '\0' || digits.empty() ? from : at_;
      if (at_ == from) wrong("a value");
    } else {
      into.number = static_cast<double>(into.integer);
    }
  }

  std::string_view text_;
  std::string where_;
  std::size_t at_ = 0;
};

}  // namespace detail

// A document: "temperature = 0.5\nqueue = { size = 3 }". Throws Failure with
// "test.toml:LINE:COLUMN".
inline std::unique_ptr<Node> parse_toml(std::string_view text) {
  auto root = std::make_unique<Node>();
  detail::TomlParser(text, "test.toml").document(*root);
  return root;
}
// One value: "[1, 2]".
inline void parse_toml_value(std::string_view text, Node& into) {
  detail::TomlParser(text, "default").value_only(into);
}

inline std::unique_ptr<Node> clone(const Node& from) {
  auto copy = std::make_unique<Node>();
  copy->type = from.type;
  copy->boolean = from.boolean;
  copy->integer = from.integer;
  copy->number = from.number;
  copy->text = from.text;
  copy->where = from.where;
  for (const auto& item : from.items) copy->items.emplace_back(item.first, clone(*item.second));
  return copy;
}

inline const vissl_value_api& value_service() {
  static const vissl_value_api api = {
      sizeof(vissl_value_api),
      [](const vissl_value* v) { return Node::of(v).type; },
      [](const vissl_value* v) { return std::int32_t{Node::of(v).boolean}; },
      [](const vissl_value* v) { return Node::of(v).integer; },
      [](const vissl_value* v) { return Node::of(v).number; },
      [](const vissl_value* v) { return str(Node::of(v).text); },
      [](const vissl_value* v) { return std::uint64_t{Node::of(v).items.size()}; },
      [](const vissl_value* v, std::uint64_t i) -> const vissl_value* {
        const Node& node = Node::of(v);
        return i < node.items.size() ? node.items[static_cast<std::size_t>(i)].second->handle()
                                     : nullptr;
      },
      [](const vissl_value* v, std::uint64_t i) {
        const Node& node = Node::of(v);
        return i < node.items.size() ? str(node.items[static_cast<std::size_t>(i)].first)
                                     : vissl_str{nullptr, 0};
      },
      [](const vissl_value* v, vissl_str key) -> const vissl_value* {
        const Node* found = Node::of(v).find(view(key));
        return found != nullptr ? found->handle() : nullptr;
      },
      [](const vissl_value* v) { return str(Node::of(v).where); },
      [](vissl_str toml, const vissl_value** out, vissl_err* err) {
        static std::vector<std::unique_ptr<Node>> kept;
        return guarded(err, [&] { *out = kept.emplace_back(parse_toml(view(toml)))->handle(); });
      }};
  return api;
}

}  // namespace test
}  // namespace vissl
