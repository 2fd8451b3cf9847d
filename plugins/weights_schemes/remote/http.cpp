// The weights schemes "http" and "https": files of web servers, kept in a cache (README of the
// configs: weights_schemes). VISSL's params_file_cache in the checkpoint folder is replaced by that
// cache, which all runs share.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include "download.hpp"

namespace {

// "word:https://x" and "https://x" give "https://x".
std::string address_of(std::string_view locator) {
  const std::size_t mark = locator.find("://");
  const std::size_t colon = mark == std::string_view::npos ? mark : locator.rfind(':', mark - 1);
  return std::string(colon == std::string_view::npos ? locator : locator.substr(colon + 1));
}

class Http {
 public:
  static constexpr bool checks_content = true;

  static void params(vissl::Params& p) {
    remote::Settings::params(p);
    p.table(
        "headers", "{}",
        "Fields that are sent along, to the first server only: name = text, or \"env:NAME\" for "
        "the value of a variable.");
    p.string("bearer", "", "\"env:NAME\": the variable that holds a token to send along.");
  }
  explicit Http(const vissl::Config& c) : settings_(c) {
    const vissl::Config headers = c.table("headers");
    for (std::uint64_t i = 0; i < headers.size(); ++i) {
      std::string value = headers.at(i).string();
      if (value.compare(0, 4, "env:") == 0) value = remote::environment(value.c_str() + 4);
      headers_.push_back(headers.key(i) + ": " + value);
    }
    const std::string bearer = remote::secret(c, "bearer", "");
    if (!bearer.empty()) headers_.push_back("Authorization: Bearer " + bearer);
  }

  std::string resolve(const vissl::WeightsRequest& request) const {
    remote::Wanted wanted;
    wanted.url = remote::parse_url(address_of(request.locator()));
    wanted.credentials.user = wanted.url.user;
    wanted.credentials.headers = headers_;
    wanted.on_refusal =
        "give weights_schemes = [{ name = \"" + wanted.url.scheme + "\", bearer = \"env:NAME\" }]";
    return remote::fetch(settings_, wanted, request);
  }

 private:
  remote::Settings settings_;
  std::vector<std::string> headers_;
};

class Https : public Http {
 public:
  using Http::Http;
};

}  // namespace

VISSL_WEIGHTS_SCHEME(Http, "http", "Files of web servers, kept in a cache.")
VISSL_WEIGHTS_SCHEME(Https, "https", "Files of web servers over TLS, kept in a cache.")
VISSL_PLUGIN("org.vissl.remote", "1.0.0")
