#include "content.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <fstream>

namespace remote {
namespace {

constexpr std::size_t kLongestText = 64 * 1024;  // no server's notice is longer
constexpr std::string_view kBlank = " \t\r\n";

std::string_view visible(std::string_view text) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  return text.substr(std::min(text.find_first_not_of(kBlank), text.size()));
}

// Readers of weights know no format without control characters but a pickle of protocol 0.
bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\r' && c != '\n' && c != '\f') || byte == 0x7f;
  });
}

// "(dp0\n…." and "cnumpy\nndarray\n….": lines without blanks, and STOP as the last byte.
bool is_text_pickle(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  return !bytes.empty() && std::string_view("(cIFSV").find(bytes.front()) != bytes.npos &&
         line.size() < bytes.size() && line.find_first_of(" \t\r") == line.npos &&
         bytes.back() == '.';
}

bool ends_in(const std::string& name, std::string_view ending) {
  return name.size() > ending.size() &&
         name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

bool is_called_text(const std::string& name) {
  for (const char* ending : {".yaml", ".yml", ".toml", ".txt", ".csv", ".cfg", ".prototxt"})
    if (ends_in(name, ending)) return true;
  return false;
}

// `{"error": …`, which no index and no config begins with.
bool is_complaint(std::string_view json) {
  if (json.empty() || json.front() != '{') return false;
  const std::string_view key = visible(json.substr(1));
  for (const std::string_view word : {"\"error", "\"message\"", "\"detail\"", "\"code\""})
    if (key.substr(0, word.size()) == word) return true;
  return false;
}

}  // namespace

NotWeights not_a_file(std::string_view begin) {
  constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/";
  if (begin.substr(0, kPointer.size()) == kPointer)
    return {"a pointer of Git LFS",
            " instead of the file; use the address of the file itself (…/resolve/… or …/media/…)"};
  std::string word(visible(begin).substr(0, 16));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* page : {"<!doctype html", "<html", "<head", "<?xml", "<error"})
    if (word.compare(0, std::string_view(page).size(), page) == 0)
      return {"a web page",
              " instead of a file (a login, or a proxy's notice?); open the address in a browser "
              "to see what it says"};
  return {};
}

NotWeights not_weights(const std::string& path, const std::string& name) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(kLongestText + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  const std::string remedy =
      " instead of a file of weights; open the address in a browser to see what it says";
  if (bytes.empty()) return {"nothing", "; the file on the server is damaged"};
  if (const NotWeights page = not_a_file(bytes)) return page;
  if (bytes.find_first_not_of('\0') == bytes.npos)
    return {"nothing but zeros", "; the file on the server is damaged"};
  const std::string mark = bytes.substr(0, 2);
  if (mark == "\xFF\xFE" || mark == "\xFE\xFF") return {"text in UTF-16", remedy};
  const std::string_view text = visible(bytes);
  if (!is_text(bytes) || is_called_text(name) || is_text_pickle(bytes)) return {};
  const bool is_json = !text.empty() && (text.front() == '{' || text.front() == '[');
  if (is_json && ends_in(name, ".json") && !is_complaint(text)) return {};
  if (is_json) return {is_complaint(text) ? "an error in JSON" : "JSON", remedy};
  return bytes.size() > kLongestText ? NotWeights() : NotWeights{"text", remedy};
}

bool is_cut_archive(const std::string& path, const std::string& name) {
  std::ifstream in(path, std::ios::binary);
  unsigned char begin[8] = {};
  in.read(reinterpret_cast<char*>(begin), sizeof begin);
  in.clear();
  in.seekg(0, std::ios::end);
  const std::streamoff size = in.tellg();
  if (ends_in(name, ".safetensors")) {  // the length of a header, and the header
    std::uint64_t header = 0;
    for (int i = 7; i >= 0; --i) header = header << 8 | begin[i];
    return size < 8 || header > static_cast<std::uint64_t>(size - 8);
  }
  if (std::memcmp(begin, "PK\x03\x04", 4) != 0) return false;
  const std::streamoff tail = std::min<std::streamoff>(size, 65536 + 22);
  std::string end(static_cast<std::size_t>(tail), '\0');
  in.seekg(size - tail);
  in.read(end.data(), tail);
  return end.find("PK\x05\x06") == std::string::npos;
}

}  // namespace remote
