#include "host/runtime/abi/values.hpp"

#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>

#include "host/files/error.hpp"
#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/handle.hpp"

namespace vissl::host {

namespace {

using Kind = Slot::Kind;

Kind list_kind(const c10::Type& element) {
  switch (element.kind()) {
    case c10::TypeKind::TensorType:
      return Kind::tensor_list;
    case c10::TypeKind::OptionalType:
      return element.castRaw<c10::OptionalType>()->getElementType()->kind() ==
                     c10::TypeKind::TensorType
                 ? Kind::optional_tensor_list
                 : Kind::unsupported;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return Kind::int_list;
    case c10::TypeKind::FloatType:
      return Kind::number_list;
    case c10::TypeKind::BoolType:
      return Kind::bool_list;
    case c10::TypeKind::NumberType:
      return Kind::scalar_list;
    default:
      return Kind::unsupported;
  }
}

Kind kind_of(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType:
      return Kind::tensor;
    case c10::TypeKind::ListType:
      return list_kind(*type.castRaw<c10::ListType>()->getElementType());
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return Kind::integer;
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType:
      return Kind::number;
    case c10::TypeKind::BoolType:
    case c10::TypeKind::SymBoolType:
      return Kind::boolean;
    case c10::TypeKind::StringType:
      return Kind::string;
    case c10::TypeKind::NumberType:
      return Kind::scalar;
    case c10::TypeKind::ScalarTypeType:
      return Kind::dtype;
    case c10::TypeKind::DeviceObjType:
      return Kind::device;
    case c10::TypeKind::LayoutType:
      return Kind::layout;
    case c10::TypeKind::MemoryFormatType:
      return Kind::memory_format;
    case c10::TypeKind::GeneratorType:
      return Kind::generator;
    default:
      return Kind::unsupported;
  }
}

const char* tag_name(std::uint32_t tag) {
  static constexpr const char* kNames[] = {
      "none",         "a tensor",       "an int",           "a float",         "a bool",
      "a string",     "a dtype",        "a device",         "a layout",        "a memory format",
      "a generator",  "a list of ints", "a list of floats", "a list of bools", "a list of tensors",
      "a list handle"};
  return tag < std::size(kNames) ? kNames[tag] : "an unknown tag";
}

[[noreturn]] void mismatch(const Slot& slot, const vissl_arg& value) {
  throw Error(Exit::run_failed, c10::str("parameter '", slot.name, "' takes ", slot.type,
                                         ", but was given ", tag_name(value.tag)));
}

c10::Scalar scalar_of(const Slot& slot, const vissl_arg& value) {
  switch (value.tag) {
    case VISSL_T_INT:
      return value.as.i;
    case VISSL_T_DOUBLE:
      return value.as.d;
    case VISSL_T_BOOL:
      return value.as.i != 0;
    default:
      mismatch(slot, value);
  }
}

at::Tensor tensor_of(const Slot& slot, const vissl_arg& value) {
  if (value.tag == VISSL_T_TENSOR) {
    if (value.as.tensor == nullptr) mismatch(slot, {VISSL_T_NONE, 0, {}});
    return unwrap(value.as.tensor);
  }
  // A number where a tensor is wanted takes part in type promotion as a number, as in Python.
  at::Tensor number =
      at::scalar_tensor(scalar_of(slot, value), value.tag == VISSL_T_DOUBLE ? at::kDouble
                                                : value.tag == VISSL_T_INT  ? at::kLong
                                                                            : at::kBool);
  number.unsafeGetTensorImpl()->set_wrapped_number(true);
  return number;
}

c10::IValue int_list_of(const Slot& slot, const vissl_arg& value) {
  if (value.tag == VISSL_T_INT)
    return std::vector<int64_t>(std::max(slot.fixed_size, 1u), value.as.i);
  if (value.tag != VISSL_T_INT_LIST) mismatch(slot, value);
  return at::IntArrayRef(value.as.ints, value.count);
}

c10::IValue number_list_of(const Slot& slot, const vissl_arg& value) {
  if (value.tag == VISSL_T_DOUBLE_LIST) return at::ArrayRef<double>(value.as.doubles, value.count);
  if (value.tag != VISSL_T_INT_LIST) mismatch(slot, value);
  return std::vector<double>(value.as.ints, value.as.ints + value.count);
}

c10::IValue scalar_list_of(const Slot& slot, const vissl_arg& value) {
  c10::List<at::Scalar> list;
  if (value.tag == VISSL_T_DOUBLE_LIST) {
    for (std::uint32_t i = 0; i < value.count; ++i) list.push_back(value.as.doubles[i]);
  } else if (value.tag == VISSL_T_INT_LIST) {
    for (std::uint32_t i = 0; i < value.count; ++i) list.push_back(value.as.ints[i]);
  } else {
    mismatch(slot, value);
  }
  return list;
}

c10::IValue tensor_list_of(const Slot& slot, const vissl_arg& value) {
  if (value.tag != VISSL_T_TENSOR_LIST) mismatch(slot, value);
  c10::List<at::Tensor> list;
  list.reserve(value.count);
  for (std::uint32_t i = 0; i < value.count; ++i) {
    if (value.as.tensors[i] == nullptr)
      throw Error(Exit::run_failed,
                  c10::str("element ", i, " of parameter '", slot.name, "' is no tensor"));
    list.push_back(unwrap(value.as.tensors[i]));
  }
  return list;
}

c10::IValue optional_tensor_list_of(const Slot& slot, const vissl_arg& value) {
  if (value.tag != VISSL_T_TENSOR_LIST) mismatch(slot, value);
  c10::List<std::optional<at::Tensor>> list;
  list.reserve(value.count);
  for (std::uint32_t i = 0; i < value.count; ++i) {
    vissl_tensor* element = value.as.tensors[i];
    list.push_back(element == nullptr ? std::nullopt : std::optional<at::Tensor>(unwrap(element)));
  }
  return list;
}

c10::Device device_of(const Slot& slot, const vissl_arg& value) {
  if (value.tag != VISSL_T_DEVICE) mismatch(slot, value);
  const auto type = static_cast<c10::DeviceType>(value.as.i >> 32);
  const auto index = static_cast<std::int32_t>(value.as.i & 0xffffffff);
  // libtorch knows one CPU and calls it -1.
  return c10::Device(
      type, type == c10::kCPU ? c10::DeviceIndex(-1) : static_cast<c10::DeviceIndex>(index));
}

int64_t integer_of(const Slot& slot, const vissl_arg& value, std::uint32_t tag) {
  if (value.tag != tag) mismatch(slot, value);
  return value.as.i;
}

// The generator of the model's device serves operators on that device alone; without one libtorch
// takes the default of the operator's own device.
void push_generator(torch::jit::Stack& stack, const Slot& slot, const at::Generator& generator) {
  if (slot.optional && generator == default_generator())
    stack.emplace_back();
  else
    stack.emplace_back(generator);
}

}  // namespace

Slot make_slot(const c10::Argument& argument) {
  Slot slot;
  slot.name = argument.name();
  slot.type = argument.real_type()->str();
  const c10::Type* type = argument.real_type().get();
  if (const auto* optional = type->castRaw<c10::OptionalType>()) {
    slot.optional = true;
    type = optional->getElementType().get();
  }
  slot.kind = kind_of(*type);
  slot.fixed_size = static_cast<std::uint32_t>(argument.N().value_or(0));
  if (argument.default_value()) {
    slot.has_default = true;
    slot.default_value = *argument.default_value();
  }
  return slot;
}

void push_argument(torch::jit::Stack& stack, const Slot& slot, const vissl_arg& value) {
  if (slot.kind == Kind::tensor && value.tag == VISSL_T_TENSOR && value.as.tensor != nullptr) {
    stack.emplace_back(unwrap(value.as.tensor));
    return;
  }
  const bool none = value.tag == VISSL_T_NONE ||
                    (value.tag == VISSL_T_TENSOR && value.as.tensor == nullptr) ||
                    (value.tag == VISSL_T_GENERATOR && value.as.generator == nullptr);
  if (none) {
    if (!slot.optional) mismatch(slot, {VISSL_T_NONE, 0, {}});
    stack.emplace_back();
    return;
  }
  switch (slot.kind) {
    case Kind::tensor:
      stack.emplace_back(tensor_of(slot, value));
      return;
    case Kind::tensor_list:
      stack.push_back(tensor_list_of(slot, value));
      return;
    case Kind::optional_tensor_list:
      stack.push_back(optional_tensor_list_of(slot, value));
      return;
    case Kind::integer:
      stack.emplace_back(integer_of(slot, value, VISSL_T_INT));
      return;
    case Kind::int_list:
      stack.push_back(int_list_of(slot, value));
      return;
    case Kind::number:
      if (value.tag == VISSL_T_BOOL) mismatch(slot, value);
      stack.emplace_back(scalar_of(slot, value).toDouble());
      return;
    case Kind::number_list:
      stack.push_back(number_list_of(slot, value));
      return;
    case Kind::boolean:
      stack.emplace_back(integer_of(slot, value, VISSL_T_BOOL) != 0);
      return;
    case Kind::bool_list: {
      if (value.tag != VISSL_T_BOOL_LIST) mismatch(slot, value);
      c10::List<bool> list;
      for (std::uint32_t i = 0; i < value.count; ++i) list.push_back(value.as.bools[i] != 0);
      stack.emplace_back(std::move(list));
      return;
    }
    case Kind::string:
      if (value.tag != VISSL_T_STRING) mismatch(slot, value);
      stack.emplace_back(std::string(value.count == 0 ? "" : value.as.s, value.count));
      return;
    case Kind::scalar:
      stack.emplace_back(scalar_of(slot, value));
      return;
    case Kind::scalar_list:
      stack.push_back(scalar_list_of(slot, value));
      return;
    case Kind::dtype:
      stack.emplace_back(integer_of(slot, value, VISSL_T_DTYPE));
      return;
    case Kind::device:
      stack.emplace_back(device_of(slot, value));
      return;
    case Kind::layout:
      stack.emplace_back(integer_of(slot, value, VISSL_T_LAYOUT));
      return;
    case Kind::memory_format:
      stack.emplace_back(integer_of(slot, value, VISSL_T_MEMORY_FORMAT));
      return;
    case Kind::generator:
      if (value.tag != VISSL_T_GENERATOR) mismatch(slot, value);
      push_generator(stack, slot, *reinterpret_cast<at::Generator*>(value.as.generator));
      return;
    case Kind::unsupported:
      throw Error(Exit::run_failed,
                  c10::str("parameter '", slot.name, "' of type ", slot.type,
                           " cannot be given through the plugin ABI; leave it at its default"));
  }
}

void write_result(const c10::IValue& value, vissl_arg& out) {
  out = {VISSL_T_NONE, 0, {}};
  if (value.isTensor()) {
    out.as.tensor = wrap(value.toTensor());
    if (out.as.tensor != nullptr) out.tag = VISSL_T_TENSOR;
  } else if (value.isInt()) {
    out.tag = VISSL_T_INT;
    out.as.i = value.toInt();
  } else if (value.isDouble()) {
    out.tag = VISSL_T_DOUBLE;
    out.as.d = value.toDouble();
  } else if (value.isBool()) {
    out.tag = VISSL_T_BOOL;
    out.as.i = value.toBool() ? 1 : 0;
  } else if (value.isTensorList()) {
    auto list = std::make_unique<vissl_tensor_list>(value.toTensorVector());
    out.tag = VISSL_T_LIST_HANDLE;
    out.count = static_cast<std::uint32_t>(list->tensors.size());
    out.as.list = list.release();
  } else if (value.isIntList()) {
    thread_local std::vector<int64_t> ints;
    ints = value.toIntVector();
    out.tag = VISSL_T_INT_LIST;
    out.count = static_cast<std::uint32_t>(ints.size());
    out.as.ints = ints.data();
  } else if (value.isString()) {
    thread_local std::string text;
    text = value.toStringRef();
    out.tag = VISSL_T_STRING;
    out.count = static_cast<std::uint32_t>(text.size());
    out.as.s = text.data();
  } else if (!value.isNone()) {
    throw Error(Exit::run_failed,
                c10::str("a result of type ", value.type()->str(), " cannot cross the plugin ABI"));
  }
}

}  // namespace vissl::host
