#include "host/cli/new_plugin.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "host/cli/embedded.hpp"
#include "host/config/suggest.hpp"
#include "host/files/error.hpp"
#include "host/plugin/kinds.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

constexpr std::size_t kMaxName = 60;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

void check_kind(std::string_view kind) {
  if (find_kind(kind) != nullptr) return;
  std::vector<std::string> known;
  for (const Kind& one : kinds()) known.emplace_back(one.name);
  std::string list;
  for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
  const std::vector<std::string> near = near_names(kind, known);
  throw Error(Exit::usage, "there is no kind '" + std::string(kind) + "'" +
                               (near.empty() ? "; the kinds are " + list
                                             : "; did you mean '" + near.front() + "'?"));
}

void check_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kMaxName &&
                    std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
                    std::all_of(name.begin(), name.end(), is_word);
  if (!good)
    throw Error(Exit::usage, "'" + name +
                                 "' cannot be a component's name: it begins with a letter and has "
                                 "letters, digits and underscores, at most " +
                                 std::to_string(kMaxName));
  constexpr std::array<std::string_view, 7> kTargets = {
      "all", "clean", "help", "install", "test", "package", "vissl_test_main"};
  if (std::find(kTargets.begin(), kTargets.end(), name) != kTargets.end())
    throw Error(Exit::usage,
                "'" + name + "' cannot be a component's name: CMake has a target of that name");
}

// my_loss -> MyLoss; a name that has capitals keeps them.
std::string type_name(const std::string& name) {
  std::string out;
  bool start = true;
  for (const char c : name) {
    if (c == '_') {
      start = true;
      continue;
    }
    out += start ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    start = false;
  }
  return out;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string_view template_text(const std::string& name) {
  for (const EmbeddedFile& file : embedded_files())
    if (file.name == "templates/" + name) return file.text;
  throw Error(Exit::run_failed,
              "this executable lacks the template '" + name + "'; build it again");
}

}  // namespace

std::vector<NewFile> new_plugin_files(std::string_view kind, const std::string& name) {
  check_kind(kind);
  check_name(name);
  const std::string of_kind(kind);
  std::vector<NewFile> files;
  const auto add = [&](const std::string& file, const std::string& from) {
    std::string text(template_text(from));
    text = replaced(std::move(text), "my_kind", kind);
    text = replaced(std::move(text), "my_component", name);
    files.push_back({file, replaced(std::move(text), "MyComponent", type_name(name))});
  };
  add(name + ".cpp", of_kind + ".cpp");
  add(name + "_test.cpp", of_kind + "_test.cpp");
  add("CMakeLists.txt", "CMakeLists.txt");
  add("README.md", "README.md");
  return files;
}

void write_new_files(const std::string& folder, const std::vector<NewFile>& files) {
  for (const NewFile& file : files)
    if (std::error_code ignored; fs::exists(fs::path(folder) / file.name, ignored))
      throw Error(Exit::usage, "'" + (fs::path(folder) / file.name).string() +
                                   "' exists already; name another folder with --output");
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    throw Error(Exit::run_failed, "cannot make the folder '" + folder + "': " + failed.message());
  for (const NewFile& file : files) {
    const fs::path path = fs::path(folder) / file.name;
    std::ofstream out(path);
    out << file.text;
    out.close();
    if (!out) throw Error(Exit::run_failed, "cannot write '" + path.string() + "'");
  }
}

}  // namespace vissl::host
