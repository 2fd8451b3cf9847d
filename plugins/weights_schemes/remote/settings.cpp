#include "settings.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace remote {
namespace {

std::string home() {
  const std::string home = environment("HOME");
  if (!home.empty()) return home;
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_dir : "/tmp";
}

Mirrors mirrors_of(const vissl::Config& c) {
  Mirrors mirrors;
  const vissl::Config table = c.table("mirrors");
  for (std::uint64_t i = 0; i < table.size(); ++i)
    mirrors.emplace_back(table.key(i), table.at(i).string());
  return mirrors;
}

}  // namespace

void Settings::params(vissl::Params& p) {
  p.path("cache_dir", "",
         "Folder that keeps downloaded files; $XDG_CACHE_HOME/vissl-host without it.");
  p.boolean("torch_hub", true,
            "Takes a file of torch.hub's cache when its content agrees with the pin, or with the "
            "hash in its name.");
  p.boolean("check_names", true,
            "Compares the content with the hash that a file's name holds, as in "
            "resnet50-0676ba61.pth.");
  p.boolean("offline", false,
            "Uses what is cached and never the network; VISSL_OFFLINE=1 does it for all schemes.");
  p.integer("retries", 4, vissl::between(0, 100),
            "Attempts after one that brought no byte further: refused or dying connections, HTTP "
            "408, 429 and 5xx.");
  p.number("backoff_s", 1.0, vissl::between(0.0, 60.0),
           "Seconds before the first retry, doubled for each further one up to 30.");
  p.number("timeout_s", 30.0, vissl::between(0.1, 3600.0),
           "Seconds to connect, and without a kilobyte, after which an attempt is given up.");
  p.table("mirrors", "{}",
          "Other places of files: a beginning of an address = what replaces it, or a regular "
          "expression that begins with ^ = the new address with $1 …; the first that fits.");
}

Settings::Settings(const vissl::Config& c)
    : cache_dir(c.string("cache_dir")),
      torch_hub(c.boolean("torch_hub")),
      check_names(c.boolean("check_names")),
      offline(c.boolean("offline") || environment("VISSL_OFFLINE") == "1"),
      retries(static_cast<int>(c.integer("retries"))),
      backoff_s(c.number("backoff_s")),
      timeout_s(c.number("timeout_s")),
      mirrors(mirrors_of(c)) {
  if (cache_dir.empty()) cache_dir = user_cache() + "/vissl-host";
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string user_cache() {
  const std::string cache = environment("XDG_CACHE_HOME");
  return cache.empty() ? home() + "/.cache" : cache;
}

std::string secret(const vissl::Config& c, const char* key, const char* usual) {
  const std::string given = c.string(key);
  if (given.empty()) return usual[0] == '\0' ? "" : environment(usual);
  if (given.compare(0, 4, "env:") != 0)
    vissl::fail(VISSL_E_CONFIG, "'" + std::string(key) +
                                    "' must be \"env:NAME\", the variable that holds it: a run "
                                    "folder keeps the config, and a secret is not to be in it");
  const std::string value = environment(given.c_str() + 4);
  if (value.empty())
    vissl::fail(VISSL_E_CONFIG, "'" + std::string(key) + "' names the variable '" +
                                    given.substr(4) + "', which is not set");
  return value;
}

}  // namespace remote
