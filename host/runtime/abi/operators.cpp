#include "host/runtime/abi/operators.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/util/StringUtil.h>
#include <torch/csrc/jit/frontend/function_schema_parser.h>
#include <torch/version.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "host/files/error.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/values.hpp"

struct vissl_op {
  c10::OperatorHandle handle;
  std::string name;  // "aten::add.Tensor"
  std::vector<vissl::host::Slot> slots;
  std::size_t required = 0;  // arguments that have no default
};

namespace vissl::host {

namespace {

std::string full_name(const std::string& name, const std::string& overload) {
  return overload.empty() ? name : name + "." + overload;
}

[[noreturn]] void not_found(const std::string& name, const std::string& overload) {
  std::set<std::string> overloads;
  for (const c10::OperatorName& op : c10::Dispatcher::singleton().getAllOpNames())
    if (op.name == name) overloads.insert(op.overload_name);
  std::string known;
  for (const std::string& one : overloads) known += (known.empty() ? "'" : ", '") + one + "'";
  const std::string place = std::string("libtorch ") + TORCH_VERSION;
  if (known.empty())
    throw Error(Exit::bad_plugin, c10::str(place, " has no operator '", name, "'"));
  throw Error(Exit::bad_plugin,
              c10::str(place, " has no overload '", overload, "' of '", name, "'; it has ", known));
}

// A plugin that was written for another schema may call this one only if every old call still means
// the same.
void check_schema(const c10::FunctionSchema& ours, const std::string& wanted) {
  const c10::FunctionSchema theirs = torch::jit::parseSchema(wanted);
  if (ours == theirs) return;
  std::ostringstream why;
  if (!ours.isBackwardCompatibleWith(theirs, &why))
    throw Error(Exit::bad_plugin,
                c10::str("the operator was '", wanted,
                         "' when the plugin was written, but libtorch ", TORCH_VERSION, " has '",
                         c10::toString(ours), "'; the plugin must be built against the new one"));
}

std::unique_ptr<vissl_op> make_op(const std::string& name, const std::string& overload) {
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle) not_found(name, overload);
  auto op = std::make_unique<vissl_op>(vissl_op{*handle, full_name(name, overload), {}, 0});
  for (const c10::Argument& argument : handle->schema().arguments())
    op->slots.push_back(make_slot(argument));
  for (std::size_t i = 0; i < op->slots.size(); ++i) {
    const Slot& slot = op->slots[i];
    if (slot.has_default) continue;
    op->required = i + 1;
    if (slot.kind == Slot::Kind::unsupported && !slot.optional)
      throw Error(Exit::bad_plugin,
                  c10::str("operator '", op->name, "' needs '", slot.name, "' of type ", slot.type,
                           ", which cannot cross the plugin ABI"));
  }
  return op;
}

const vissl_op* find(const std::string& name, const std::string& overload,
                     const std::string& schema) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<vissl_op>> found;
  std::lock_guard lock(mutex);
  std::unique_ptr<vissl_op>& op = found[full_name(name, overload)];
  if (!op) op = make_op(name, overload);
  if (!schema.empty()) check_schema(op->handle.schema(), schema);
  return op.get();
}

// The stack of a call: this thread's, so that its memory is reused. A nested call finds it taken
// and starts with an empty one.
class BorrowedStack {
 public:
  BorrowedStack() { stack.swap(spare()); }
  ~BorrowedStack() {
    stack.clear();
    stack.swap(spare());
  }
  BorrowedStack(const BorrowedStack&) = delete;
  BorrowedStack& operator=(const BorrowedStack&) = delete;

  torch::jit::Stack stack;

 private:
  static torch::jit::Stack& spare() {
    thread_local torch::jit::Stack the_stack;
    return the_stack;
  }
};

[[noreturn]] void wrong_count(const vissl_op& op, uint64_t count) {
  throw Error(Exit::run_failed, c10::str("takes ", op.required, " to ", op.slots.size(),
                                         " arguments, but was given ", count));
}

void release_results(vissl_arg* results, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    if (results[i].tag == VISSL_T_TENSOR) release_handle(results[i].as.tensor);
    if (results[i].tag == VISSL_T_LIST_HANDLE) delete results[i].as.list;
    results[i].tag = VISSL_T_NONE;
  }
}

void call(const vissl_op& op, const vissl_arg* args, uint64_t arg_count, vissl_arg* results,
          uint64_t capacity, uint64_t* result_count) {
  const std::size_t slots = op.slots.size();
  if (arg_count > slots || arg_count < op.required) wrong_count(op, arg_count);
  BorrowedStack borrowed;
  torch::jit::Stack& stack = borrowed.stack;
  for (std::size_t i = 0; i < arg_count; ++i) push_argument(stack, op.slots[i], args[i]);
  for (std::size_t i = arg_count; i < slots; ++i) stack.push_back(op.slots[i].default_value);
  op.handle.callBoxed(stack);
  if (result_count != nullptr) *result_count = stack.size();
  const std::size_t wanted = std::min<std::size_t>(stack.size(), capacity);
  std::size_t written = 0;
  try {
    for (; written < wanted; ++written) write_result(stack[written], results[written]);
  } catch (...) {
    release_results(results, written);
    throw;
  }
}

}  // namespace

vissl_status op_find(vissl_str name, vissl_str overload, vissl_str schema, const vissl_op** op,
                     vissl_err* err) {
  return guarded(err, [&] { *op = find(text(name), text(overload), text(schema)); });
}

vissl_status op_call(const vissl_op* op, const vissl_arg* args, uint64_t arg_count,
                     vissl_arg* results, uint64_t result_capacity, uint64_t* result_count,
                     vissl_err* err) {
  if (op == nullptr)
    return guarded(err, [] {
      throw Error(Exit::run_failed, "op_call was given no operator; find it with op_find first");
    });
  try {
    call(*op, args, arg_count, results, result_capacity, result_count);
    return VISSL_OK;
  } catch (...) {
    return report_current_exception(err, op->name);
  }
}

}  // namespace vissl::host
