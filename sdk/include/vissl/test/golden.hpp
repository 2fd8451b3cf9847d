#pragma once
// Golden values from a text file, as the scripts in scripts/oracle write them:
//
//   # made by scripts/oracle/x.py
//   logits 2 3            a name and the shape
//   0.5 -1 2 1.5 0 -0.5   the values in row-major order, over any number of lines
//   loss
//   0.27383350
//
//   const test::Golden golden = test::golden(VISSL_SOURCE_DIR "/tests/golden/x.txt");
//   CHECK_CLOSE(loss({golden.tensor("logits")}), golden.values("loss"), 1e-6, 1e-5);
#include <vissl/test/tensors.hpp>

#include <fstream>
#include <sstream>

namespace vissl {
namespace test VISSL_HIDDEN {

class Golden {
 public:
  explicit Golden(std::istream& in) {
    std::string last;
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string word;
      if (!(words >> word) || word[0] == '#') continue;
      if (!is_number(word)) {
        last = word;
        Entry& entry = entries_[last];
        for (std::int64_t n = 0; words >> n;) entry.shape.push_back(n);
        continue;
      }
      if (last.empty()) fail("golden values come before their name");
      do {
        if (!is_number(word))
          fail("'" + word + "' among the values of '" + last + "' is no number");
        entries_[last].values.push_back(std::strtod(word.c_str(), nullptr));
      } while (words >> word);
    }
    for (const auto& [name, entry] : entries_) {
      if (count_of(entry.shape) != static_cast<std::int64_t>(entry.values.size())) {
        fail("golden '" + name + "' has " + std::to_string(entry.values.size()) +
             " values for the shape " + to_text(entry.shape));
      }
    }
  }
  bool has(const std::string& name) const { return entries_.count(name) != 0; }
  const Values& values(const std::string& name) const { return at(name).values; }
  const Shape& shape(const std::string& name) const { return at(name).shape; }
  Tensor tensor(const std::string& name, vissl_dtype dtype = VISSL_F32) const {
    return test::tensor(at(name).values, at(name).shape, dtype);
  }

 private:
  struct Entry {
    Shape shape;
    Values values;
  };
  static bool is_number(const std::string& word) {
    char* end = nullptr;
    std::strtod(word.c_str(), &end);
    return *end == '\0';
  }
  const Entry& at(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) fail("there are no golden values '" + name + "'");
    return found->second;
  }
  std::map<std::string, Entry> entries_;
};

inline Golden golden(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) fail(VISSL_E_DATA, "the golden file " + path + " is missing");
  return Golden(file);
}

}  // namespace test
}  // namespace vissl
