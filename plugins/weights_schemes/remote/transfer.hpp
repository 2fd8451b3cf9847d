#pragma once
// One request and its redirects, without retries.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "url.hpp"

namespace remote {

// Sent to the first server alone: a redirect to another one goes without.
struct Credentials {
  std::string user;                  // "name:password" or "access key:secret key"
  std::string sigv4;                 // libcurl's "aws:amz:REGION:s3"; empty = plain user
  std::vector<std::string> headers;  // "Authorization: Bearer …"
};

struct Request {
  Url url;
  Credentials credentials;
  std::uint64_t from = 0;     // first byte that is wanted
  std::string if_range;       // validator of the bytes before `from`
  std::string if_none_match;  // ETag of what is cached
  double timeout_s = 30.0;
};

// What a server answered; the header fields are of the last hop but for those that say so.
struct Response {
  int curl_code = 0;        // 0 = the whole answer came
  std::string curl_text;    // of a failure
  long status = 0;          // HTTP; 0 = none
  std::uint64_t first = 0;  // position of the first byte, 206 only
  std::uint64_t total = 0;  // of the whole file; 0 = unknown
  std::string etag, last_modified, content_type, bucket_region;
  std::string linked_sha256;  // X-Linked-Etag of any hop: 64 hexadecimal digits, or empty
  double retry_after_s = 0.0;
  std::string error_body;  // the beginning of an answer that is no file
  Url url;                 // that answered
};

// Where the bytes of a 200 or 206 go. `begin` is called once before the first, with the headers;
// false from either gives the transfer up.
struct Receiver {
  std::function<bool(const Response& response)> begin;
  std::function<bool(const char* data, std::size_t bytes)> write;
  std::function<void(std::uint64_t bytes)> progress;  // of this answer, so far
};

// Follows at most ten redirects, to http and https alone and never from https to http. Proxies are
// taken from the environment as curl does, and so are authorities of certificates: CURL_CA_BUNDLE,
// SSL_CERT_FILE and SSL_CERT_DIR. Throws vissl::Failure(VISSL_E_DATA) for a redirect that
// is not followed.
Response transfer(const Request& request, const Receiver& receiver);

// Whether the server's certificate is the reason.
bool is_untrusted(const Response& response);

// Whether another attempt may help.
bool is_transient(const Response& response);

}  // namespace remote
