#pragma once
// Text that crosses the C ABI.
#include <vissl/abi.h>

#include <string>
#include <string_view>

namespace vissl::host {

// Empty for a text without data, whatever its size.
inline std::string_view view_of(vissl_str text) noexcept {
  return text.data == nullptr ? std::string_view()
                              : std::string_view(text.data, static_cast<std::size_t>(text.size));
}

inline std::string text_of(vissl_str text) {
  return std::string(view_of(text));
}

// Borrowed from `text`.
inline vissl_str str_of(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

}  // namespace vissl::host
