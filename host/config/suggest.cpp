#include "host/config/suggest.hpp"

#include <algorithm>
#include <cctype>

namespace vissl::host {
namespace {

// Names are compared without case and underscores.
std::string folded(std::string_view text) {
  std::string out(text);
  std::erase(out, '_');
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

// All letters of `part` appear in `whole` in order, starting with the same three.
bool abbreviates(std::string_view part, std::string_view whole) {
  if (part.size() < 4 || whole.size() <= part.size() || part.substr(0, 3) != whole.substr(0, 3))
    return false;
  std::size_t at = 0;
  for (const char c : whole)
    if (at < part.size() && part[at] == c) ++at;
  return at == part.size();
}

}  // namespace

std::vector<std::string> near_names(std::string_view met, const std::vector<std::string>& known) {
  const std::string wanted = folded(met);
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const std::string& name : known) {
    const std::string candidate = folded(name);
    const std::size_t distance = edit_distance(wanted, candidate);
    const std::size_t allowed =
        std::max<std::size_t>(1, std::min(wanted.size(), candidate.size()) / 3);
    if (distance <= allowed)
      scored.emplace_back(distance, name);
    else if (abbreviates(wanted, candidate) || abbreviates(candidate, wanted))
      scored.emplace_back(100 + distance, name);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> out;
  for (std::size_t i = 0; i < scored.size() && i < 3; ++i) out.push_back(scored[i].second);
  return out;
}

std::string suggestion(std::string_view met, const std::vector<std::string>& known,
                       std::size_t most_listed) {
  const std::vector<std::string> near = near_names(met, known);
  std::string out;
  if (!near.empty()) {
    for (std::size_t i = 0; i < near.size(); ++i)
      out += (i == 0 ? "'" : i + 1 == near.size() ? " or '" : ", '") + near[i] + "'";
    return "; did you mean " + out + "?";
  }
  if (known.empty() || known.size() > most_listed) return "";
  for (const std::string& name : known) out += (out.empty() ? "" : ", ") + name;
  return "; known: " + out;
}

}  // namespace vissl::host
