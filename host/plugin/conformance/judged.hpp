#pragma once
// How the checks end early, and how they call into a plugin.
#include <exception>
#include <string>

#include "host/boundary.hpp"

namespace vissl::host {

// Thrown by helpers of a check; becomes the check's verdict.
struct Judged {
  Verdict verdict;
};
[[noreturn]] inline void judge_wrong(const std::string& text) {
  throw Judged{{Outcome::fail, text}};
}
[[noreturn]] inline void judge_skipped(const std::string& reason) {
  throw Judged{{Outcome::skipped, reason}};
}

// Calls a method of the plugin, in which an exception must not leave it.
template <class Body>
auto enter(const std::string& method, Body&& body) {
  try {
    return body();
  } catch (const Judged&) {
    throw;
  } catch (const std::exception& error) {
    judge_wrong("an exception leaves " + method + ": " + error.what() +
                "; catch it and return a status");
  } catch (...) {
    judge_wrong("an exception leaves " + method + "; catch it and return a status");
  }
}

// Calls a method that returns a status; a failure without a text is a fault of its own.
template <class Body>
vissl_status status_of(const std::string& method, ErrorSink& sink, Body&& body) {
  const vissl_status status = enter(method, [&] { return body(sink.get()); });
  if (status != VISSL_OK && sink.text().empty())
    judge_wrong(method + " fails with status " + std::to_string(status) +
                " and without a text; say what is wrong through err");
  return status;
}

// The same for calls that have to work.
template <class Body>
void must(const std::string& method, Body&& body) {
  ErrorSink sink;
  if (status_of(method, sink, body) != VISSL_OK) judge_wrong(method + " fails: " + sink.text());
}

}  // namespace vissl::host
