#include "host/files/locator_text.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_scheme(std::string_view word) {
  return word.size() >= 2 && is_letter(word.front()) &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.' || c == '_';
         });
}

std::string lower_text(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

// One "key=value" of a fragment; returns what is wrong with it.
std::string read_part(std::string_view part, Fragment& fragment) {
  const std::size_t equals = part.find('=');
  const std::string_view key = part.substr(0, equals);
  const std::string_view value = equals == part.npos ? "" : part.substr(equals + 1);
  if (key == "sha256") {
    if (value.size() != 64 ||
        !std::all_of(value.begin(), value.end(), [](char c) { return hex_value(c) >= 0; }))
      return "a sha256 has 64 hexadecimal digits, not '" + std::string(value) + "'";
    fragment.sha256 = lower_text(value);
    return "";
  }
  if (key == "keep") {
    if (value.empty()) return "keep= needs the beginning of the names that are kept";
    fragment.keep = value;
    return "";
  }
  return "'" + std::string(part) + "' is neither sha256=HEX nor keep=PREFIX";
}

// The part of `address` (what follows "://") that says who asks, with its '@'; empty without one. A
// password with an unescaped '/' or '?' goes beyond what RFC 3986 counts to it; a colon that no
// port follows tells.
std::string_view user_of(std::string_view address) {
  const std::string_view server = address.substr(0, address.find_first_of("/?#"));
  if (const std::size_t at = server.rfind('@'); at != server.npos) return server.substr(0, at + 1);
  const std::size_t colon = server.find(':');
  if (colon == server.npos || server.front() == '[') return {};
  const std::string_view port = server.substr(colon + 1);
  const bool is_port = !port.empty() && std::all_of(port.begin(), port.end(), is_digit);
  const std::size_t at = is_port ? address.npos : address.find('@');
  return at == address.npos ? std::string_view() : address.substr(0, at + 1);
}

// "a=***&b=***" for "a=1&b=2".
std::string hidden_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const std::size_t equals = part.find('=');
    out += (out.empty() ? "" : "&") +
           (equals == part.npos ? "***" : std::string(part.substr(0, equals)) + "=***");
  }
  return out;
}

// What follows "://" of one address.
std::string hidden(std::string_view address) {
  std::string out;
  if (const std::string_view user = user_of(address); !user.empty()) {
    const std::size_t colon = user.find(':');
    out = colon == user.npos ? "***@" : std::string(user.substr(0, colon)) + ":***@";
    address.remove_prefix(user.size());
  }
  const std::size_t question = address.find('?');
  if (question == address.npos) return out + std::string(address);
  std::string_view query = address.substr(question + 1);
  const std::size_t hash = query.find('#');
  const std::string_view fragment = hash == query.npos ? "" : query.substr(hash);
  query = query.substr(0, hash);
  // What a sentence writes behind an address.
  const std::size_t last =
      fragment.empty() ? query.find_last_not_of("'`:;,.)]}") + 1 : query.size();
  return out + std::string(address.substr(0, question + 1)) + hidden_query(query.substr(0, last)) +
         std::string(query.substr(last)) + std::string(fragment);
}

}  // namespace

Fragment take_fragment(std::string& locator) {
  Fragment fragment;
  const std::size_t hash = locator.rfind('#');
  if (hash == std::string::npos) return fragment;
  std::string_view rest = std::string_view(locator).substr(hash + 1);
  if (!rest.starts_with("sha256=") && !rest.starts_with("keep=")) return fragment;
  while (true) {
    const std::size_t end = rest.find('&');
    const std::string wrong = read_part(rest.substr(0, end), fragment);
    if (!wrong.empty()) throw Error(Exit::usage, locator + ": " + wrong);
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  locator.resize(hash);
  return fragment;
}

SchemeWord scheme_word(std::string_view locator) {
  const std::size_t mark = locator.find("://");
  if (mark == locator.npos) {
    const std::string_view word = locator.substr(0, locator.find(':'));
    if (word.size() == locator.size() || !is_scheme(word)) return {};
    return {std::string(word), false};
  }
  std::string_view word = locator.substr(0, mark);
  const std::size_t colon = word.rfind(':');
  if (colon != word.npos) {
    const std::string_view before = word.substr(0, colon);
    if (before.empty() || before.find_first_of(" \t\n/") != before.npos) return {};
    word.remove_prefix(colon + 1);
  }
  if (!is_scheme(word)) return {};
  return {lower_text(word), true};
}

std::optional<BranchName> name_below(const std::string& keep, const std::string& name) {
  for (const std::string& place : {std::string(), std::string("state_dict.")})
    if (name.starts_with(place + keep))
      return BranchName{place, name.substr(place.size() + keep.size())};
  return std::nullopt;
}

void throw_no_branch(const std::string& keep, const std::string& path) {
  throw Error(Exit::bad_data,
              path + ": no tensor's name begins with '" + keep +
                  "', the branch that its locator asks for; 'vissl-host inspect' lists "
                  "the names");
}

std::string file_locator_path(const std::string& locator) {
  std::string_view rest = std::string_view(locator).substr(locator.find(':') + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::string_view host = rest.substr(0, rest.find('/'));
    if (host != "" && host != "localhost" && host != "~")
      throw Error(Exit::usage, locator + ": names the host '" + std::string(host) +
                                   "', but files are on this machine; write file:///" +
                                   std::string(rest) + " or the path alone");
    if (host == "localhost") rest.remove_prefix(host.size());
  }
  std::string path;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const int high = rest[i] == '%' && i + 2 < rest.size() ? hex_value(rest[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(rest[i + 2]) : -1;
    if (low < 0) {
      path += rest[i];
      continue;
    }
    path += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return expand_home(path);
}

std::string without_secrets(std::string_view text) {
  constexpr std::string_view kMark = "://";
  std::string out;
  while (true) {
    const std::size_t mark = text.find(kMark);
    if (mark == text.npos) return out + std::string(text);
    std::size_t begin = mark;
    while (begin != 0 && is_letter(text[begin - 1])) --begin;
    const bool is_file = lower_text(text.substr(begin, mark - begin)) == "file";
    out += text.substr(0, mark + kMark.size());
    text.remove_prefix(mark + kMark.size());
    if (is_file) continue;
    std::string_view address = text.substr(0, text.find_first_of(" \t\r\n\""));
    // A query may hold another address, and is hidden with it.
    if (const std::size_t next = address.find(kMark); next < address.find('?'))
      address = address.substr(0, next);
    out += hidden(address);
    text.remove_prefix(address.size());
  }
}

std::string expand_home(const std::string& path) {
  if (path.empty() || path.front() != '~') return path;
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string user = path.substr(1, end - 1);
  if (user.empty())
    if (const char* home = std::getenv("HOME"); home != nullptr && home[0] != '\0')
      return home + path.substr(end);
  std::vector<char> memory(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (user.empty())
    ::getpwuid_r(::getuid(), &entry, memory.data(), memory.size(), &found);
  else
    ::getpwnam_r(user.c_str(), &entry, memory.data(), memory.size(), &found);
  return found == nullptr ? path : found->pw_dir + path.substr(end);
}

}  // namespace vissl::host
