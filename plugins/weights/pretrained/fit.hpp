#pragma once
// What is common to the systems that know names of a network instead of VISSL's "trunk." and
// "heads.": finding where the trunk and the classifier are, and deciding on every tensor.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "profile.hpp"

namespace pretrained {

struct Fit {
  Placement trunk;
  // The classifier's tensors by their name in the file: "fc.weight" -> "heads.0.clf.0.weight".
  std::map<std::string, std::string> heads;
  std::vector<std::string> no_heads;  // a classifier's names, when the model has no head
  std::vector<std::string> rivals;    // layers that could all be the classifier: none is taken
  // Instead of all of these: names of the file with the model's.
  std::unordered_map<std::string, std::string> pairs;
  bool reshapes = false;  // pairs may differ in shape

  // The model's name for a name of the file; empty = none.
  std::string target(const std::string& name) const;
  // The file's name for a name of the model, as the file would spell it.
  std::string spelled(const std::string& target) const;
};

// `trunk` with the classifier that the names have beside it. `wanted`: the user's names for it.
Fit with_heads(const Placement& trunk, const Names& names, const Targets& targets,
               const std::vector<std::string>& wanted);
// For a model without a trunk, such as a part that is one head: the names without the dotted
// beginning that all of them share.
Placement without_trunk(const Names& names);
// Detectron2's heuristics: a tensor of the model takes the longest name of the file that its own
// name ends with, after a dot. The names are read as the system's whose names then fit most. Fails
// when two tensors of the model take one.
Fit by_endings(const Names& names, const Targets& targets, const vissl::WeightsPlan& plan);
// timm's remap: the first tensor of the file to the model's first, and so on. Fails when two of
// another number of elements meet.
Fit by_position(const Names& names, const Targets& targets);

// The first convolution, where the model's has other input channels.
struct Stem {
  std::string name;  // of the layer, in the file's spelling
  std::int64_t from, to;
  bool dropped;  // otherwise converted
};

struct Fitted {
  std::vector<Mismatch> mismatches;     // left out
  std::vector<std::string> missing;     // of the model, in the file's spelling
  std::vector<std::string> unexpected;  // of the file
  std::vector<std::string> random;      // of the model, in its own spelling: what is left out or
                                        // missing, no counters
  // Of the missing ones: what belongs to a classifier or a stem that was left out.
  std::set<std::string> excused;
  std::optional<Stem> stem;  // that the model has with other input channels
};

// Plans every tensor of the model. Fails for a mismatch that settings.drop_shapes does not allow.
Fitted carry_out(const Fit& fit, const Names& names, const Settings& settings,
                 const Targets& targets, const vissl::WeightsPlan& plan, Recipes& recipes);
// What strict = true asks for where a system has no report of its own: fails for any tensor that
// stays as initialised and that nobody chose, save counters of batches.
void judge_strict(const Fitted& fitted);

}  // namespace pretrained
