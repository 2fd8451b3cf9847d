// AWS Signature Version 4, the server's side.
#include <ctime>
#include <span>
#include <sstream>

#include "host/files/sha256.hpp"
#include "http_server.hpp"

namespace vissl::test {
namespace {

std::string sha256(const std::string& text) {
  return host::sha256_hex(std::as_bytes(std::span(text)));
}

std::string bytes_of(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

// HMAC (RFC 2104), as bytes.
std::string hmac(std::string key, const std::string& text) {
  if (key.size() > 64) key = bytes_of(sha256(key));
  key.resize(64, '\0');
  std::string inner = key, outer = key;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return bytes_of(sha256(outer + bytes_of(sha256(inner + text))));
}

std::string hex_of(const std::string& bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// "name=value" of "Credential=…, SignedHeaders=…, Signature=…".
std::string field(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 1;
  return text.substr(begin, text.find_first_of(", ", begin) - begin);
}

// The path of "/a/b" or, for a proxy, of "http://server/a/b".
std::string path_of(const std::string& target) {
  if (target.front() == '/') return target;
  return target.substr(target.find('/', target.find("://") + 3));
}

// As the rules want it: every byte but the unreserved ones and '/' as %XX, once.
std::string canonical(const std::string& path) {
  std::string plain, out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%') {
      plain += bytes_of(path.substr(i + 1, 2));
      i += 2;
    } else {
      plain += path[i];
    }
  }
  const std::string unreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  for (const char c : plain) {
    if (unreserved.find(c) != std::string::npos)
      out += c;
    else
      for (const char digit : "%" + hex_of(std::string(1, c)))
        out += static_cast<char>(std::toupper(digit));
  }
  return out;
}

}  // namespace

std::string signature_fault(const HttpRequest& request, const std::string& access_key,
                            const std::string& secret_key, const std::string& region) {
  const std::string authorization = request.header("authorization");
  if (authorization.compare(0, 17, "AWS4-HMAC-SHA256 ") != 0) return "it is not signed";
  const std::string time = request.header("x-amz-date"), day = time.substr(0, 8);
  const std::string scope = day + "/" + region + "/s3/aws4_request";
  if (field(authorization, "Credential") != access_key + "/" + scope)
    return "the credential is '" + field(authorization, "Credential") + "'";

  std::tm parts{};
  if (::strptime(time.c_str(), "%Y%m%dT%H%M%SZ", &parts) == nullptr) return "the time is " + time;
  if (std::abs(std::difftime(::timegm(&parts), std::time(nullptr))) > 900) return "it is too old";

  const std::string names = field(authorization, "SignedHeaders");
  std::string headers, name, last;
  std::istringstream list(names);
  bool has_host = false;
  while (std::getline(list, name, ';')) {
    if (!request.headers.contains(name)) return "the signed header " + name + " is missing";
    if (name <= last) return "the signed headers are not sorted";
    headers += name + ":" + request.header(name) + "\n";
    has_host = has_host || name == "host";
    last = name;
  }
  for (const auto& [sent, value] : request.headers)
    if (sent.compare(0, 6, "x-amz-") == 0 &&
        (";" + names + ";").find(";" + sent + ";") == names.npos)
      return "the header " + sent + " is not signed";
  if (!has_host) return "the host is not signed";
  const std::string payload = request.header("x-amz-content-sha256");
  if (payload != sha256("") && payload != "UNSIGNED-PAYLOAD")
    return "the payload is '" + payload + "'";

  const std::string whole = path_of(request.target);
  if (whole.find('?') != whole.npos) return "it has a query";
  const std::string asked =
      request.method + "\n" + canonical(whole) + "\n\n" + headers + "\n" + names + "\n" + payload;
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(asked);
  std::string key = "AWS4" + secret_key;
  for (const std::string& part : {day, region, std::string("s3"), std::string("aws4_request")})
    key = hmac(key, part);
  if (hex_of(hmac(key, to_sign)) != field(authorization, "Signature"))
    return "the signature is wrong for:\n" + asked;
  return "";
}

}  // namespace vissl::test
