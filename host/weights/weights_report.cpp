#include "host/weights/weights_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <tuple>

#include "host/files/counted.hpp"

namespace vissl::host {

namespace {

constexpr std::size_t kNearest = 3;
constexpr std::size_t kMaxGroups = 12;
constexpr int kGroupParts = 3;

std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dot = name.find('.');
    parts.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    name.remove_prefix(dot + 1);
  }
}

// Equal parts from the end: names of one tensor in two systems differ mostly in front.
std::size_t common_tail(const std::vector<std::string_view>& a,
                        const std::vector<std::string_view>& b) {
  const auto end = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend());
  return static_cast<std::size_t>(end.first - a.rbegin());
}

// Unused tensors with the most name parts in common, those of the same shape first.
std::vector<std::string> nearest(const WeightsPlan& plan, const WeightsTarget& target) {
  using Candidate = std::tuple<bool, std::size_t, std::size_t>;  // same shape, common, -index
  std::vector<Candidate> candidates;
  const auto wanted = parts_of(target.name);
  for (std::size_t i = 0; i < plan.sources.size(); ++i) {
    if (plan.used[i]) continue;
    const std::size_t common = common_tail(wanted, parts_of(plan.sources[i].name));
    const bool same = plan.sources[i].tensor->shape == target.shape;
    if (common >= (same ? 1u : 2u)) candidates.emplace_back(same, common, plan.sources.size() - i);
  }
  const std::size_t most = std::min(kNearest, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(most),
                    candidates.end(), std::greater<>());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < most; ++i)
    names.push_back(plan.sources[plan.sources.size() - std::get<2>(candidates[i])].name);
  return names;
}

std::string group_of(std::string_view name) {
  std::size_t at = 0;
  for (int part = 0; part < kGroupParts; ++part) {
    const std::size_t dot = name.find('.', at);
    if (dot == std::string_view::npos) break;
    at = dot + 1;
  }
  return at == 0 ? std::string(name) : std::string(name.substr(0, at)) + "*";
}

struct Groups {
  std::map<std::string, std::pair<std::size_t, std::int64_t>> counts;  // tensors, elements

  void add(std::string_view name, std::int64_t elements) {
    auto& [tensors, sum] = counts[group_of(name)];
    ++tensors;
    sum += elements;
  }
  void write(std::ostringstream& out, const std::string& title) const {
    if (counts.empty()) return;
    out << title << '\n';
    std::size_t shown = 0;
    for (const auto& [name, count] : counts) {
      if (++shown > kMaxGroups) break;
      out << "  " << name << "  " << counted(count.first, "tensor") << ", "
          << counted(count.second, "element") << '\n';
    }
    if (counts.size() > kMaxGroups)
      out << "  and " << counted(counts.size() - kMaxGroups, "group") << " more\n";
  }
};

}  // namespace

std::string percent(double part) {
  std::ostringstream out;
  out.precision(4);
  // Rounded down: 100 % is all of it.
  out << std::floor(part * 10000) / 100 << " %";
  return out.str();
}

std::string first_names(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more"
                             : text;
}

std::string missing_names(const WeightsPlan& plan, std::size_t most) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < plan.rows.size(); ++i)
    if (plan.rows[i].fate == WeightsFate::missing) names.push_back(plan.targets[i].name);
  return first_names(names, most);
}

std::string summary_line(const WeightsPlan& plan, LoadStage stage, bool with_missing) {
  const std::size_t adapted = plan.count(WeightsFate::adapted);
  const std::size_t skipped = plan.count(WeightsFate::skipped);
  std::string text = (stage == LoadStage::loaded ? "loaded " : "would load ") +
                     std::to_string(plan.count(WeightsFate::loaded) + adapted) + " of " +
                     std::to_string(plan.targets.size()) + " tensors " +
                     (plan.has_trunk() ? "(" + percent(plan.coverage()) + " of the trunk) " : "") +
                     "from " + plan.file + " (" + plan.format + ")";
  if (adapted > 0) text += "; " + std::to_string(adapted) + " adapted";
  if (skipped > 0) text += "; " + std::to_string(skipped) + " left out on purpose";
  const std::string missing = with_missing ? missing_names(plan, 5) : "";
  if (!missing.empty()) text += "; as initialised: " + missing;
  std::size_t unused = 0;
  for (std::size_t i = 0; i < plan.used.size(); ++i)
    if (!plan.used[i] && plan.ignored[i].empty()) ++unused;
  if (unused > 0) text += "; " + counted(unused, "tensor") + " of the file unused";
  return text;
}

std::string text_report(const WeightsPlan& plan, LoadStage stage) {
  std::ostringstream out;
  Groups loaded, missing, unused;
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    const WeightsTarget& target = plan.targets[i];
    if (plan.rows[i].fate == WeightsFate::loaded) loaded.add(target.name, target.numel());
    if (plan.rows[i].fate == WeightsFate::missing) missing.add(target.name, target.numel());
  }
  for (std::size_t i = 0; i < plan.sources.size(); ++i)
    if (!plan.used[i] && plan.ignored[i].empty())
      unused.add(plan.sources[i].name, plan.sources[i].tensor->numel());
  loaded.write(out, stage == LoadStage::loaded ? "loaded:" : "in the file:");
  for (std::size_t i = 0; i < plan.rows.size(); ++i)
    if (plan.rows[i].fate == WeightsFate::adapted)
      out << "adapted: " << plan.targets[i].name << ": " << plan.rows[i].what << '\n';
  std::map<std::string, std::size_t> skipped;
  for (const WeightsRow& row : plan.rows)
    if (row.fate == WeightsFate::skipped) ++skipped[row.what];
  for (const auto& [why, count] : skipped)
    out << "left out: " << counted(count, "tensor") << ": " << why << '\n';
  missing.write(
      out, stage == LoadStage::refused ? "not in the file:" : "not in the file, as initialised:");
  unused.write(out, "in the file, unused:");
  return out.str();
}

std::string json_report(const WeightsPlan& plan) {
  using Json = nlohmann::ordered_json;
  Json report = {{"file", plan.file}, {"format", plan.format}, {"coverage", plan.coverage()}};
  for (const auto fate :
       {WeightsFate::loaded, WeightsFate::adapted, WeightsFate::skipped, WeightsFate::missing})
    report["counts"][name_of(fate)] = plan.count(fate);
  report["targets"] = Json::array();
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const WeightsTarget& target = plan.targets[i];
    const WeightsRow& row = plan.rows[i];
    Json item = {{"name", target.name},
                 {"shape", target.shape},
                 {"dtype", facts(target.dtype).name},
                 {"status", name_of(row.fate)}};
    for (const std::uint64_t source : row.sources)
      item["from"].push_back(plan.sources[source].name);
    if (!row.what.empty()) item["what"] = row.what;
    if (row.fate == WeightsFate::missing) item["nearest"] = nearest(plan, target);
    report["targets"].push_back(std::move(item));
  }
  report["unused"] = Json::array();
  for (std::size_t i = 0; i < plan.sources.size(); ++i) {
    if (plan.used[i]) continue;
    Json item = {{"name", plan.sources[i].name}, {"shape", plan.sources[i].tensor->shape}};
    if (!plan.ignored[i].empty()) item["reason"] = plan.ignored[i];
    report["unused"].push_back(std::move(item));
  }
  report["messages"] = Json::array();
  for (const WeightsMessage& message : plan.messages) report["messages"].push_back(message.line);
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vissl::host
