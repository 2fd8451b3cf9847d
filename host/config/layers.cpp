#include "host/config/layers.hpp"

#include <algorithm>
#include <filesystem>

#include "host/config/path.hpp"
#include "host/config/toml_read.hpp"
#include "host/files/error.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

std::string identity(const std::string& file) {
  std::error_code failed;
  const fs::path full = fs::canonical(file, failed);
  return failed ? file : full.string();
}

class Loader {
 public:
  explicit Loader(std::vector<std::string>& notes) : notes_(notes) {}

  // `where`: the place that names the file, empty for the command line.
  Value load(const std::string& file, const std::string& where) {
    const std::string id = identity(file);
    const auto seen = std::find_if(open_.begin(), open_.end(),
                                   [&](const auto& entry) { return entry.first == id; });
    if (seen != open_.end()) {
      std::string circle;
      for (auto it = seen; it != open_.end(); ++it) circle += it->second + " -> ";
      throw Error(Exit::usage, where + ": extends makes a circle: " + circle + file);
    }
    Value own = read(file, where);
    open_.emplace_back(id, file);
    Value merged = Value::table(own.origin());
    if (const Value* extends = own.find("extends"))
      for (const Value* base : bases(*extends))
        merge_layer(
            merged,
            load((fs::path(file).parent_path() / base->as_text()).lexically_normal().string(),
                 base->origin().where()),
            "", notes_);
    own.erase("extends");
    merge_layer(merged, std::move(own), "", notes_);
    open_.pop_back();
    return merged;
  }

 private:
  static Value read(const std::string& file, const std::string& where) {
    try {
      return read_toml_file(file, file);
    } catch (const Error& error) {
      const std::string text = error.what();
      // A syntax error has its own place; a missing file has that of the line that names it.
      if (where.empty() || text.starts_with(file + ":")) throw;
      throw Error(Exit::usage, where + ": " + text);
    }
  }

  static std::vector<const Value*> bases(const Value& extends) {
    std::vector<const Value*> out;
    if (extends.is_text()) return {&extends};
    for (const Value& item : extends.items())
      if (item.is_text()) out.push_back(&item);
    if (!extends.is_list() || out.size() != extends.items().size())
      throw Error(Exit::usage, extends.origin().where() +
                                   ": 'extends' must be a file name or a list of file names, not " +
                                   extends.describe());
    return out;
  }

  std::vector<std::pair<std::string, std::string>>
      open_;  // identity and name of the files that are being read
  std::vector<std::string>& notes_;
};

}  // namespace

void merge_layer(Value& base, Value over, const std::string& path,
                 std::vector<std::string>& notes) {
  const Value* before = base.find("name");
  const Value* after = over.find("name");
  if (before != nullptr && after != nullptr && before->is_text() && after->is_text() &&
      before->as_text() != after->as_text()) {
    notes.push_back(path + ": '" + after->as_text() + "' (" + after->origin().where() +
                    ") replaces '" + before->as_text() + "' (" + before->origin().where() +
                    ") and all its parameters");
    base = std::move(over);
    return;
  }
  for (TableEntry& entry : over.entries()) {
    Value* mine = base.find(entry.key);
    if (mine != nullptr && mine->is_table() && entry.value.is_table()) {
      merge_layer(*mine, std::move(entry.value), join_path(path, entry.key), notes);
    } else {
      const Origin key_origin = entry.key_origin;
      base.set(entry.key, std::move(entry.value));
      for (TableEntry& set : base.entries())
        if (set.key == entry.key) set.key_origin = key_origin;
    }
  }
  if (!base.origin().by_user()) base.set_origin(over.origin());
}

Value load_layers(const std::vector<std::string>& files, std::vector<std::string>& notes) {
  Loader loader(notes);
  Value root = Value::table();
  for (const std::string& file : files) merge_layer(root, loader.load(file, ""), "", notes);
  return root;
}

}  // namespace vissl::host
