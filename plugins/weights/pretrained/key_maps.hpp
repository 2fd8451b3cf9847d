#pragma once
// Names of other systems' trunks and this project's, which are VISSL's, without "trunk." and
// "_feature_blocks.": "layer1.0.conv1.weight", "blocks.0.attn.qkv.weight". The maps are data, read
// in both directions.
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pretrained {

// "layer{s}.{b}.conv{k}.*": text, numbers by their letter, and maybe "*" for the rest of the name.
// "{s+1}" is written for a number s that is one less.
class NamePattern {
 public:
  using Numbers = std::map<char, int>;

  explicit NamePattern(const char* text);
  // Fills `numbers` and `rest` if the name is of this form.
  bool match(std::string_view name, Numbers& numbers, std::string& rest) const;
  std::string fill(const Numbers& numbers, const std::string& rest) const;

 private:
  struct Piece {
    std::string text;
    char letter = '\0';  // '\0' = text
    int more = 0;
  };
  std::vector<Piece> pieces_;
  bool has_rest_ = false;
};

struct NamePair {
  const char* theirs;
  const char* ours;
};

class KeyMap {
 public:
  // The first pair that fits decides, in either direction; a pair whose `ours` an earlier one has
  // too is an older spelling of the other system. No pairs at all: the names are ours already.
  KeyMap(const char* name, std::initializer_list<NamePair> pairs);

  const char* name() const { return name_; }  // for messages: "Detectron2's names"
  bool is_same() const { return pairs_.empty(); }
  // Our name; empty for a name that is not of this system.
  std::string rename(const std::string& theirs) const;
  // The other system's name; empty when it has none.
  std::string back(const std::string& ours) const;

 private:
  const char* name_;
  std::vector<std::pair<NamePattern, NamePattern>> pairs_;  // theirs, ours
};

// Names that are ours already: torchvision's and timm's ResNets, timm's vision transformers.
const KeyMap& same_names();
const KeyMap& lightly_names();
const KeyMap& detectron2_names();
const KeyMap& classy_names();  // of bottleneck ResNets
const KeyMap& caffe2_names();  // of bottleneck ResNets
const KeyMap& torchvision_regnet_names();
const KeyMap& timm_regnet_names();
const KeyMap& vissl_regnet_parts_names();  // to read only
const KeyMap& torchvision_vit_names();
const KeyMap& huggingface_vit_names();
const KeyMap& jax_vit_names();
const KeyMap& clip_vit_names();
const KeyMap& huggingface_clip_names();
const KeyMap& caffe2_alexnet_names();       // jigsaw, colorization
const KeyMap& deepcluster_alexnet_names();  // DeepCluster's
// Those that a model's trunk may have; same_names() first.
const std::vector<const KeyMap*>& all_key_maps();

}  // namespace pretrained
