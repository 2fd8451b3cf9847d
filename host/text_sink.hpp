#pragma once
// A vissl_out that collects what a plugin writes.
#include <vissl/abi.h>

#include <string>

namespace vissl::host {

// Appends to `text`, which must outlive it.
inline vissl_out text_sink(std::string& text) {
  return {sizeof(vissl_out), &text, [](void* self, const void* data, std::uint64_t bytes) {
            static_cast<std::string*>(self)->append(static_cast<const char*>(data),
                                                    static_cast<std::size_t>(bytes));
            return bytes;
          }};
}

}  // namespace vissl::host
