#include "host/files/pickle_reader.hpp"

#include <bit>
#include <unordered_map>

#include "host/files/damage.hpp"

namespace vissl::host {
namespace {

using Kind = PickleObject::Kind;

class PickleMachine {
 public:
  PickleMachine(std::string_view pickle, const std::string& file, const PickleLimits& limits)
      : pickle_(pickle), file_(file), limits_(limits) {}

  PickleGraph run();

 private:
  bool step(unsigned char opcode);  // false: not an opcode of this group
  bool step_constant(unsigned char opcode);
  bool step_container(unsigned char opcode);
  bool step_memo(unsigned char opcode);
  bool step_object(unsigned char opcode);

  [[noreturn]] void damaged(const std::string& what) const {
    throw_damaged(file_, "the pickle " + what, at_);
  }
  std::string_view take(std::uint64_t size);
  std::uint64_t number(int size_bytes);
  std::int64_t signed_number(std::uint64_t size_bytes);
  std::string_view line();
  PickleObject& object(PickleId id) { return graph_.objects[id]; }

  PickleId push(PickleObject value);
  void push_text(Kind kind, std::string_view text);
  void push_integer(Kind kind, std::int64_t value);
  PickleId pop();
  PickleId top();
  std::vector<PickleId> pop_to_mark();
  void push_tuple(std::size_t size);
  void append(const std::vector<PickleId>& values);
  void set_items(const std::vector<PickleId>& values);
  void remember(std::uint64_t index);
  void recall(std::uint64_t index);
  void call(PickleId callable, PickleId args);

  std::string_view pickle_;
  const std::string& file_;
  const PickleLimits& limits_;
  std::uint64_t at_ = 0;
  PickleGraph graph_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::unordered_map<std::uint64_t, PickleId> memo_;
};

std::string_view PickleMachine::take(std::uint64_t size) {
  if (pickle_.size() - at_ < size) damaged("ends inside a value");
  const std::string_view part = pickle_.substr(at_, size);
  at_ += size;
  return part;
}

std::uint64_t PickleMachine::number(int size_bytes) {
  const std::string_view bytes = take(static_cast<std::uint64_t>(size_bytes));
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::int64_t PickleMachine::signed_number(std::uint64_t size_bytes) {
  if (size_bytes > 8) damaged("has an integer of more than 64 bits");
  if (size_bytes == 0) return 0;
  const std::uint64_t value = number(static_cast<int>(size_bytes));
  const auto unused = static_cast<int>(64 - 8 * size_bytes);
  return static_cast<std::int64_t>(value << unused) >> unused;
}

std::string_view PickleMachine::line() {
  const std::size_t end = pickle_.substr(at_, limits_.global_bytes).find('\n');
  if (end == std::string_view::npos) damaged("has a class name without an end");
  const std::string_view text = take(end);
  ++at_;
  return text;
}

PickleId PickleMachine::push(PickleObject value) {
  if (graph_.objects.size() >= limits_.objects) damaged("has too many objects");
  if (stack_.size() >= limits_.stack) damaged("needs too high a stack");
  graph_.objects.push_back(std::move(value));
  stack_.push_back(static_cast<PickleId>(graph_.objects.size() - 1));
  return stack_.back();
}

void PickleMachine::push_text(Kind kind, std::string_view text) {
  PickleObject value;
  value.kind = kind;
  value.text = text;
  push(std::move(value));
}

void PickleMachine::push_integer(Kind kind, std::int64_t integer) {
  PickleObject value;
  value.kind = kind;
  value.integer = integer;
  push(std::move(value));
}

PickleId PickleMachine::top() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) damaged("takes a value that is not there");
  return stack_.back();
}

PickleId PickleMachine::pop() {
  const PickleId id = top();
  stack_.pop_back();
  return id;
}

std::vector<PickleId> PickleMachine::pop_to_mark() {
  if (marks_.empty()) damaged("ends a group that never began");
  const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleId> values(from, stack_.end());
  stack_.erase(from, stack_.end());
  marks_.pop_back();
  return values;
}

void PickleMachine::push_tuple(std::size_t size) {
  PickleObject tuple;
  tuple.kind = Kind::tuple;
  tuple.elements.resize(size);
  for (std::size_t i = size; i-- > 0;) tuple.elements[i] = pop();
  push(std::move(tuple));
}

void PickleMachine::append(const std::vector<PickleId>& values) {
  PickleObject& target = object(top());
  if (target.kind != Kind::list && target.kind != Kind::set && target.kind != Kind::call) {
    damaged("appends to something that is no list");
  }
  target.elements.insert(target.elements.end(), values.begin(), values.end());
}

void PickleMachine::set_items(const std::vector<PickleId>& values) {
  if (values.size() % 2 != 0) damaged("sets a key without a value");
  PickleObject& target = object(top());
  if (target.kind != Kind::dict && target.kind != Kind::call) {
    damaged("sets an item of something that is no dict");
  }
  target.pairs.insert(target.pairs.end(), values.begin(), values.end());
}

void PickleMachine::remember(std::uint64_t index) {
  if (memo_.size() >= limits_.memo) damaged("remembers too many objects");
  memo_[index] = top();
}

void PickleMachine::recall(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) damaged("refers to an object that it has not defined");
  if (stack_.size() >= limits_.stack) damaged("needs too high a stack");
  stack_.push_back(found->second);
}

void PickleMachine::call(PickleId callable, PickleId args) {
  PickleObject value;
  value.kind = Kind::call;
  value.callable = callable;
  value.args = args;
  push(std::move(value));
}

bool PickleMachine::step_constant(unsigned char opcode) {
  switch (opcode) {
    case 'N':
      push({});
      return true;
    case 0x88:
      push_integer(Kind::boolean, 1);
      return true;
    case 0x89:
      push_integer(Kind::boolean, 0);
      return true;
    case 'K':
      push_integer(Kind::integer, static_cast<std::int64_t>(number(1)));
      return true;
    case 'M':
      push_integer(Kind::integer, static_cast<std::int64_t>(number(2)));
      return true;
    case 'J':
      push_integer(Kind::integer, signed_number(4));
      return true;
    case 0x8a:
      push_integer(Kind::integer, signed_number(number(1)));
      return true;
    case 0x8b:
      push_integer(Kind::integer, signed_number(number(4)));
      return true;
    case 'G': {
      std::uint64_t bits = 0;
      for (const char c : take(8)) bits = (bits << 8) | static_cast<unsigned char>(c);
      PickleObject value;
      value.kind = Kind::real;
      value.real = std::bit_cast<double>(bits);
      push(std::move(value));
      return true;
    }
    case 'X':
      push_text(Kind::text, take(number(4)));
      return true;
    case 0x8c:
      push_text(Kind::text, take(number(1)));
      return true;
    case 0x8d:
      push_text(Kind::text, take(number(8)));
      return true;
    case 'T':
      push_text(Kind::bytes, take(number(4)));
      return true;
    case 'U':
      push_text(Kind::bytes, take(number(1)));
      return true;
    case 'B':
      push_text(Kind::bytes, take(number(4)));
      return true;
    case 'C':
      push_text(Kind::bytes, take(number(1)));
      return true;
    case 0x8e:
      push_text(Kind::bytes, take(number(8)));
      return true;
    case 0x96:
      push_text(Kind::bytes, take(number(8)));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::step_container(unsigned char opcode) {
  const auto push_empty = [this](Kind kind) {
    PickleObject value;
    value.kind = kind;
    push(std::move(value));
  };
  const auto push_group = [this](Kind kind) {
    PickleObject value;
    value.kind = kind;
    value.elements = pop_to_mark();
    push(std::move(value));
  };
  switch (opcode) {
    case '(':
      if (marks_.size() >= limits_.stack) damaged("needs too high a stack");
      marks_.push_back(stack_.size());
      return true;
    case '}':
      push_empty(Kind::dict);
      return true;
    case ']':
      push_empty(Kind::list);
      return true;
    case ')':
      push_empty(Kind::tuple);
      return true;
    case 0x8f:
      push_empty(Kind::set);
      return true;
    case 't':
      push_group(Kind::tuple);
      return true;
    case 'l':
      push_group(Kind::list);
      return true;
    case 0x91:
      push_group(Kind::set);
      return true;
    case 0x85:
      push_tuple(1);
      return true;
    case 0x86:
      push_tuple(2);
      return true;
    case 0x87:
      push_tuple(3);
      return true;
    case 'a': {
      const PickleId value = pop();
      append({value});
      return true;
    }
    case 'e':
    case 0x90: {
      const std::vector<PickleId> values = pop_to_mark();
      append(values);
      return true;
    }
    case 's': {
      const PickleId value = pop();
      const PickleId key = pop();
      set_items({key, value});
      return true;
    }
    case 'u': {
      const std::vector<PickleId> values = pop_to_mark();
      set_items(values);
      return true;
    }
    case '0':
      pop();
      return true;
    case '1':
      pop_to_mark();
      return true;
    case '2': {
      const PickleId same = top();
      if (stack_.size() >= limits_.stack) damaged("needs too high a stack");
      stack_.push_back(same);
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step_memo(unsigned char opcode) {
  switch (opcode) {
    case 'q':
      remember(number(1));
      return true;
    case 'r':
      remember(number(4));
      return true;
    case 0x94:
      remember(memo_.size());
      return true;
    case 'h':
      recall(number(1));
      return true;
    case 'j':
      recall(number(4));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::step_object(unsigned char opcode) {
  switch (opcode) {
    case 'c': {
      const std::string module(line());
      push_text(Kind::global, module + "." + std::string(line()));
      return true;
    }
    case 0x93: {
      const PickleId name = pop();
      const PickleId module = pop();
      if (object(name).kind != Kind::text || object(module).kind != Kind::text) {
        damaged("names a class by something that is no text");
      }
      if (object(name).text.size() + object(module).text.size() > limits_.global_bytes) {
        damaged("has a class name that is too long");
      }
      push_text(Kind::global, object(module).text + "." + object(name).text);
      return true;
    }
    case 'R':
    case 0x81: {
      const PickleId args = pop();
      const PickleId callable = pop();
      call(callable, args);
      return true;
    }
    case 0x92: {
      const PickleId keywords = pop();
      const PickleId args = pop();
      const PickleId callable = pop();
      call(callable, args);
      object(stack_.back()).state = keywords;
      return true;
    }
    case 'b': {
      const PickleId state = pop();
      object(top()).state = state;
      return true;
    }
    case 'Q': {
      PickleObject value;
      value.kind = Kind::persistent;
      value.args = pop();
      push(std::move(value));
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step(unsigned char opcode) {
  return step_constant(opcode) || step_container(opcode) || step_memo(opcode) ||
         step_object(opcode);
}

PickleGraph PickleMachine::run() {
  for (;;) {
    const auto opcode = static_cast<unsigned char>(number(1));
    if (opcode == '.') break;
    if (opcode == 0x80) {
      if (const std::uint64_t protocol = number(1); protocol > 5) {
        damaged("has the unknown protocol " + std::to_string(protocol));
      }
    } else if (opcode == 0x95) {
      // A frame's length only helps readers of streams; the file is whole.
      number(8);
    } else if (!step(opcode)) {
      damaged("has the unknown opcode " + std::to_string(opcode));
    }
  }
  if (stack_.size() != 1 || !marks_.empty()) damaged("leaves no single value");
  graph_.root = stack_.back();
  return std::move(graph_);
}

}  // namespace

PickleGraph read_pickle(std::string_view pickle, const std::string& file,
                        const PickleLimits& limits) {
  return PickleMachine(pickle, file, limits).run();
}

}  // namespace vissl::host
