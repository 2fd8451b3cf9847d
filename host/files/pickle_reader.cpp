#include "host/files/pickle_reader.hpp"

#include "host/files/pickle_machine.hpp"
#include "host/files/pickle_text.hpp"

namespace vissl::host {

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
  if (size_bytes == 0) return 0;
  const std::uint64_t value = number(static_cast<int>(size_bytes));
  const auto unused = static_cast<int>(64 - 8 * size_bytes);
  return static_cast<std::int64_t>(value << unused) >> unused;
}

std::string_view PickleMachine::line(std::size_t longest) {
  const std::size_t end = pickle_.substr(at_, longest).find('\n');
  if (end == std::string_view::npos) {
    if (pickle_.size() - at_ >= longest) {
      damaged("has a line of " + std::to_string(longest) + " bytes or more");
    }
    damaged("has a line without an end");
  }
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

void PickleMachine::push_global(std::string_view module, std::string_view name) {
  push_text(Kind::global, keep(std::string(python3_module(module)) + "." + std::string(name)));
}

void PickleMachine::push_long(std::uint64_t size_bytes) {
  if (size_bytes <= 8) {
    push_integer(Kind::integer, signed_number(size_bytes));
  } else {
    push_text(Kind::big_integer, take(size_bytes));
  }
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

bool PickleMachine::step(unsigned char opcode) {
  return step_constant(opcode) || step_container(opcode) || step_memo(opcode) ||
         step_object(opcode) || step_text(opcode);
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
    } else if (opcode >= 0x82 && opcode <= 0x84) {
      damaged("uses Python's extension registry, which is not supported");
    } else if (opcode == 0x97 || opcode == 0x98) {
      damaged("refers to buffers outside the file, which is not supported");
    } else if (!step(opcode)) {
      damaged("has the unknown opcode " + std::to_string(opcode));
    }
  }
  if (stack_.size() != 1 || !marks_.empty()) damaged("leaves no single value");
  graph_.root = stack_.back();
  graph_.source = pickle_.substr(0, at_);
  return std::move(graph_);
}

PickleGraph read_pickle(std::string_view pickle, const std::string& file,
                        const PickleLimits& limits) {
  return PickleMachine(pickle, file, limits).run();
}

}  // namespace vissl::host
