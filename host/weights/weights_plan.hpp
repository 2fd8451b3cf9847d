#pragma once
// What happens to each tensor of a model when weights are loaded, decided on names, element types
// and shapes before anything is written. [main]
#include <vissl/weights.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/files/error.hpp"
#include "host/files/node.hpp"

namespace vissl::host {

// A tensor of the file under its full dotted path; positions in lists are numbers.
struct WeightsSource {
  std::string name;
  const TensorRef* tensor;  // of the tree that tensors_of() was given
};
std::vector<WeightsSource> tensors_of(const Node& tree);

// Adds the names under which safetensors' save_model left out shared tensors: its metadata holds
// {name that was left out: name that is in the file}. What names no tensor is no alias.
void add_aliases(std::vector<WeightsSource>& sources,
                 const std::vector<std::pair<std::string, std::string>>& metadata);

// A tensor of the model: "trunk._feature_blocks.conv1.weight".
struct WeightsTarget {
  std::string name;
  DType dtype = DType::float32;
  std::vector<std::int64_t> shape;

  std::int64_t numel() const;
};

enum class WeightsFate {
  loaded,   // copied from sources[0]
  adapted,  // the profile makes it of `sources` by `recipe`
  skipped,  // stays as initialised, on purpose
  missing,  // stays as initialised, because nothing in the file is for it
};
const char* name_of(WeightsFate fate);

struct WeightsRow {
  WeightsFate fate = WeightsFate::missing;
  std::vector<std::uint64_t> sources;
  std::uint64_t recipe = 0;
  std::string what;  // why it is skipped, or how it is adapted
};

struct WeightsMessage {
  std::uint32_t level = 0;  // VISSL_LOG_…
  std::string line;
};

struct WeightsPlan {
  std::string file, format;
  std::vector<WeightsSource> sources;  // names as printable() shows them
  std::vector<WeightsTarget> targets;
  std::vector<WeightsRow> rows;      // of each target
  std::vector<bool> used;            // of each source
  std::vector<std::string> ignored;  // of each source: why it is left out, empty = not said
  std::vector<WeightsMessage> messages;
  std::optional<Error> refusal;  // of the profile, which may have planned only a part

  // Elements of the trunk's tensors that are loaded or adapted, as a part of those that are not
  // skipped by the user's wish; 1 without a trunk. Counters of batches do not count.
  double coverage() const;
  bool has_trunk() const;
  std::size_t count(WeightsFate fate) const;
};

// What a profile is told about a tensor; borrows `name`. Of a shape with more dimensions the first
// eight.
vissl_weights_entry entry_of(const std::string& name, DType dtype,
                             const std::vector<std::int64_t>& shape);

// Asks the profile, which is told the sources' names as printable() shows them, so that nothing it
// says of them can steer a terminal; a name that needs it is no tensor's of a model anyway. The
// profile's own error becomes the plan's `refusal`, so that what it found can be shown. Throws
// Error(usage) for a plan that cannot be carried out: two tensors for one target, a target that
// does not exist, another shape, an element type that no model has. `sources` must outlive the
// plan.
WeightsPlan plan_weights(std::string file, std::string format, std::vector<WeightsSource> sources,
                         std::vector<WeightsTarget> targets,
                         const vissl_weights_profile_class& profile, void* instance);

// The model after all plans, which are carried out one after the other: each tensor of `model` with
// the fate that it ends with, missing where no plan was asked for it, and no sources. Counters of
// batches are never missing.
WeightsPlan joined(const std::vector<const WeightsPlan*>& plans, std::vector<WeightsTarget> model);

struct WeightsGate {
  double min_coverage = 0.5;  // below it loading fails
  bool strict = false;        // all of the model must be found
  bool is_auto = false;       // every profile was tried: no advice to do that
  std::string table = "[model.weights_init]";
};
inline constexpr double kWarnCoverage = 0.95;

// Both throw Error(usage) that says what is missing and the likeliest remedy, or the profile's
// refusal. Of each file something must be for the model.
void judge_match(const WeightsPlan& plan, const WeightsGate& gate);
// All files together must have of the model what the gate asks for.
void judge(const WeightsPlan& whole, std::size_t files, const WeightsGate& gate);

}  // namespace vissl::host
