#include "tables.hpp"

#include <vissl/error.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

namespace fs = std::filesystem;

namespace model_zoos {
namespace {

constexpr std::size_t kMostNear = 5;
constexpr std::size_t kMostListed = 12;  // a zoo with more is listed by a command

// Reads one object of strings, the only JSON that such tables are made of.
class ObjectOfStrings {
 public:
  ObjectOfStrings(std::string text, const std::string& path)
      : text_(std::move(text)), path_(path) {}

  std::vector<std::pair<std::string, std::string>> read() {
    std::vector<std::pair<std::string, std::string>> entries;
    take('{');
    if (peek() == '}') return entries;
    while (true) {
      std::string name = string();
      take(':');
      // Places that a zoo has given up are null.
      if (peek() == 'n') {
        at_ = std::min(at_ + 4, text_.size());
      } else {
        entries.emplace_back(std::move(name), string());
      }
      if (peek() == '}') return entries;
      take(',');
    }
  }

 private:
  char peek() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string::npos)
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void take(char wanted) {
    if (peek() != wanted)
      vissl::fail(VISSL_E_DATA, path_ + " is no table of names: at byte " + std::to_string(at_) +
                                    " there should be '" + wanted +
                                    "'; it must be a JSON object {\"name\": \"place\"}");
    ++at_;
  }
  std::string string() {
    take('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') ++at_;
      if (at_ < text_.size()) out += text_[at_++];
    }
    take('"');
    return out;
  }

  std::string text_;
  const std::string& path_;
  std::size_t at_ = 0;
};

// Insertions, deletions and replacements that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, replaced});
      diagonal = above;
    }
  }
  return row[b.size()];
}

using Entries = std::vector<std::pair<std::string, std::string>>;

// What `name` may have meant, the most likely first: few changed letters, or names that hold it.
std::vector<std::string> nearest(const Entries& entries, std::string_view name) {
  const std::size_t most = std::max<std::size_t>(2, name.size() / 2);
  std::vector<std::tuple<std::size_t, std::size_t, std::string>> scored;
  for (const auto& entry : entries) {
    const std::string& known = entry.first;
    std::size_t distance = edit_distance(name, known);
    const std::size_t at = name.size() > 1 ? known.find(name) : std::string::npos;
    if (at != std::string::npos) distance = std::min<std::size_t>(distance, at == 0 ? 1 : 2);
    if (distance <= most) scored.emplace_back(distance, known.size(), known);
  }
  std::sort(scored.begin(), scored.end());
  scored.resize(std::min(scored.size(), kMostNear));
  std::vector<std::string> names;
  for (const auto& one : scored) names.push_back(std::get<2>(one));
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

void Table::add(std::string name, std::string place) {
  for (auto& entry : entries_)
    if (entry.first == name) {
      entry.second = std::move(place);
      return;
    }
  entries_.emplace_back(std::move(name), std::move(place));
}

void Table::add(const Entry* entries, std::size_t count, const std::string& base) {
  entries_.reserve(entries_.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string place = entries[i].place;
    const bool whole = place.find("://") != std::string::npos;
    entries_.emplace_back(entries[i].name, whole ? place : base + place);
  }
}

void Table::add_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) vissl::fail(VISSL_E_DATA, "cannot read the table of names " + path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const fs::path folder = fs::absolute(path).parent_path();
  for (auto& [name, place] : ObjectOfStrings(std::move(text), path).read()) {
    const bool whole = place.find("://") != std::string::npos;
    add(name, whole ? place : (folder / place).lexically_normal().string());
  }
}

const std::string& Table::at(std::string_view name) const {
  for (const auto& entry : entries_)
    if (entry.first == name) return entry.second;
  const std::string count = std::to_string(entries_.size());
  std::string all = "'vissl-host show models \"" + scheme_ + "*\"' lists all " + count;
  if (entries_.size() <= kMostListed) {
    std::vector<std::string> names;
    for (const auto& entry : entries_) names.push_back(entry.first);
    std::sort(names.begin(), names.end());
    all = "there are: " + joined(names);
  }
  if (name.empty()) vissl::fail(VISSL_E_DATA, "it names no weights of " + zoo_ + "; " + all);
  const std::vector<std::string> near = nearest(entries_, name);
  vissl::fail(VISSL_E_DATA, zoo_ + " has no weights '" + std::string(name) + "'; " +
                                (near.empty() ? "" : "near: " + joined(near) + "; ") + all);
}

void Table::names(const vissl::WeightsNames& names, const char* fragment) const {
  for (const auto& [name, place] : entries_) names.add(name, place + fragment);
}

void declare_additions(vissl::Params& p) {
  p.table("models", "{}",
          "Further names: name = path or locator. They go before the built-in ones.");
  p.path("table", "",
         "JSON file of further names, {\"name\": \"place\"}; places are locators, or "
         "files relative to it.");
}

void add_additions(Table& table, const vissl::Config& c) {
  if (const std::string file = c.string("table"); !file.empty()) table.add_file(file);
  const vissl::Config models = c.table("models");
  for (std::uint64_t i = 0; i < models.size(); ++i) {
    const std::string place = models.at(i).string();
    const bool whole = place.find("://") != std::string::npos;
    table.add(models.key(i), whole ? place : fs::absolute(place).lexically_normal().string());
  }
}

}  // namespace model_zoos
