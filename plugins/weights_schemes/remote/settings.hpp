#pragma once
// What every scheme of this plugin lets its users set.
#include <vissl/params.hpp>
#include <vissl/value.hpp>

#include <string>

#include "url.hpp"

namespace remote {

struct Settings {
  static void params(vissl::Params& p);
  explicit Settings(const vissl::Config& c);

  std::string cache_dir;  // absolute
  bool torch_hub = true;
  bool check_names = true;
  bool offline = false;
  int retries = 0;
  double backoff_s = 0.0;
  double timeout_s = 0.0;
  Mirrors mirrors;
};

// The value of a variable; empty when it is not set.
std::string environment(const char* name);

// $XDG_CACHE_HOME, or ~/.cache.
std::string user_cache();

// A secret of the config: "env:NAME" reads the variable, empty reads the variable `usual`. Throws
// vissl::Failure(VISSL_E_CONFIG) for a secret that stands in the config itself, which every run
// folder keeps, and for "env:NAME" whose variable is not set.
std::string secret(const vissl::Config& c, const char* key, const char* usual);

}  // namespace remote
