#pragma once
// The stack machine behind read_pickle.
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/files/damage.hpp"
#include "host/files/pickle_reader.hpp"

namespace vissl::host {

class PickleMachine {
  using Kind = PickleObject::Kind;

 public:
  PickleMachine(std::string_view pickle, const std::string& file, const PickleLimits& limits)
      : pickle_(pickle), file_(file), limits_(limits) {}

  PickleGraph run();

 private:
  bool step(unsigned char opcode);  // false: not an opcode of this group
  bool step_constant(unsigned char opcode);
  bool step_text(unsigned char opcode);
  bool step_container(unsigned char opcode);
  bool step_memo(unsigned char opcode);
  bool step_object(unsigned char opcode);

  [[noreturn]] void damaged(const std::string& what) const {
    throw_damaged(file_, "the pickle " + what, at_);
  }
  std::string_view take(std::uint64_t size);
  std::uint64_t number(int size_bytes);
  std::int64_t signed_number(std::uint64_t size_bytes);
  std::string_view line(std::size_t longest);
  std::string_view keep(std::string text) { return graph_.made.emplace_back(std::move(text)); }
  void push_global(std::string_view module, std::string_view name);
  void push_long(std::uint64_t size_bytes);
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

}  // namespace vissl::host
