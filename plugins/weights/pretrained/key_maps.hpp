#pragma once
// Names of other systems' trunks in this project's names, which are VISSL's, without "trunk." and
// "_feature_blocks.": "layer1.0.conv1.weight", "blocks.0.attn.qkv.weight".
#include <string>
#include <vector>

namespace pretrained {

struct KeyMap {
  const char* name;  // for messages: "detectron2"
  // Empty for a name that is not of this system.
  std::string (*rename)(const std::string&);
};

// Names that are ours already: torchvision's and timm's ResNets, timm's vision transformers.
const KeyMap& same_names();
// same_names() first.
const std::vector<const KeyMap*>& all_key_maps();

}  // namespace pretrained
