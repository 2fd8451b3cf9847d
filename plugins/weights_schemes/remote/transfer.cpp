#include "transfer.hpp"

#include <curl/curl.h>
#include <vissl/error.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <initializer_list>
#include <memory>

namespace remote {
namespace {

constexpr int kMaxRedirects = 10;
constexpr long kTooSlow = 1000;  // bytes per second
constexpr std::size_t kErrorBody = 4096;
constexpr std::size_t kLongestTarget = 200;  // of a redirect that is not followed, in messages

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_file(long status) {
  return status == 200 || status == 206;
}

// One hop: what its callbacks see.
struct Hop {
  CURL* easy;
  Response* response;
  const Receiver* receiver;
  bool began = false;
  bool refused = false;  // the receiver gave the transfer up
  std::uint64_t received = 0;
};

// "bytes 100-199/1000", "bytes */1000".
void read_content_range(const std::string& value, Response& response) {
  const std::size_t slash = value.find('/');
  if (slash != std::string::npos)
    response.total = std::strtoull(value.c_str() + slash + 1, nullptr, 10);
  const std::size_t digit = value.find_first_of("0123456789*");
  if (digit != std::string::npos && value[digit] != '*')
    response.first = std::strtoull(value.c_str() + digit, nullptr, 10);
}

std::string sha256_of_etag(const std::string& etag) {
  std::string digits;
  for (const char c : etag)
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
  const bool only = digits.size() + 2 >= etag.size();  // no more than the quotes beside them
  return only && digits.size() == 64 ? lower(digits) : "";
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
  Response& response = *static_cast<Hop*>(self)->response;
  const std::string line(data, size * count);
  if (line.compare(0, 5, "HTTP/") == 0) {  // also of an answer 100 or of a proxy before this one
    response.status = std::strtol(line.c_str() + line.find(' '), nullptr, 10);
    response.etag.clear();
    response.last_modified.clear();
    response.total = response.first = 0;
    return line.size();
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return line.size();
  const std::string key = lower(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
  if (key == "etag") response.etag = value;
  if (key == "last-modified") response.last_modified = value;
  if (key == "content-type") response.content_type = value;
  if (key == "content-range") read_content_range(value, response);
  if (key == "content-length" && response.status == 200)
    response.total = std::strtoull(value.c_str(), nullptr, 10);
  if (key == "retry-after") response.retry_after_s = std::strtod(value.c_str(), nullptr);
  if (key == "x-amz-bucket-region") response.bucket_region = value;
  if (key == "x-linked-etag" && response.linked_sha256.empty())
    response.linked_sha256 = sha256_of_etag(value);
  return line.size();
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
  Hop& hop = *static_cast<Hop*>(self);
  const std::size_t bytes = size * count;
  if (!is_file(hop.response->status)) {
    std::string& text = hop.response->error_body;
    text.append(data, std::min(bytes, kErrorBody - std::min(kErrorBody, text.size())));
    return bytes;
  }
  if (!hop.began) {
    hop.began = true;
    hop.refused = !hop.receiver->begin(*hop.response);
  }
  hop.refused = hop.refused || !hop.receiver->write(data, bytes);
  hop.received += bytes;
  if (!hop.refused) hop.receiver->progress(hop.received);
  return hop.refused ? 0 : bytes;
}

// libcurl reads http_proxy in small letters only, because a web server hands a client's header
// "Proxy" to its programs as HTTP_PROXY; outside of one, the variable is the user's.
std::string proxy_in_capitals(const Url& url) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  const bool is_set = !variable("http_proxy").empty() || !variable("REQUEST_METHOD").empty();
  return url.scheme == "http" && !is_set ? variable("HTTP_PROXY") : "";
}

// libcurl leaves these variables to its command; a certificate of the user's own network is in one.
void trust_own_certificates(CURL* easy) {
  const auto give = [easy](CURLoption option, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const char* value = std::getenv(name);
      if (value == nullptr || *value == '\0') continue;
      curl_easy_setopt(easy, option, value);
      return;
    }
  };
  give(CURLOPT_CAINFO, {"CURL_CA_BUNDLE", "SSL_CERT_FILE"});
  give(CURLOPT_CAPATH, {"SSL_CERT_DIR"});
}

void set_headers(const Request& request, bool with_credentials,
                 std::unique_ptr<curl_slist, FreeList>& headers, CURL* easy) {
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) vissl::fail("out of memory");
    headers.release();
    headers.reset(longer);
  };
  if (with_credentials)
    for (const std::string& line : request.credentials.headers) add(line);
  if (!request.if_none_match.empty()) add("If-None-Match: " + request.if_none_match);
  if (request.from != 0) {
    if (!request.if_range.empty()) add("If-Range: " + request.if_range);
    curl_easy_setopt(easy, CURLOPT_RANGE, (std::to_string(request.from) + "-").c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
}

// Where a server sends its visitor. What is no address of the web is the server's fault, not that
// of the config which named the server.
Url redirect_target(const Url& from, const std::string& next) {
  try {
    Url to = parse_url(next);
    to.user.clear();
    return to;
  } catch (const vissl::Failure&) {
    std::string target = next.substr(0, std::min(next.find_first_of("?#"), kLongestTarget));
    const std::size_t server = target.find("://"), user = target.rfind('@');
    if (server != std::string::npos && user != std::string::npos && user > server)
      target.replace(server + 3, user - server - 3, "***");
    for (char& c : target)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    vissl::fail(VISSL_E_DATA, shown(from) + " is a redirect to '" + target +
                                  "', and only redirects to http:// and https:// are followed; ask "
                                  "who keeps that server, or give the file's own address");
  }
}

// The address that the hop leads to; empty when it is the last one.
std::string one_hop(const Request& request, const Url& url, bool with_credentials,
                    const Receiver& receiver, Response& response) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  if (started != CURLE_OK || easy == nullptr) vissl::fail("libcurl does not start");
  CURL* c = easy.get();
  char text[CURL_ERROR_SIZE] = "";
  Hop hop{c, &response, &receiver};
  const std::string address = url.text();
  curl_easy_setopt(c, CURLOPT_URL, address.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "vissl-host");
  curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeout_s * 1000));
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, kTooSlow);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(request.timeout_s)));
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &hop);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &hop);
  if (with_credentials && !request.credentials.user.empty()) {
    curl_easy_setopt(c, CURLOPT_USERPWD, request.credentials.user.c_str());
    if (!request.credentials.sigv4.empty())
      curl_easy_setopt(c, CURLOPT_AWS_SIGV4, request.credentials.sigv4.c_str());
  }
  if (const std::string proxy = proxy_in_capitals(url); !proxy.empty())
    curl_easy_setopt(c, CURLOPT_PROXY, proxy.c_str());
  trust_own_certificates(c);
  std::unique_ptr<curl_slist, FreeList> headers;
  set_headers(request, with_credentials, headers, c);

  const CURLcode code = curl_easy_perform(c);
  response.curl_code = code;
  response.curl_text = text[0] != '\0' ? text : curl_easy_strerror(code);
  response.url = url;
  if (code == CURLE_OK && is_file(response.status) && !hop.began)
    receiver.begin(response);  // an empty file
  const char* next = nullptr;
  if (code == CURLE_OK) curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &next);
  return next != nullptr ? next : "";
}

}  // namespace

Response transfer(const Request& request, const Receiver& receiver) {
  Response response;
  Url url = request.url;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    const bool with_credentials = same_server(url, request.url);
    const std::string next = one_hop(request, url, with_credentials, receiver, response);
    if (next.empty()) return response;
    const Url to = redirect_target(url, next);
    if (url.scheme == "https" && to.scheme == "http")
      vissl::fail(VISSL_E_DATA, shown(url) + " leads from https to " + shown(to) +
                                    ", which anybody on the way could change; use that address "
                                    "itself if you trust it");
    url = to;
    Response fresh;
    fresh.linked_sha256 = response.linked_sha256;
    response = fresh;
  }
  vissl::fail(VISSL_E_DATA, shown(request.url) + " leads from one address to the next more than " +
                                std::to_string(kMaxRedirects) + " times; check the address");
}

bool is_untrusted(const Response& response) {
  return response.curl_code == CURLE_PEER_FAILED_VERIFICATION ||
         response.curl_code == CURLE_SSL_CACERT_BADFILE;
}

bool is_transient(const Response& response) {
  if (response.curl_code == CURLE_OK)
    return response.status == 408 || response.status == 429 || response.status >= 500;
  switch (response.curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

}  // namespace remote
