#include "host/files/torch_script_names.hpp"

#include <algorithm>
#include <string_view>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

constexpr std::uint64_t kLargestText = std::uint64_t{16} << 20;
constexpr std::string_view kEnding = ".py";

// The strings of a list such as ["weight", "bias", ].
void add_quoted(std::string_view list, std::set<std::string>& names) {
  for (std::size_t at = list.find('"'); at != std::string_view::npos;) {
    const std::size_t end = list.find('"', at + 1);
    if (end == std::string_view::npos) return;
    names.emplace(list.substr(at + 1, end - at - 1));
    at = list.find('"', end + 1);
  }
}

// class Net(Module):
//   __parameters__ = ["weight", ]
//   __buffers__ = []
// Releases 1.4 and 1.5 do not list the buffers, nor tell them from other tensors.
void add_classes(std::string_view text, const std::string& module, ScriptNames& out) {
  std::string name;
  std::set<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    constexpr std::string_view kClass = "class ";
    if (line.starts_with(kClass)) {
      line.remove_prefix(kClass.size());
      name = line.substr(0, line.find_first_of("(:"));
      names.clear();
    }
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const bool is_last = line.starts_with("__buffers__ =");
    if (is_last || line.starts_with("__parameters__ =")) add_quoted(line, names);
    if (is_last && !name.empty()) out[module + "." + name] = names;
  }
}

}  // namespace

ScriptNames torch_script_names(const ZipReader& zip, const std::string& root) {
  ScriptNames names;
  const std::string folder = root + "code/";
  for (const ZipEntry& entry : zip.entries()) {
    if (!entry.name.starts_with(folder) || !entry.name.ends_with(kEnding)) continue;
    std::string module =
        entry.name.substr(folder.size(), entry.name.size() - folder.size() - kEnding.size());
    std::ranges::replace(module, '/', '.');
    try {
      const auto bytes = zip.contents(entry, kLargestText);
      add_classes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, module, names);
    } catch (const Error&) {
      // The tensors do not depend on the text: without it all of them count as state.
    }
  }
  return names;
}

}  // namespace vissl::host
