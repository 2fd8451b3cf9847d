#include "content.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>

namespace remote {

std::string not_a_file(std::string_view begin) {
  constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/";
  if (begin.substr(0, kPointer.size()) == kPointer)
    return "answers with a pointer of Git LFS instead of the file; use the address of the file "
           "itself (…/resolve/… or …/media/…)";
  const std::size_t first = begin.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  std::string word(first == std::string_view::npos ? "" : begin.substr(first, 16));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* page : {"<!doctype html", "<html", "<head", "<?xml"})
    if (word.compare(0, std::string_view(page).size(), page) == 0)
      return "answers with a web page instead of a file (a login, or a proxy's notice?); open the "
             "address in a browser to see what it says";
  return "";
}

bool is_cut_archive(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char begin[4] = {};
  in.read(begin, sizeof begin);
  if (std::string_view(begin, 4) != "PK\x03\x04") return false;
  in.seekg(0, std::ios::end);
  const std::streamoff size = in.tellg();
  const std::streamoff tail = std::min<std::streamoff>(size, 65536 + 22);
  std::string end(static_cast<std::size_t>(tail), '\0');
  in.seekg(size - tail);
  in.read(end.data(), tail);
  return end.find("PK\x05\x06") == std::string::npos;
}

}  // namespace remote
