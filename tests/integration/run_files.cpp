#include "run_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "host/files/checkpoint_set.hpp"
#include "host/files/event_records.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "temp_folder.hpp"

namespace vissl::test {

namespace fs = std::filesystem;
using host::Node;

namespace {

void compare(const Node& a, const Node& b, const std::string& path, std::string& out) {
  if (a.kind() == Node::Kind::dict && b.kind() == Node::Kind::dict) {
    for (const auto& [key, value] : a.as_dict().entries()) {
      const std::string child = path + "." + host::to_text(key);
      // Lengths of log files hold times; the config names each run's own folder.
      if (child == ".vissl_host.files" || child == ".vissl_host.config_toml" ||
          child == ".vissl_host.train_seconds") {
        continue;
      }
      const Node* other = b.find(key);
      if (other == nullptr) {
        out += child + " is missing\n";
      } else {
        compare(value, *other, child, out);
      }
    }
    if (a.as_dict().size() != b.as_dict().size()) out += path + " has other keys\n";
  } else if (!host::same_values(a, b)) {
    out += path + " differs\n";
  }
}

void collect(const Node& node, const std::string& path,
             std::map<std::string, std::vector<double>>& out) {
  if (node.kind() == Node::Kind::dict) {
    for (const auto& [key, value] : node.as_dict().entries())
      collect(value, path + "." + host::to_text(key), out);
  } else if (node.kind() == Node::Kind::tensor && node.as_tensor().dtype == host::DType::float64) {
    const std::vector<std::byte> bytes = node.as_tensor().packed();
    std::vector<double>& values = out[path];
    values.resize(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::istringstream in(read_file(file));
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// stdout.json without what depends on time.
std::string timeless(const std::string& line) {
  auto json = nlohmann::ordered_json::parse(line);
  for (const char* key : {"btime(ms)", "eta", "peak_mem(M)"}) json.erase(key);
  return json.dump();
}

// Steps and payloads of the events whose tag does not begin with "Speed/"; the wall time is the
// first field and is left out.
std::vector<std::string> events_of(const fs::path& folder) {
  std::vector<std::string> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = read_file(entry.path());
    host::EventRecords records(std::as_bytes(std::span(file)));
    while (const auto record = records.next()) {
      if (record->is_header || record->event.find("Speed/") != std::string_view::npos) continue;
      constexpr std::size_t kWallTime = 9;  // tag byte and a double
      out.push_back(std::to_string(record->step) + ":" +
                    std::string(record->event.substr(kWallTime)));
    }
  }
  return out;
}

}  // namespace

fs::path final_checkpoint(const fs::path& folder) {
  const auto found = host::find_final_checkpoint(folder);
  if (!found) throw std::runtime_error(folder.string() + " has no final checkpoint");
  return *found;
}

std::string differences(const fs::path& a, const fs::path& b) {
  std::string out;
  compare(host::read_torch_zip(final_checkpoint(a)), host::read_torch_zip(final_checkpoint(b)), "",
          out);
  for (const char* name : {"metrics.json", "metrics.csv"}) {
    if (read_file(a / name) != read_file(b / name)) out += std::string(name) + " differs\n";
  }
  const auto steps_a = lines_of(a / "stdout.json"), steps_b = lines_of(b / "stdout.json");
  if (steps_a.size() != steps_b.size()) {
    out += "stdout.json has " + std::to_string(steps_a.size()) + " lines and " +
           std::to_string(steps_b.size()) + "\n";
  } else {
    for (std::size_t i = 0; i < steps_a.size(); ++i) {
      if (timeless(steps_a[i]) != timeless(steps_b[i])) {
        out += "stdout.json line " + std::to_string(i + 1) + " differs:\n  " + steps_a[i] + "\n  " +
               steps_b[i] + "\n";
        break;
      }
    }
  }
  if (events_of(a / "tb_logs") != events_of(b / "tb_logs")) out += "TensorBoard's values differ\n";
  return out;
}

std::map<std::string, std::vector<double>> doubles_of(const fs::path& run) {
  const Node tree = host::read_torch_zip(final_checkpoint(run));
  std::map<std::string, std::vector<double>> out;
  collect(tree.at("classy_state_dict").at("base_model"), "model", out);
  collect(tree.at("classy_state_dict").at("optimizer"), "optimizer", out);
  return out;
}

double largest_difference(const fs::path& a, const fs::path& b) {
  double largest = 0.0;
  const auto tensors_a = doubles_of(a), tensors_b = doubles_of(b);
  if (tensors_a.size() < 50) throw std::runtime_error(a.string() + " has few float64 tensors");
  if (tensors_a.size() != tensors_b.size()) throw std::runtime_error("the runs have other tensors");
  for (const auto& [name, values] : tensors_a) {
    const auto other = tensors_b.find(name);
    if (other == tensors_b.end() || other->second.size() != values.size())
      throw std::runtime_error(name + " is missing or has another size");
    for (std::size_t i = 0; i < values.size(); ++i)
      largest = std::max(
          largest, std::abs(values[i] - other->second[i]) / std::max(1.0, std::abs(values[i])));
  }
  return largest;
}

}  // namespace vissl::test
