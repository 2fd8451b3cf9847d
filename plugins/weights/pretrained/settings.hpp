#pragma once
// The parameters of [model.weights_init], and the systems whose rules it can follow.
#include <vissl/plugin.hpp>

#include <optional>
#include <string>
#include <vector>

#include "regex.hpp"
#include "skip.hpp"

namespace pretrained {

enum class System {
  vissl,
  vissl_0_1_6,
  essmc2,
  timm,
  timm_classic,
  mmcv,
  vis4d,
  detectron2,
  autodetect
};

struct Settings {
  static void params(vissl::Params& p);
  explicit Settings(const vissl::Config& c);

  System system;
  std::string locator;  // of the file
  std::optional<std::string>
      key;  // "a.b." of state_dict_key_name, "" for the top; none: the system's
  std::vector<SkipEntry> skip;
  std::string remove, append;
  std::string sub_level;  // with its dot; empty: all
  std::vector<Rule> rules;
  bool has_rules;  // given by the user; otherwise the system's
  bool strict;
  std::optional<bool> use_ema;  // none: as the system does it
  bool drop_shapes,
      drop_dtypes;     // tensors of another shape, element type are left out, not refused
  bool refuse_shapes;  // by the user's wish, also where the profile leaves them out
  std::int64_t label_offset;
  std::vector<std::int64_t> label_rows;             // of the file's classifier; empty: all
  std::vector<std::string> filters;                 // of filter_names()
  bool heuristics;                                  // names are matched by their endings
  bool remap;                                       // by their positions
  std::vector<std::string> first_conv, classifier;  // names in the file; empty: the usual ones
  bool heads;                                       // load heads
  bool same_head_shapes;  // head tensors of another shape are an error (VISSL)
};

// The place "a.b." that state_dict_key_name means.
std::string place_of(const vissl::Config& key);

}  // namespace pretrained
