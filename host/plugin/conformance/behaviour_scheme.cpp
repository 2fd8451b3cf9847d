// Weights schemes: where locators lead.
#include <vissl/weights_scheme.h>

#include "host/plugin/conformance/behaviour_checks.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;

struct Answer {
  vissl_status status;
  std::string place;  // of a success
  std::string text;   // of a failure
  bool leads_where(const Answer& other) const {
    return status == other.status && place == other.place;
  }
};

Answer ask(const Made& scheme, const std::string& locator) {
  Answer answer{VISSL_OK, "", ""};
  const vissl_out out = text_sink(answer.place);
  ErrorSink sink;
  vissl_weights_request request{};
  request.size = sizeof request;
  request.locator = {locator.data(), locator.size()};
  request.log = [](void*, std::uint32_t, vissl_str) {};
  request.progress = [](void*, std::uint64_t, std::uint64_t) {};
  answer.status = status_of("resolve", sink, [&](vissl_err* err) {
    return scheme.as<vissl_weights_scheme_class>().resolve(scheme.self(), &request, &out, err);
  });
  answer.text = sink.text();
  return answer;
}

}  // namespace

Verdict check_scheme_resolves(Subject& subject) {
  const std::string unknown = subject.name() + "://check-plugin-has-no-such-weights";
  const Made scheme = subject.create(subject.config()), other = subject.create(subject.config());
  const Answer answer = ask(scheme, unknown);
  // Whether a name is unknown is the scheme's to say; what it answers has to be of use.
  if (answer.status != VISSL_OK && answer.status != VISSL_E_DATA)
    return {kFail, "resolve of '" + unknown + "', which it does not know, fails with status " +
                       std::to_string(answer.status) + " (" + answer.text +
                       "); a locator without weights is VISSL_E_DATA"};
  if (answer.status == VISSL_OK && !answer.place.starts_with('/') &&
      answer.place.find("://") == std::string::npos)
    return {kFail, "'" + unknown + "' leads to '" + answer.place +
                       "', which is neither an absolute path nor a locator"};
  if (!ask(scheme, unknown).leads_where(answer))
    return {kFail, "'" + unknown + "' leads to another place the second time"};
  if (!ask(other, unknown).leads_where(answer))
    return {kFail, "'" + unknown + "' leads to another place in a second instance"};
  for (const std::string& odd : {subject.name() + "://", subject.name() + ":///../%00\n"})
    if (const Answer reply = ask(scheme, odd); reply.status == VISSL_OK && reply.place.empty())
      return {kFail, "resolve succeeds without a place; write one, or fail with VISSL_E_DATA"};
  return {Outcome::ok, answer.status == VISSL_OK ? "any name leads somewhere: " + answer.place
                                                 : "unknown: " + answer.text};
}

}  // namespace vissl::host
