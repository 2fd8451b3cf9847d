#pragma once
// For plugins written in ordinary libtorch C++ (ATen, autograd): the host's tensors as at::Tensor
// and back, and the fingerprint that keeps such a plugin away from another libtorch.
//
//   at::Tensor x = vissl::to_torch(call.image());        // the same tensor, nothing is copied
//   out.put("conv", vissl::from_torch(at::relu(x)));
//   VISSL_NATIVE_PLUGIN("org.example.net", "1.0.0")      // instead of VISSL_PLUGIN
//
// Such a plugin works with exactly the libtorch that it was compiled against; the host compares
// the fingerprints before it opens the file. Link with vissl_use_libtorch(NAME NATIVE) of the SDK's
// CMake package. Parameters and buffers still come from the host's store. Keep RTTI, exceptions and
// containers of libtorch inside the plugin. [main]
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <torch/headeronly/version.h>
#include <vissl/native.h>
#include <vissl/plugin.hpp>
#include <vissl/tensor.hpp>

#include <cstddef>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// `tensor` is defined. The result is one more owner of the same tensor.
inline at::Tensor to_torch(const Tensor& tensor) {
  return *reinterpret_cast<const at::Tensor*>(tensor.handle());
}

// A handle of the host, which may be returned to it; undefined for an undefined tensor.
inline Tensor from_torch(const at::Tensor& tensor) {
  if (!tensor.defined()) return Tensor();
  return Tensor::borrow(reinterpret_cast<vissl_tensor*>(const_cast<at::Tensor*>(&tensor)));
}

namespace detail {

struct Fingerprint {
  char text[200] = {};
  std::size_t size = 0;

  constexpr void add(const char* more) {
    for (; *more != '\0'; ++more) text[size++] = *more;
  }
  constexpr void add(std::size_t number) {
    if (number >= 10) add(number / 10);
    text[size++] = static_cast<char>('0' + number % 10);
  }
};

// What two binaries must share to exchange at::Tensor: "torch 2.11.0, libstdc++ with C++11 ABI 1,
// sizes 8 …". Equal for g++ and clang++ on one standard library.
constexpr Fingerprint fingerprint() {
  Fingerprint out;
  out.add("torch " TORCH_VERSION ", ");
#ifdef _LIBCPP_VERSION
  out.add("libc++");
#else
  out.add("libstdc++ with C++11 ABI ");
  out.add(std::size_t{_GLIBCXX_USE_CXX11_ABI});
#endif
  out.add(", sizes");
  for (const std::size_t size :
       {sizeof(at::Tensor), sizeof(c10::TensorImpl), sizeof(c10::StorageImpl), sizeof(c10::IValue),
        sizeof(c10::TensorOptions), sizeof(at::Generator), sizeof(std::string)}) {
    out.add(" ");
    out.add(size);
  }
  return out;
}

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

// The fingerprint as a text of its own section, where the host reads it without opening the file.
#define VISSL_NATIVE_TEXT(variable)                                            \
  static constexpr ::vissl::detail::Fingerprint variable                       \
      __attribute__((section(VISSL_NATIVE_SECTION), VISSL_KEEP, aligned(1))) = \
          ::vissl::detail::fingerprint()

#define VISSL_NATIVE_PLUGIN(plugin_id, plugin_version) \
  VISSL_NATIVE_TEXT(vissl_native_text);                \
  VISSL_PLUGIN(plugin_id, plugin_version)
