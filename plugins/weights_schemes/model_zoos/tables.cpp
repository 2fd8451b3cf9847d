#include "tables.hpp"

#include <vissl/error.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace fs = std::filesystem;

namespace model_zoos {
namespace {

constexpr std::size_t kMostNear = 8;

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

std::size_t common(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
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
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.push_back(entry.first);
  std::sort(names.begin(), names.end());
  std::string list;
  if (!name.empty() && names.size() > kMostNear) {
    std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
      return common(a, name) > common(b, name);
    });
    names.resize(kMostNear);
    std::sort(names.begin(), names.end());
  }
  for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
  if (name.empty())
    vissl::fail(VISSL_E_DATA, "it names no weights of " + zoo_ + "; there are: " + list);
  vissl::fail(VISSL_E_DATA,
              zoo_ + " has no weights '" + std::string(name) + "'; near: " + list +
                  (entries_.size() > kMostNear
                       ? "; " + scheme_ + " alone lists all " + std::to_string(entries_.size())
                       : ""));
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
