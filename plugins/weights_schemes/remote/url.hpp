#pragma once
// Addresses of files: taking them apart, spelling them, and what may be shown of them.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace remote {

// In lower case, as schemes, hosts and names of headers are compared.
std::string lower(std::string_view text);

struct Url {
  std::string scheme;  // "http" or "https"
  std::string user;    // "name:password", without %XX; empty = none
  std::string host;    // lower case
  std::string port;    // empty = the scheme's own
  std::string path;    // begins with '/'
  std::string query;   // without '?'

  // Without the user and without a fragment.
  std::string text() const;
  // "host" or "host:port".
  std::string authority() const;
  // The last component of the path; empty when the path ends in '/'.
  std::string file_name() const;
};

// Bytes that no address may hold (spaces, letters beyond ASCII) become %XX; a fragment is dropped.
// Throws vissl::Failure(VISSL_E_CONFIG) for anything but http:// and https:// with a host.
Url parse_url(std::string_view text);

// `text` with every byte but A-Z a-z 0-9 - . _ ~ and '/' as %XX.
std::string percent_encode(std::string_view text);
std::string percent_decode(std::string_view text);

// The address for people, and for notes in the cache: without the user, and with "***" for the
// values of a query. Stores have too many names for their signatures and tokens to tell which are
// secret.
std::string shown(const Url& url);

bool same_server(const Url& a, const Url& b);

// The beginning of a SHA-256 that a file's name holds in torch.hub's way, "resnet50-0676ba61.pth";
// empty unless it has at least eight digits that are no date.
std::string hash_in_name(const std::string& file_name);

// A rule is {beginning, replacement}, or {regular expression that begins with '^', replacement with
// $1 …}. The first that fits is applied; the address itself when none does. Throws
// vissl::Failure(VISSL_E_CONFIG) for a bad expression.
using Mirrors = std::vector<std::pair<std::string, std::string>>;
std::string mirrored(const Mirrors& mirrors, const std::string& url);

}  // namespace remote
