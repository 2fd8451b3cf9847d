#include "host/runtime/dist/together.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "host/files/error.hpp"
#include "host/runtime/dist/broadcast.hpp"

namespace vissl::host {

namespace {

std::optional<Error> error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(Exit::run_failed, error.what());
  }
  return std::nullopt;
}

}  // namespace

void together(Collectives& ranks, const std::function<void()>& work) {
  if (ranks.world() == 1) return work();
  const std::optional<Error> own = error_of(work);
  // An exit code and the text, or nothing.
  const std::vector<std::string> verdicts = gather_texts(
      ranks, own ? std::to_string(static_cast<int>(own->code())) + " " + own->what() : "");
  const auto failed = [](const std::string& verdict) { return !verdict.empty(); };
  const auto first = std::find_if(verdicts.begin(), verdicts.end(), failed);
  if (first == verdicts.end()) return;
  const std::string who = std::all_of(verdicts.begin(), verdicts.end(), failed)
                              ? ""
                              : "rank " + std::to_string(first - verdicts.begin()) + ": ";
  throw Error(static_cast<Exit>(std::stoi(*first)), who + first->substr(first->find(' ') + 1));
}

}  // namespace vissl::host
