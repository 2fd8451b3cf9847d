#pragma once
// Operators of libtorch's dispatcher by name: op_find and op_call of vissl.tensor/1.
#include <vissl/tensor.h>

namespace vissl::host {

vissl_status op_find(vissl_str name, vissl_str overload, vissl_str schema, const vissl_op** op,
                     vissl_err* err);
vissl_status op_call(const vissl_op* op, const vissl_arg* args, uint64_t arg_count,
                     vissl_arg* results, uint64_t result_capacity, uint64_t* result_count,
                     vissl_err* err);

}  // namespace vissl::host
