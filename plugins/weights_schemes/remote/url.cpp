#include "url.hpp"

#include <vissl/error.hpp>

#include <algorithm>
#include <cctype>
#include <regex>

namespace remote {
namespace {

void append_hex(std::string& out, char byte) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  out += '%';
  out += kHex[value >> 4];
  out += kHex[value & 15];
}

std::string without_forbidden(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c <= 0x20 || c == 0x7f || std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos)
      append_hex(out, c);
    else
      out += c;
  }
  return out;
}

// "20210208" is more likely the day of a training than the beginning of a hash.
bool is_date(const std::string& digits) {
  if (digits.size() != 8 || digits.find_first_not_of("0123456789") != std::string::npos)
    return false;
  const int year = std::stoi(digits.substr(0, 4)), month = std::stoi(digits.substr(4, 2)),
            day = std::stoi(digits.substr(6));
  return year >= 2000 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string Url::authority() const {
  return port.empty() ? host : host + ":" + port;
}

std::string Url::text() const {
  return scheme + "://" + authority() + path + (query.empty() ? "" : "?" + query);
}

std::string Url::file_name() const {
  return path.substr(path.rfind('/') + 1);
}

Url parse_url(std::string_view text) {
  Url url;
  const std::size_t mark = text.find("://");
  url.scheme = mark == std::string_view::npos ? "" : lower(text.substr(0, mark));
  if (url.scheme != "http" && url.scheme != "https")
    vissl::fail(VISSL_E_CONFIG, "'" + std::string(text) +
                                    "' is no address: it must begin with "
                                    "http:// or https://");
  std::string_view rest = text.substr(mark + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = rest.find_first_of("/?");
  std::string_view server = rest.substr(0, end);
  std::string_view path = end == std::string_view::npos ? "" : rest.substr(end);
  if (const std::size_t at = server.rfind('@'); at != std::string_view::npos) {
    url.user = percent_decode(server.substr(0, at));
    server.remove_prefix(at + 1);
  }
  // "[::1]:8080": the colon of a port follows the bracket.
  const std::size_t bracket = server.rfind(']');
  const std::size_t colon = server.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = lower(server.substr(0, colon));
  if (colon != std::string_view::npos) url.port = server.substr(colon + 1);
  const bool own_port = url.port == (url.scheme == "http" ? "80" : "443");
  if (own_port) url.port.clear();
  if (url.host.empty())
    vissl::fail(VISSL_E_CONFIG, "'" + std::string(text) + "' is no address: it names no server");
  const std::size_t question = path.find('?');
  url.path = without_forbidden(path.substr(0, question));
  if (url.path.empty()) url.path = "/";
  if (question != std::string_view::npos) url.query = without_forbidden(path.substr(question + 1));
  return url;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' ||
        c == '~' || c == '/')
      out += c;
    else
      append_hex(out, c);
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool coded = text[i] == '%' && i + 2 < text.size() &&
                       std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                       std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0;
    if (!coded) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

std::string shown(const Url& url) {
  std::string query;
  std::string_view rest = url.query;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t equals = part.find('=');
    query += query.empty() ? "" : "&";
    query +=
        equals == std::string_view::npos ? "***" : std::string(part.substr(0, equals)) + "=***";
  }
  Url plain = url;
  plain.query = query;
  return plain.text();
}

bool same_server(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

std::string hash_in_name(const std::string& file_name) {
  const std::size_t dash = file_name.rfind('-');
  const std::size_t dot = dash == std::string::npos ? dash : file_name.find('.', dash);
  if (dot == std::string::npos) return "";
  const std::string digits = file_name.substr(dash + 1, dot - dash - 1);
  const bool hex = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_date(digits)) return "";
  return hex && digits.size() >= 8 && digits.size() <= 64 ? digits : "";
}

std::string mirrored(const Mirrors& mirrors, const std::string& url) {
  for (const auto& [from, to] : mirrors) {
    if (from.empty() || from.front() != '^') {
      if (!from.empty() && url.compare(0, from.size(), from) == 0)
        return to + url.substr(from.size());
      continue;
    }
    try {
      const std::regex pattern(from);
      if (std::regex_search(url, pattern))
        return std::regex_replace(url, pattern, to, std::regex_constants::format_first_only);
    } catch (const std::regex_error& error) {
      vissl::fail(VISSL_E_CONFIG,
                  "'mirrors': '" + from + "' is no regular expression: " + error.what());
    }
  }
  return url;
}

}  // namespace remote
