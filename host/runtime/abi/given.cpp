#include "host/runtime/abi/given.hpp"

#include <string>

#include "host/files/error.hpp"
#include "host/runtime/abi/handle.hpp"

namespace vissl::host {

at::Tensor& given(vissl_tensor* handle, const char* function) {
  if (handle == nullptr)
    throw Error(Exit::run_failed,
                std::string(function) +
                    " was given no tensor: the handle is NULL; set the tensor before it is used");
  return unwrap(handle);
}

}  // namespace vissl::host
