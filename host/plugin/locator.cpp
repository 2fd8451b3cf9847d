#include "host/plugin/locator.hpp"

#include <vissl/weights_scheme.h>

#include "host/config/suggest.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {
namespace {

constexpr std::string_view kMark = "://";
constexpr int kMaxSteps = 8;

// The scheme's own table of the config, or one with its defaults.
Value settings(DeclarationIndex& index, const Value* schemes, const std::string& scheme,
               const std::string& locator) {
  if (schemes != nullptr)
    for (const Value& item : schemes->items())
      if (const Value* name = item.find("name"); name != nullptr && name->as_text() == scheme)
        return item;
  const Declaration* declaration = index.find("weights_scheme", scheme, locator);
  if (declaration == nullptr)
    throw Error(Exit::usage, locator + ": no plugin offers the weights scheme '" + scheme + "'" +
                                 suggestion(scheme, index.names("weights_scheme")) +
                                 " (looked in " + index.searched() + ")");
  Value table = Value::table();
  table.set("name", Value::text(scheme));
  for (const Param& param : declaration->params) {
    if (param.has(VISSL_P_REQUIRED))
      throw Error(Exit::usage, locator + ": the weights scheme '" + scheme +
                                   "' needs its parameter '" + param.name +
                                   "'; add weights_schemes = [{ name = \"" + scheme + "\", " +
                                   param.name + " = … }] to the config");
    if (param.fallback) table.set(param.name, *param.fallback);
  }
  return table;
}

std::string resolve_once(Catalogue& catalogue, const Value& config, const std::string& locator) {
  const auto scheme = catalogue.create("weights_scheme", &config);
  std::string place;
  const vissl_out out = text_sink(place);
  ErrorSink sink;
  sink.check(scheme->as<vissl_weights_scheme_class>().resolve(
                 scheme->self(), {locator.data(), locator.size()}, &out, sink.get()),
             locator);
  return place;
}

}  // namespace

std::string resolve_locator(Catalogue& catalogue, DeclarationIndex& index, const Value* schemes,
                            const std::string& locator) {
  std::string place = locator;
  for (int step = 0; step < kMaxSteps; ++step) {
    const std::size_t mark = place.find(kMark);
    if (mark == std::string::npos) {
      if (step == 0 || place.starts_with('/')) return place;
      throw Error(Exit::run_failed, locator + ": its weights scheme answers '" + place +
                                        "', which is neither an absolute path nor a locator; "
                                        "report it to the plugin's author");
    }
    const std::string scheme = place.substr(0, mark);
    if (scheme == "file") return place.substr(mark + kMark.size());
    // Instances are gone before the next step, so this table may go too.
    const Value config = settings(index, schemes, scheme, place);
    place = resolve_once(catalogue, config, place);
  }
  throw Error(Exit::run_failed, locator + ": after " + std::to_string(kMaxSteps) +
                                    " weights schemes there is still no file, but '" + place +
                                    "'; do two schemes name each other?");
}

}  // namespace vissl::host
