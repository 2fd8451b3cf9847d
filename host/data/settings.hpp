#pragma once
// What the data engine reads from the resolved config: `seed_value`, `[data]` and one
// `[data.<split>]`.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/value.hpp"
#include "host/data/limit.hpp"
#include "host/files/error.hpp"

namespace vissl::host {

enum class LabelType { standard, sample_index, zero };

struct SplitSettings {
  std::string name;  // "train"
  std::vector<const Value*> data_sources;
  std::vector<const Value*> label_sources;  // may be empty: then label_type decides
  std::vector<const Value*> transforms;
  const Value* collator;
  const Value* sampler;
  LabelType label_type;
  std::int64_t batch_size;  // per rank, before copies
  std::int64_t gray_size;   // side of the image that stands for an unreadable one, in pixels
  bool drop_last;
  bool queue_dataset;  // an unreadable image is replaced by one that was read shortly before
  DataLimit limit;
};

struct DataSettings {
  std::uint64_t seed;
  int workers;                  // threads; 0 = the consumer does the work
  double max_invalid_fraction;  // of the samples of a phase
};

// `config`: the whole tree, with defaults. `core_share`: processes that share the cores. Both throw
// Error(usage) that names the place for what is missing or wrong.
DataSettings read_data_settings(const Value& config, int core_share = 1);
SplitSettings read_split_settings(const Value& config, std::string_view split);

// Names of the splits: the tables below [data] that have data_sources.
std::vector<std::string> split_names(const Value& config);

// Cores that this process may run on.
int usable_cores();

// "disk_folder (exp.toml:12:5)": a component in a message.
std::string component_text(const Value& component);

}  // namespace vissl::host
