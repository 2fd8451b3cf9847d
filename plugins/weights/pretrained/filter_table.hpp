#pragma once
// What the filters share.
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "names.hpp"

namespace pretrained {

// The names while a filter changes them.
class Table {
 public:
  explicit Table(Names names) : names_(std::move(names)) { index(); }

  const Names& names() const { return names_; }
  // By its name; NULL when there is none.
  FormulaPtr find(const std::string& name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : names_[it->second].tensor;
  }
  // Under a new name, or in place of what has it.
  void put(const std::string& name, FormulaPtr tensor) {
    const auto [it, is_new] = by_name_.emplace(name, names_.size());
    Named named = {name, std::move(tensor), filter_, false};
    if (is_new)
      names_.push_back(std::move(named));
    else
      names_[it->second] = std::move(named);
  }
  // Other names for all.
  void replace(Names names) {
    names_ = std::move(names);
    index();
  }
  // Nobody misses the names for which `which` holds.
  template <class Which>
  void spare(const Which& which) {
    for (Named& named : names_) named.is_spare = named.is_spare || which(named);
  }
  // The filter whose work follows.
  void enter(const char* filter) { filter_ = filter; }
  const char* filter() const { return filter_; }
  Names take() { return std::move(names_); }

 private:
  void index() {
    by_name_.clear();
    for (std::size_t i = 0; i < names_.size(); ++i) by_name_.emplace(names_[i].name, i);
  }
  Names names_;
  std::unordered_map<std::string, std::size_t> by_name_;
  const char* filter_ = nullptr;
};

// `text` with `other` for its end.
inline std::string with_end(const std::string& text, std::string_view end,
                            const std::string& other) {
  return text.substr(0, text.size() - end.size()) + other;
}

constexpr const char* kJoined = "query, key and value joined";

// Along the first axis.
inline FormulaPtr joined_rows(const std::vector<FormulaPtr>& parts, std::string what) {
  std::vector<std::int64_t> shape = parts.front()->shape;
  shape[0] = 0;
  for (const FormulaPtr& part : parts) shape[0] += part->shape[0];
  return made(Formula::Kind::join, parts, std::move(shape), std::move(what));
}

// Google's vision transformers.
void filter_jax(Table& table, const Targets& targets);

}  // namespace pretrained
