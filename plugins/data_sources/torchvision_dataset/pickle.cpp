#include "pickle.hpp"

#include <map>
#include <utility>

namespace {

using Kind = Pickled::Kind;

// Files of data sets have about ten; the limit keeps nesting, and with it recursion, shallow.
constexpr int kMostContainers = 1000;

class PickleReader {
 public:
  explicit PickleReader(const Bytes& file) : file_(file) {}

  Pickled read() {
    for (;;) {
      const std::uint8_t code = byte();
      if (code == '.') return std::move(*pop());
      if (!scalar(code) && !container(code) && !call(code)) {
        const char* hex = "0123456789abcdef";
        bad_file(file_, std::string("is no pickle of a data set: opcode 0x") + hex[code >> 4] +
                            hex[code & 15] + " at byte " + std::to_string(at_ - 1));
      }
    }
  }

 private:
  [[noreturn]] void broken() const {
    bad_file(file_, "is cut short or damaged: its pickle fails at byte " + std::to_string(at_) +
                        " of " + std::to_string(file_.size));
  }

  std::string_view bytes(std::uint64_t count) {
    if (count > file_.size - at_) broken();
    const auto* from = reinterpret_cast<const char*>(file_.data) + at_;
    at_ += static_cast<std::size_t>(count);
    return {from, static_cast<std::size_t>(count)};
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(bytes(1)[0]); }
  std::uint64_t number(int size) {  // little-endian
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) value |= std::uint64_t{byte()} << (8 * i);
    return value;
  }
  std::string_view line() {
    const std::size_t begin = at_;
    while (byte() != '\n') {
    }
    return {reinterpret_cast<const char*>(file_.data) + begin, at_ - begin - 1};
  }

  PickledRef make(Kind kind) {
    const bool container = kind == Kind::sequence || kind == Kind::mapping || kind == Kind::object;
    if (container && ++containers_ > kMostContainers) broken();
    auto value = std::make_shared<Pickled>();
    value->kind = kind;
    return value;
  }
  void push(PickledRef value) { stack_.push_back(std::move(value)); }
  void push(Kind kind, std::string_view text) {
    push(make(kind));
    top()->text = text;
  }
  void push(std::int64_t value) {
    push(make(Kind::integer));
    top()->integer = value;
  }
  // Values below the last mark belong to an unfinished container and cannot be taken.
  const PickledRef& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) broken();
    return stack_.back();
  }
  PickledRef pop() {
    PickledRef value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<PickledRef> pop_to_mark() {
    if (marks_.empty()) broken();
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickledRef> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }
  void add_to_top(Kind kind, std::vector<PickledRef> values) {
    Pickled& container = *top();
    if (container.kind != kind || (kind == Kind::mapping && values.size() % 2 != 0)) broken();
    container.items.insert(container.items.end(), values.begin(), values.end());
  }
  void push_tuple(std::size_t count) {
    PickledRef tuple = make(Kind::sequence);
    tuple->items.resize(count);
    while (count > 0) tuple->items[--count] = pop();
    push(std::move(tuple));
  }

  bool scalar(std::uint8_t code) {
    switch (code) {
      case 0x80:  // protocol
        byte();
        return true;
      case 0x95:  // frame
        number(8);
        return true;
      case 'N':
        push(make(Kind::none));
        return true;
      case 0x88:
      case 0x89:
        push(code == 0x88 ? 1 : 0);
        return true;
      case 'K':
        push(byte());
        return true;
      case 'M':
        push(static_cast<std::int64_t>(number(2)));
        return true;
      case 'J':
        push(static_cast<std::int32_t>(number(4)));
        return true;
      case 'U':
      case 'C':
      case 0x8c:
        push(Kind::text, bytes(byte()));
        return true;
      case 'T':
      case 'B':
      case 'X':
        push(Kind::text, bytes(number(4)));
        return true;
      case 0x8e:
        push(Kind::text, bytes(number(8)));
        return true;
      case 'q':
        memo_[byte()] = top();
        return true;
      case 'r':
        memo_[number(4)] = top();
        return true;
      case 0x94:
        memo_[memo_.size()] = top();
        return true;
      case 'h':
        return recall(byte());
      case 'j':
        return recall(number(4));
      default:
        return false;
    }
  }
  bool recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) broken();
    push(found->second);
    return true;
  }

  bool container(std::uint8_t code) {
    switch (code) {
      case '}':
        push(make(Kind::mapping));
        return true;
      case ']':
      case ')':
        push(make(Kind::sequence));
        return true;
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case 't': {
        PickledRef tuple = make(Kind::sequence);
        tuple->items = pop_to_mark();
        push(std::move(tuple));
        return true;
      }
      case 0x85:
      case 0x86:
      case 0x87:
        push_tuple(code - 0x84u);
        return true;
      case 'a':
        add_to_top(Kind::sequence, {pop()});
        return true;
      case 'e':
        add_to_top(Kind::sequence, pop_to_mark());
        return true;
      case 's': {
        PickledRef value = pop(), key = pop();
        add_to_top(Kind::mapping, {std::move(key), std::move(value)});
        return true;
      }
      case 'u':
        add_to_top(Kind::mapping, pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool call(std::uint8_t code) {
    switch (code) {
      case 'c':
        line();
        push(Kind::global, line());
        return true;
      case 0x93: {
        const PickledRef name = pop();
        pop();
        push(Kind::global, name->text);
        return true;
      }
      case 'R': {
        PickledRef object = make(Kind::object);
        PickledRef arguments = pop();
        object->items = {pop(), std::move(arguments)};
        push(std::move(object));
        return true;
      }
      case 'b': {
        PickledRef state = pop();
        Pickled& object = *top();
        if (object.kind != Kind::object || object.items.size() != 2) broken();
        object.items.push_back(std::move(state));
        return true;
      }
      default:
        return false;
    }
  }

  const Bytes& file_;
  std::size_t at_ = 0;
  int containers_ = 0;
  std::vector<PickledRef> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::map<std::uint64_t, PickledRef> memo_;
};

}  // namespace

const Pickled* Pickled::find(std::string_view key) const {
  if (kind != Kind::mapping) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::text && items[i]->text == key) return items[i + 1].get();
  }
  return nullptr;
}

Pickled read_pickle(const Bytes& file) {
  return PickleReader(file).read();
}

// numpy pickles an array as _reconstruct(…) with the state (version, shape, dtype, column-major?,
// bytes), and its dtype as dtype("u1", …).
std::optional<PickledArray> as_byte_array(const Pickled& value) {
  const auto is = [](const Pickled& v, Kind kind, std::size_t items) {
    return v.kind == kind && v.items.size() >= items;
  };
  if (!is(value, Kind::object, 3) || value.items[0]->text != "_reconstruct") return std::nullopt;
  const Pickled& state = *value.items[2];
  if (!is(state, Kind::sequence, 5)) return std::nullopt;
  const Pickled &shape = *state.items[1], &dtype = *state.items[2], &bytes = *state.items[4];
  if (!is(dtype, Kind::object, 2) || !is(*dtype.items[1], Kind::sequence, 1)) return std::nullopt;
  if (dtype.items[1]->items[0]->text != "u1" || state.items[3]->integer != 0) return std::nullopt;
  if (shape.kind != Kind::sequence || bytes.kind != Kind::text) return std::nullopt;
  PickledArray array;
  for (const PickledRef& size : shape.items) array.shape.push_back(size->integer);
  array.bytes = bytes.text;
  return array;
}
