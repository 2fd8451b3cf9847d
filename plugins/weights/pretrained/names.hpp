#pragma once
// Names of a file on their way to names of the model.
#include <vissl/weights.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formula.hpp"
#include "key_maps.hpp"
#include "settings.hpp"

namespace pretrained {

// A tensor of the file, or one that a filter makes of several.
struct Named {
  std::string name;  // as the rules left it
  FormulaPtr tensor;
  const char* filter = nullptr;  // that made it
  bool is_spare = false;         // nobody misses it: a filter knows what it is for

  bool is_made() const { return tensor->kind != Formula::Kind::file; }
  const std::vector<std::int64_t>& shape() const { return tensor->shape; }
};
using Names = std::vector<Named>;

// Dotted parts before a trunk's names that are looked through.
inline constexpr int kDeepestPrefix = 9;

bool starts_with(std::string_view text, std::string_view start);
bool ends_with(std::string_view text, std::string_view end);
std::int64_t numel(const std::vector<std::int64_t>& shape);
std::int64_t numel(const vissl::WeightsEntry& entry);
std::string joined(const std::vector<std::string>& names);  // "a, b"
// A counter of batches, which nobody misses: files of before they were written lack them.
bool is_counter(std::string_view name);
std::vector<std::string> without_counters(std::vector<std::string> names);
std::string torch_size(const std::vector<std::int64_t>& shape);  // "torch.Size([64, 3])"
// The same shape, or one element for a scalar, as torch's load_state_dict takes it.
bool fits(const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to);

// The tensors below `place` ("state_dict." or "" for all), named without it.
Names below(const vissl::WeightsPlan& plan, std::string_view place);
// Fails with the tops of the file's names when nothing is below `place`.
Names must_be_below(const vissl::WeightsPlan& plan, const std::string& place);

// The first of `wrappers` that the file has, as a place; "" when it has none.
std::string wrapper_of(const vissl::WeightsPlan& plan, const std::vector<std::string>& wrappers);

// How a file's names become the model's: `from` is cut off, `map` renames the rest, `to` is put
// before it.
struct Placement {
  std::string from;
  const KeyMap* map = nullptr;
  std::string to;
  std::int64_t elements = 0;  // of tensors that then have a partner of the same shape
  std::size_t tensors = 0;

  // The model's name; empty when the file's name does not begin with `from`.
  std::string target(const std::string& name) const;
};

class Targets {
 public:
  explicit Targets(const vissl::WeightsPlan& plan);  // which must live as long
  const vissl::WeightsEntry* find(const std::string& name) const;
  // Dotted beginnings that all of the trunk's names share: "trunk.", "trunk._feature_blocks.". None
  // when only heads are to be filled.
  const std::vector<std::string>& places() const { return places_; }
  // In the model's order.
  const std::vector<vissl::WeightsEntry>& all() const { return plan_.targets(); }
  bool has_ending(std::string_view end) const;
  std::int64_t trunk_elements() const { return trunk_elements_; }

 private:
  const vissl::WeightsPlan& plan_;
  std::unordered_map<std::string, const vissl::WeightsEntry*> by_name_;
  std::vector<std::string> places_;
  std::int64_t trunk_elements_ = 0;
};

// Which of the networks in a file is meant when several fit alike: the trained one before its
// average. A teacher beside a student is the other way round: it is what DINO and its followers
// publish and evaluate.
class Twins {
 public:
  // Every place ("student.module.") must be seen before the first question.
  void see(std::string_view place);
  bool is_lesser(std::string_view place) const;

 private:
  bool has_student_ = false;
};

struct Search {
  std::vector<const KeyMap*> maps;
  std::vector<std::string> places = {};  // in the model; empty: the targets'
  std::optional<bool> averages = {};     // wanted, or not; none: a teacher's before its
                                         // student's, of others the trained network's
  bool any_shape = false;                // names alone make partners
};
// All placements that give a partner to at least one tensor, best first.
std::vector<Placement> placements(const Names& names, const Targets& targets, const Search& search);
// "; 4 tensors below 'backbone.' fit the model", for a sub level that is not there; "" = none do.
std::string where_it_fits(const Names& names, const Targets& targets);
// When nothing fits although names match: "names match the model's, but no shape does: …" with the
// first such name and both shapes. Empty: few or no names match.
std::string shapes_alone(const Names& names, const Targets& targets);

}  // namespace pretrained
