#pragma once
// Whose names vissl-host convert reads and writes.
#include <string>
#include <vector>

#include "key_maps.hpp"

namespace pretrained {

enum class Family { resnet, regnet, vit, alexnet };
const char* name_of(Family family);  // "a ResNet"

// Whether a name that a map made, or left as it is, is one that our trunk of this family has. Keeps
// "the same names" from taking any file for a ResNet.
bool is_trunk_name(Family family, const std::string& ours);

// One system's names of one family.
struct Spelling {
  const char* system;
  Family family;
  const KeyMap* map;
  const char* place;             // nested dicts of a written file, or ""
  const char* key_prefix;        // of every written key: "_feature_blocks."
  const char* head;              // the linear classifier's names begin so: "fc."; "" = it has none
  const char* head_place;        // beside the trunk: "heads."; "" = among the trunk's names
  const char* head_place_whole;  // of a written file, if head_place is set
  bool is_target;
  const char* marker = "";  // stands in the place of a file of these names, unless --from names it
  bool has_towers = false;  // Caffe2: jigsaw towers, "_w" and "_b", norms without statistics, BGR
  bool drops_counters = false;           // of batches
  bool needs_bottlenecks = false;        // knows no basic blocks
  bool has_matching_heuristics = false;  // Detectron2's file
};

// The earlier one wins when a file's names fit several as well.
const std::vector<Spelling>& spellings();

}  // namespace pretrained
