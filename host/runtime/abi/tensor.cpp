// The table of vissl.tensor/1.
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cstring>

#include "host/files/error.hpp"
#include "host/runtime/abi/batch_norm.hpp"
#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/given.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/operators.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/abi/values.hpp"

namespace vissl::host {

namespace {

at::Tensor optional_tensor(vissl_tensor* handle) {
  return handle == nullptr ? at::Tensor() : unwrap(handle);
}

vissl_tensor* retain(vissl_tensor* t) {
  return t == nullptr ? nullptr : wrap(unwrap(t));
}

vissl_status info(vissl_tensor* handle, vissl_tensor_info* out, vissl_err* err) {
  return guarded(err, [&] {
    const at::Tensor& t = given(handle, "info");
    vissl_tensor_info info{};
    info.size = out->size;
    info.dtype = static_cast<vissl_dtype>(t.scalar_type());
    info.ndim = static_cast<uint32_t>(t.dim());
    info.sizes = t.sizes().data();
    info.strides = t.strides().data();
    info.numel = t.numel();
    info.device = VISSL_DEVICE(t.device().type(), std::max<int>(t.device().index(), 0));
    info.requires_grad = t.requires_grad() ? 1 : 0;
    info.is_contiguous = t.is_contiguous() ? 1 : 0;
    info.data = t.has_storage() ? t.data_ptr() : nullptr;
    std::memcpy(out, &info,
                std::min<std::size_t>(static_cast<std::size_t>(out->size), sizeof(info)));
  });
}

vissl_status from_array(const vissl_array* array, vissl_tensor** out, vissl_err* err) {
  return guarded(err, [&] {
    if (array == nullptr) throw Error(Exit::run_failed, "from_array was given no array");
    if (array->ndim > 8)
      throw Error(Exit::run_failed,
                  c10::str("an array has ", array->ndim, " dimensions, at most 8 are possible"));
    at::Tensor tensor = at::empty(at::IntArrayRef(array->shape, array->ndim),
                                  static_cast<at::ScalarType>(array->dtype));
    if (tensor.nbytes() > 0) std::memcpy(tensor.mutable_data_ptr(), array->data, tensor.nbytes());
    *out = wrap(std::move(tensor));
  });
}

vissl_status to_memory(vissl_tensor* t, vissl_dtype dtype, void* data, uint64_t bytes,
                       vissl_err* err) {
  return guarded(err, [&] {
    const at::Tensor plain = given(t, "to_memory")
                                 .detach()
                                 .to(at::kCPU, static_cast<at::ScalarType>(dtype))
                                 .contiguous();
    if (plain.nbytes() != bytes)
      throw Error(Exit::run_failed,
                  c10::str("a tensor of shape ", plain.sizes(), " has ", plain.nbytes(),
                           " bytes, but the memory for its copy has ", bytes));
    if (bytes > 0) std::memcpy(data, plain.const_data_ptr(), static_cast<std::size_t>(bytes));
  });
}

uint64_t list_size(vissl_tensor_list* list) {
  return list != nullptr ? list->tensors.size() : 0;
}

vissl_tensor* list_get(vissl_tensor_list* list, uint64_t i) {
  return i < list_size(list) ? wrap(list->tensors[static_cast<std::size_t>(i)]) : nullptr;
}

void list_release(vissl_tensor_list* list) {
  delete list;
}

int32_t set_grad_enabled(int32_t on) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(on != 0);
  return before ? 1 : 0;
}

int32_t set_autocast_enabled(int32_t on) {
  const auto device = context().device.type();
  const bool before = at::autocast::is_autocast_enabled(device);
  const bool now = on != 0 && context().autocast;
  if (now) at::autocast::set_autocast_dtype(device, context().autocast_dtype);
  at::autocast::set_autocast_enabled(device, now);
  return before ? 1 : 0;
}

vissl_generator* generator() {
  thread_local at::Generator of_this_thread;
  of_this_thread = default_generator();
  return reinterpret_cast<vissl_generator*>(&of_this_thread);
}

vissl_status set_requires_grad(vissl_tensor* t, int32_t on, vissl_err* err) {
  return guarded(err, [&] { given(t, "set_requires_grad").requires_grad_(on != 0); });
}

vissl_status batch_norm_call(vissl_tensor* x, vissl_tensor* weight, vissl_tensor* bias,
                             vissl_tensor* running_mean, vissl_tensor* running_var,
                             vissl_tensor* num_batches_tracked, int32_t training, double momentum,
                             double eps, vissl_tensor** out, vissl_err* err) {
  return guarded(err, [&] {
    BatchNormState state{optional_tensor(weight), optional_tensor(bias),
                         optional_tensor(running_mean), optional_tensor(running_var),
                         optional_tensor(num_batches_tracked)};
    *out = wrap(batch_norm(given(x, "batch_norm"), state, training != 0, momentum, eps));
  });
}

vissl_status set_data(vissl_tensor* t, vissl_tensor* source, vissl_err* err) {
  return guarded(err, [&] { given(t, "set_data").set_data(given(source, "set_data").detach()); });
}

constexpr vissl_tensor_api kTable = {
    sizeof(vissl_tensor_api),
    op_find,
    op_call,
    retain,
    release_handle,
    info,
    from_array,
    to_memory,
    list_size,
    list_get,
    list_release,
    set_grad_enabled,
    set_autocast_enabled,
    generator,
    set_requires_grad,
    batch_norm_call,
    set_data,
};

}  // namespace

const vissl_tensor_api& tensor_api() {
  return kTable;
}

}  // namespace vissl::host
