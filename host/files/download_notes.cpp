#include "host/files/download_notes.hpp"

#include <fstream>

#include "host/files/locator_text.hpp"
#include "host/files/printable.hpp"

namespace vissl::host {

std::string download_remedy(const std::filesystem::path& file) {
  constexpr std::size_t kMostNotes = 64 * 1024;
  std::ifstream in(file.string() + ".check", std::ios::binary);
  std::string notes(kMostNotes, '\0');
  in.read(notes.data(), static_cast<std::streamsize>(notes.size()));
  notes.resize(static_cast<std::size_t>(in.gcount()));
  constexpr std::string_view kKey = "url ";
  if (!notes.starts_with(kKey)) return "";
  const std::string address = notes.substr(kKey.size(), notes.find('\n') - kKey.size());
  if (address.empty()) return "";
  return "; it came from " + without_secrets(printable(address)) + ": delete " + file.string() +
         " to download it again";
}

}  // namespace vissl::host
