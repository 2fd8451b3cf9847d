#pragma once
// The host's side of every C call: nothing that libtorch or the host throws crosses into a plugin.
#include <vissl/abi.h>

#include <exception>
#include <string>
#include <string_view>

namespace vissl::host {

// Writes the text of the exception in flight to `err` (may be NULL) and returns its status: that of
// a vissl::host::Error, else VISSL_E_FAILED. libtorch's texts come without their C++ backtrace.
// `place` stands before the text: "aten::mm: …". Call it in a catch block only.
vissl_status report_current_exception(vissl_err* err, std::string_view place = {}) noexcept;

// The text of the exception in flight as a user should see it. Call it in a catch block only.
std::string current_exception_text();

// Runs `body`; any exception becomes a status and a text.
template <class Body>
vissl_status guarded(vissl_err* err, Body&& body) noexcept {
  try {
    body();
    return VISSL_OK;
  } catch (...) {
    return report_current_exception(err);
  }
}

}  // namespace vissl::host
