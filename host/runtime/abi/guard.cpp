#include "host/runtime/abi/guard.hpp"

#include <c10/util/Exception.h>

#include "host/files/error.hpp"

namespace vissl::host {

namespace {

// libtorch's texts may go on with hints for its developers: the first line is the sentence.
std::string first_line(std::string text) {
  text.erase(std::min(text.find('\n'), text.size()));
  return text;
}

// Of an operator that gives other bits each time, libtorch says how Python allows it.
std::string without_python_advice(std::string text) {
  constexpr std::string_view kFact = "does not have a deterministic implementation";
  const std::size_t at = text.find(kFact);
  if (at == std::string::npos) return text;
  return text.substr(0, at + kFact.size()) +
         " on this device; set machine.deterministic = false to use it: two runs then differ in "
         "their last bits";
}

struct Report {
  vissl_status status;
  std::string text;
};

Report current_report() {
  try {
    throw;
  } catch (const Error& e) {
    const int code = static_cast<int>(e.code());
    const bool is_status = code >= VISSL_E_FAILED && code <= VISSL_E_DISTRIBUTED;
    return {is_status ? code : VISSL_E_FAILED, e.what()};
  } catch (const c10::Error& e) {
    return {VISSL_E_FAILED, without_python_advice(first_line(e.what_without_backtrace()))};
  } catch (const std::exception& e) {
    return {VISSL_E_FAILED, first_line(e.what())};
  } catch (...) {
    return {VISSL_E_FAILED, "an exception of unknown type was thrown"};
  }
}

}  // namespace

vissl_status report_current_exception(vissl_err* err, std::string_view place) noexcept {
  try {
    Report report = current_report();
    if (!place.empty()) report.text = std::string(place) + ": " + report.text;
    if (err != nullptr) err->set(err, report.status, {report.text.data(), report.text.size()});
    return report.status;
  } catch (...) {  // no memory for the text; the status still tells
    return VISSL_E_FAILED;
  }
}

std::string current_exception_text() {
  return current_report().text;
}

}  // namespace vissl::host
