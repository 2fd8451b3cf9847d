#pragma once
// Tagged values of the ABI <-> libtorch's IValues. What an operator's parameter accepts is worked
// out once, when the operator is found.
#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>
#include <vissl/tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vissl::host {

// One parameter of an operator.
struct Slot {
  enum class Kind : std::uint8_t {
    tensor,
    tensor_list,
    optional_tensor_list,
    integer,
    int_list,
    number,
    number_list,
    boolean,
    bool_list,
    string,
    scalar,
    scalar_list,
    dtype,
    device,
    layout,
    memory_format,
    generator,
    unsupported,  // e.g. Dimname: only its default can be used
  };
  Kind kind = Kind::unsupported;
  bool optional = false;         // accepts VISSL_T_NONE
  bool has_default = false;      // may be left out when it trails
  std::uint32_t fixed_size = 0;  // N of int[N]: one int stands for N equal ones
  c10::IValue default_value;
  std::string name;
  std::string type;  // as in the schema, for messages
};

Slot make_slot(const c10::Argument& argument);

// Appends `value` to the stack as the parameter wants it. Throws Error that names the parameter
// when it does not fit.
void push_argument(torch::jit::Stack& stack, const Slot& slot, const vissl_arg& value);

// Writes a result; tensors and lists become owned handles. Integer lists and strings are borrowed
// from this thread until its next operator call. Throws Error for a kind that cannot cross.
void write_result(const c10::IValue& value, vissl_arg& out);

}  // namespace vissl::host

// An owned list of unknown length.
struct vissl_tensor_list {
  std::vector<at::Tensor> tensors;
};
