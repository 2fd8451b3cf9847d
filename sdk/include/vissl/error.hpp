#pragma once
// Errors of the C++ layer: exceptions inside a plugin, a status and a text at the border.
//
//   fail(VISSL_E_CONFIG, "dims needs at least two numbers");          // throws; the run ends with
//   exit code 2 call(tensors().info, handle, &info);                              // calls the
//   host, throws its error text
//
// Everything in this layer lives in a hidden inline namespace: two plugins that were built with
// different versions of these headers never share a function or a variable.
#include <vissl/abi.h>

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#define VISSL_HIDDEN __attribute__((visibility("hidden")))

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// What a plugin throws and what a failed host call becomes. `what()` is the sentence for the user.
class Failure : public std::runtime_error {
 public:
  // `status`: VISSL_E_…, which decides the exit code of the run.
  Failure(vissl_status status, const std::string& text)
      : std::runtime_error(text), status_(status) {}
  vissl_status status() const noexcept { return status_; }

 private:
  vissl_status status_;
};

[[noreturn]] inline void fail(vissl_status status, const std::string& text) {
  throw Failure(status, text);
}
[[noreturn]] inline void fail(const std::string& text) {
  throw Failure(VISSL_E_FAILED, text);
}

inline vissl_str str(std::string_view text) noexcept {
  return {text.data(), text.size()};
}
inline std::string_view view(vissl_str text) noexcept {
  return text.size == 0 ? std::string_view()
                        : std::string_view(text.data, static_cast<std::size_t>(text.size));
}

// Collects the text of one host call; converts to the vissl_err* that the call takes. Lives on the
// stack of the caller.
class ErrorSink {
 public:
  ErrorSink() noexcept : err_{sizeof(vissl_err), this, &ErrorSink::set} {}
  ErrorSink(const ErrorSink&) = delete;
  ErrorSink& operator=(const ErrorSink&) = delete;
  operator vissl_err*() noexcept { return &err_; }
  vissl_err* get() noexcept { return &err_; }
  const std::string& text() const noexcept { return text_; }

 private:
  static void set(vissl_err* err, vissl_status /*code*/, vissl_str text) noexcept {
    try {
      static_cast<ErrorSink*>(err->self)->text_.assign(view(text));
    } catch (const std::bad_alloc&) {
      static_cast<ErrorSink*>(err->self)->text_.clear();  // the status still tells that it failed
    }
  }
  vissl_err err_;
  std::string text_;
};

// Throws Failure unless `status` is VISSL_OK.
inline void check(vissl_status status, const ErrorSink& sink) {
  if (status == VISSL_OK) return;
  fail(status, sink.text().empty() ? "the host refused a call with status " + std::to_string(status)
                                   : sink.text());
}

// Calls a host function whose last argument is a vissl_err*, and throws when it fails.
template <class Function, class... Args>
void call(Function function, Args... args) {
  ErrorSink sink;
  check(function(args..., sink.get()), sink);
}

// Writes an error into the host's sink; `err` may be NULL.
inline vissl_status report(vissl_err* err, vissl_status status, std::string_view text) noexcept {
  if (err != nullptr && err->set != nullptr) err->set(err, status, str(text));
  return status;
}

// Runs `body` at the border to the host: whatever it throws becomes a status and a text, nothing
// escapes.
template <class Body>
vissl_status guarded(vissl_err* err, Body&& body) noexcept {
  try {
    body();
    return VISSL_OK;
  } catch (const Failure& failure) {
    // OK is no failure: a status of 0 must not turn an exception into a success.
    const vissl_status status = failure.status() == VISSL_OK ? VISSL_E_FAILED : failure.status();
    return report(err, status, failure.what());
  } catch (const std::bad_alloc&) {
    return report(err, VISSL_E_FAILED, "out of memory");
  } catch (const std::exception& error) {
    return report(err, VISSL_E_FAILED, error.what());
  } catch (...) {
    return report(err, VISSL_E_FAILED, "the plugin threw something that is no std::exception");
  }
}

}  // namespace abi1
}  // namespace vissl
