#pragma once
// The host's side of the border to a plugin: what host code throws becomes a status and a text.
#include <vissl/abi.h>

#include <exception>
#include <new>
#include <string_view>

#include "host/abi_text.hpp"
#include "host/files/error.hpp"

namespace vissl::host {

// Writes an error into a plugin's sink; `err` may be NULL.
inline vissl_status report(vissl_err* err, vissl_status status, std::string_view text) noexcept {
  if (err != nullptr && err->set != nullptr) err->set(err, status, str_of(text));
  return status;
}

// Runs `body` for a plugin that called a host function.
template <class Body>
vissl_status guarded(vissl_err* err, Body&& body) noexcept {
  try {
    body();
    return VISSL_OK;
  } catch (const Error& error) {
    const int code = static_cast<int>(error.code());
    const bool is_status = code >= VISSL_E_FAILED && code <= VISSL_E_DISTRIBUTED;
    return report(err, is_status ? code : VISSL_E_FAILED, error.what());
  } catch (const std::bad_alloc&) {
    return report(err, VISSL_E_FAILED, "out of memory");
  } catch (const std::exception& error) {
    return report(err, VISSL_E_FAILED, error.what());
  }
}

}  // namespace vissl::host
