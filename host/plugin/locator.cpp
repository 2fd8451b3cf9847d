#include "host/plugin/locator.hpp"

#include <vissl/weights_scheme.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>

#include "host/abi_text.hpp"
#include "host/config/suggest.hpp"
#include "host/files/locator_text.hpp"
#include "host/files/sha256.hpp"
#include "host/plugin/declare.hpp"
#include "host/plugin/download_progress.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {
namespace {

constexpr int kMaxSteps = 8;

// Who answers for a locator.
struct Choice {
  std::string scheme;            // empty: the locator is a path
  const Value* entry = nullptr;  // of weights_schemes, NULL = none
};

const std::string& name_of(const Value& entry) {
  return entry.find("name")->as_text();
}

// The beginning of the locators that an entry is for; its name's when it gives none.
std::string prefix_of(const Value& entry) {
  const Value* prefix = entry.find("prefix");
  const bool own = prefix == nullptr || prefix->as_text().empty();
  return own ? name_of(entry) + ":" : prefix->as_text();
}

bool is_known(const DeclarationIndex& index, const std::string& scheme) {
  const std::vector<std::string> names = index.names("weights_scheme");
  return std::binary_search(names.begin(), names.end(), scheme);
}

// Two that answer for one prefix are an error wherever they lead.
void check_prefixes(const DeclarationIndex& index, const Value& schemes) {
  for (const Value& entry : schemes.items()) {
    const std::string prefix = prefix_of(entry);
    for (const Value& other : schemes.items()) {
      if (&other == &entry) break;
      if (prefix_of(other) == prefix)
        throw Error(Exit::usage, entry.origin().where() +
                                     ": weights_schemes has two entries for '" + prefix +
                                     "'; give one of them another prefix");
    }
    std::string owner = prefix.substr(0, prefix.find(':'));
    const bool whole = prefix == owner + ":" || prefix == owner + "://";
    const Value* force = entry.find("force");
    if (whole && owner != name_of(entry) && is_known(index, owner) &&
        !(force != nullptr && force->as_bool()))
      throw Error(Exit::usage, entry.origin().where() + ": the prefix '" + prefix +
                                   "' belongs to the weights scheme '" + owner +
                                   "'; add force = true to let '" + name_of(entry) +
                                   "' answer for it");
  }
}

Choice choose(const DeclarationIndex& index, const Value* schemes, const std::string& locator) {
  Choice choice;
  std::size_t longest = 0;
  if (schemes != nullptr)
    for (const Value& entry : schemes->items()) {
      const std::string prefix = prefix_of(entry);
      if (prefix.size() <= longest || !locator.starts_with(prefix)) continue;
      longest = prefix.size();
      choice = {name_of(entry), &entry};
    }
  if (longest != 0) return choice;
  const SchemeWord word = scheme_word(locator);
  if (word.name.empty() || word.name == "file") return {word.name, nullptr};
  if (is_known(index, word.name)) {
    // "open-mmlab:s3://x" and "HTTPS://x" do not begin with the entry's prefix, but mean it.
    if (schemes != nullptr)
      for (const Value& entry : schemes->items())
        if (prefix_of(entry) == word.name + ":") return {name_of(entry), &entry};
    return {word.name, nullptr};
  }
  const std::vector<std::string> names = index.names("weights_scheme");
  if (word.has_slashes)
    throw Error(Exit::usage, locator + ": no plugin offers the weights scheme '" + word.name + "'" +
                                 suggestion(word.name, names, names.size()) + " (looked in " +
                                 index.searched() + ")");
  if (const std::vector<std::string> near = near_names(word.name, names); !near.empty())
    throw Error(Exit::usage, locator + ": no plugin offers the weights scheme '" + word.name +
                                 "'; did you mean '" + near.front() +
                                 "'? For a file of that name " + "write ./" + locator);
  return {};
}

// The scheme's own table of the config, or one with its defaults.
Value settings(DeclarationIndex& index, const Choice& choice, const std::string& locator) {
  if (choice.entry != nullptr) return *choice.entry;
  const Declaration* declaration = index.find("weights_scheme", choice.scheme, locator);
  if (const Param* param = first_required(declaration))
    throw Error(Exit::usage, locator + ": the weights scheme '" + choice.scheme +
                                 "' needs its parameter '" + param->name +
                                 "'; add weights_schemes = [{ name = \"" + choice.scheme + "\", " +
                                 param->name + " = … }] to the config");
  return config_of_defaults(choice.scheme, declaration);
}

// What a scheme says while it works.
struct Voice {
  Logger* log;
  DownloadProgress progress;
};

void say(void* self, std::uint32_t level, vissl_str text) {
  const Voice& voice = *static_cast<Voice*>(self);
  if (voice.log != nullptr && text.data != nullptr)
    voice.log->log(static_cast<LogLevel>(std::min(level, 3u)), without_secrets(view_of(text)));
}

void show_progress(void* self, std::uint64_t done, std::uint64_t total) {
  Voice& voice = *static_cast<Voice*>(self);
  if (voice.log == nullptr) return;
  if (const auto line = voice.progress.line(done, total, std::chrono::steady_clock::now()))
    voice.log->log(LogLevel::info, *line);
}

// Whether a scheme's text begins with the address itself, as people see it.
bool begins_with_address(std::string_view text, const std::string& locator) {
  std::string shown = without_secrets(locator);
  if (text.starts_with(shown)) return true;
  const std::size_t mark = shown.find("://"), user = shown.find("***@");
  if (mark == shown.npos || user == shown.npos) return false;
  shown.erase(mark + 3, user + 4 - (mark + 3));
  return text.starts_with(shown);
}

// One step; `checked` tells whether the scheme compared the content with the pin.
std::string resolve_once(Catalogue& catalogue, const Value& config, const std::string& locator,
                         const std::string& sha256, Logger* log, bool& checked) {
  const auto scheme = catalogue.create("weights_scheme", &config);
  Voice voice{log, DownloadProgress(without_secrets(locator))};
  vissl_weights_request request{};
  request.size = sizeof request;
  request.locator = {locator.data(), locator.size()};
  request.sha256 = {sha256.data(), sha256.size()};
  request.self = &voice;
  request.log = say;
  request.progress = show_progress;
  std::string place;
  const vissl_out out = text_sink(place);
  ErrorSink sink;
  const auto& table = scheme->as<vissl_weights_scheme_class>();
  const vissl_status status = table.resolve(scheme->self(), &request, &out, sink.get());
  sink.check(status, begins_with_address(without_secrets(sink.text()), locator) ? "" : locator);
  checked = (table.flags & VISSL_WEIGHTS_CHECKED) != 0;
  return place;
}

// A pin that no scheme has compared yet. `locator` has no fragment.
void check_content(const std::string& locator, const Located& located) {
  const std::string file =
      locator == located.path ? located.path + ": " : locator + ": " + located.path + " ";
  if (std::filesystem::is_directory(located.path))
    throw Error(Exit::usage, file +
                                 "is a folder, and #sha256= pins the content of a file; name the "
                                 "file that is meant");
  const std::string met = sha256_hex_of_file(located.path);
  if (met != located.sha256)
    throw Error(Exit::bad_data, file + "has sha256 " + met + ", not " + located.sha256 +
                                    " as pinned; get the right file, or correct the pin");
}

// Adds what the fragment of one step says to what is known.
void merge(const std::string& locator, const Fragment& fragment, Located& located) {
  if (!fragment.sha256.empty() && !located.sha256.empty() && fragment.sha256 != located.sha256)
    throw Error(Exit::usage, locator + ": is pinned to sha256 " + located.sha256 +
                                 ", but its weights scheme knows " + fragment.sha256 +
                                 "; remove or correct the pin");
  if (located.sha256.empty()) located.sha256 = fragment.sha256;
  if (located.keep.empty()) located.keep = fragment.keep;
}

// Eight digits: more likely the day of a training than the beginning of a hash.
bool is_date(std::string_view digits) {
  const auto lies = [digits](std::size_t at, std::string_view first, std::string_view last) {
    return digits.substr(at, 2) >= first && digits.substr(at, 2) <= last;
  };
  return digits.size() == 8 && digits.find_first_not_of("0123456789") == digits.npos &&
         lies(0, "20", "20") && lies(4, "01", "12") && lies(6, "01", "31");
}

// What a file's name says about its content: "1234abcd" of "net-1234abcd.pth", as fetched files are
// checked.
std::string hash_in_name(std::string_view place) {
  const std::string_view name = place.substr(place.rfind('/') + 1);
  const std::string_view stem = name.substr(0, name.find('.', name.find_last_of("-_") + 1));
  const std::string_view end = stem.substr(stem.find_last_of("-_") + 1);
  const bool is_hash = end.size() >= 8 && end.size() <= 64 && end.size() < stem.size() &&
                       end.find_first_not_of("0123456789abcdef") == end.npos;
  return std::string(is_hash && !is_date(end) ? end : "");
}

// Adds what one scheme knows; `prefix` stands before its names.
void add_known(Catalogue& catalogue, const Value& config, const std::string& prefix,
               std::vector<KnownWeights>& all) {
  const auto scheme = catalogue.create("weights_scheme", &config);
  const auto& table = scheme->as<vissl_weights_scheme_class>();
  const bool has_slot = table.size > offsetof(vissl_weights_scheme_class, names);
  if (!has_slot || table.names == nullptr) return;
  struct Names {
    const std::string& prefix;
    std::vector<KnownWeights> found;
  } names{prefix, {}};
  ErrorSink sink;
  sink.check(table.names(
                 scheme->self(), &names,
                 [](void* self, vissl_str name, vissl_str place) {
                   auto& [before, found] = *static_cast<Names*>(self);
                   const auto text = [](vissl_str s) { return std::string(s.data, s.size); };
                   found.push_back({before + text(name), text(place), ""});
                 },
                 sink.get()),
             name_of(config));
  for (KnownWeights& known : names.found) {
    known.sha256 = take_fragment(known.place).sha256;
    if (known.sha256.empty()) known.sha256 = hash_in_name(known.place);
    all.push_back(std::move(known));
  }
}

// locate(), whose errors may hold secrets.
Located follow(Catalogue& catalogue, DeclarationIndex& index, const Value* schemes,
               const std::string& locator, Logger* log) {
  Located located;
  located.origin = locator;
  std::string place = locator;
  bool checked = false;
  for (int step = 0; step < kMaxSteps; ++step) {
    merge(locator, take_fragment(place), located);
    const bool is_answer = step != 0 && place.starts_with('/');
    const Choice choice = is_answer ? Choice{} : choose(index, schemes, place);
    if (choice.scheme.empty() || choice.scheme == "file") {
      located.path = choice.scheme == "file" ? file_locator_path(place) : expand_home(place);
      if (step != 0 && !located.path.starts_with('/'))
        throw Error(Exit::run_failed, locator + ": its weights scheme answers '" + place +
                                          "', which is neither an absolute path nor a locator; "
                                          "report it to the plugin's author");
      if (step == 0) located.origin = located.path;
      if (!located.sha256.empty() && !checked) check_content(located.origin, located);
      return located;
    }
    // Instances are gone before the next step, so this table may go too.
    const Value config = settings(index, choice, place);
    located.origin = place;
    place = resolve_once(catalogue, config, place, located.sha256, log, checked);
  }
  throw Error(Exit::run_failed, locator + ": after " + std::to_string(kMaxSteps) +
                                    " weights schemes there is still no file, but '" + place +
                                    "'; do two schemes name each other?");
}

}  // namespace

std::vector<KnownWeights> known_weights(Catalogue& catalogue, DeclarationIndex& index,
                                        const Value* schemes, Logger* log) {
  std::vector<std::pair<std::string, Value>> asked;  // prefix and config
  const auto has_prefix = [&asked](const std::string& prefix) {
    return std::ranges::find(asked, prefix, &std::pair<std::string, Value>::first) != asked.end();
  };
  if (schemes != nullptr)
    for (const Value& entry : schemes->items()) {
      const std::string prefix = prefix_of(entry);
      asked.emplace_back(prefix.ends_with(':') ? prefix + "//" : prefix, entry);
    }
  const std::size_t entries = asked.size();
  for (const std::string& name : index.names("weights_scheme")) {
    const Declaration* declaration = index.find("weights_scheme", name, name);
    const bool needs =
        declaration != nullptr && std::ranges::any_of(declaration->params, [](const Param& param) {
          return param.has(VISSL_P_REQUIRED);
        });
    if (!needs && !has_prefix(name + "://"))
      asked.emplace_back(name + "://", settings(index, {name, nullptr}, name));
  }
  std::vector<KnownWeights> all;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& [prefix, config] = asked[i];
    try {
      add_known(catalogue, config, prefix, all);
    } catch (const Error& error) {
      // A store that nobody set up has no names to miss.
      if (error.code() == Exit::usage && i >= entries) continue;
      if (log != nullptr)
        log->log(LogLevel::warning, "the weights scheme '" + name_of(config) +
                                        "' cannot tell its names: " + error.what());
    }
  }
  std::ranges::sort(all, {}, &KnownWeights::locator);
  return all;
}

Located locate(Catalogue& catalogue, DeclarationIndex& index, const Value* schemes,
               const std::string& locator, Logger* log) {
  if (schemes != nullptr) check_prefixes(index, *schemes);
  try {
    Located located = follow(catalogue, index, schemes, locator, log);
    located.origin = without_secrets(located.origin);
    return located;
  } catch (const Error& error) {
    throw Error(error.code(), without_secrets(error.what()));
  }
}

}  // namespace vissl::host
