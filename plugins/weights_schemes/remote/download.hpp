#pragma once
// From an address to a checked file of the cache.
#include <vissl/weights_scheme.hpp>

#include <string>

#include "settings.hpp"
#include "transfer.hpp"

namespace remote {

struct Wanted {
  Url url;
  Credentials credentials;
  std::string on_refusal;  // what to do when the server answers 401 or 403
};

// A pin of the request is that of another file when `ignored`: of the index, not of its parts.
enum class Pin { checked, ignored };

// The path of the file: of this plugin's cache or of torch.hub's when it is there and its content
// is the right one, else downloaded. The content must agree with the request's pin, or else with
// the hash in the file's name. One process downloads, others wait for it. Throws vissl::Failure:
// VISSL_E_DATA for what is wrong with the address, the server or the content, VISSL_E_FAILED for a
// cache that cannot be written.
std::string fetch(const Settings& settings, const Wanted& wanted,
                  const vissl::WeightsRequest& request, Pin pin = Pin::checked);

// The same, but false when the server has no such file (404).
bool fetch_if_there(const Settings& settings, const Wanted& wanted,
                    const vissl::WeightsRequest& request, std::string& path);

// The same without the network; empty when no cache has the right file.
std::string find_cached(const Settings& settings, const Wanted& wanted,
                        const vissl::WeightsRequest& request);

}  // namespace remote
