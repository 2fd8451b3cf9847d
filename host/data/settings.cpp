#include "host/data/settings.hpp"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace vissl::host {
namespace {

using Type = Value::Type;

[[noreturn]] void wrong(const Value& value, const std::string& key, const char* wanted) {
  throw Error(Exit::usage, value.origin().where() + ": '" + key + "' must be " + wanted + ", not " +
                               value.describe());
}

// A table of the config together with its path for messages.
class Table {
 public:
  Table(const Value* table, std::string path) : table_(table), path_(std::move(path)) {
    if (!table_->is_table()) wrong(*table_, path_, "a table");
  }

  const Value* find(std::string_view key) const {
    const Value* value = table_->find(key);
    return value == nullptr || value->is(Type::none) ? nullptr : value;
  }
  const Value& at(std::string_view key) const {
    const Value* value = find(key);
    if (value == nullptr) {
      throw Error(Exit::usage, table_->origin().where() + ": '" + key_path(key) + "' is missing");
    }
    return *value;
  }
  Table table(std::string_view key) const { return Table(&at(key), key_path(key)); }
  std::int64_t integer(std::string_view key, std::int64_t least) const {
    const Value& value = at(key);
    if (!value.is(Type::integer)) wrong(value, key_path(key), "an integer");
    if (value.as_int() < least) {
      throw Error(Exit::usage, value.origin().where() + ": '" + key_path(key) +
                                   "' must be at least " + std::to_string(least) + ", not " +
                                   std::to_string(value.as_int()));
    }
    return value.as_int();
  }
  bool boolean(std::string_view key) const {
    const Value& value = at(key);
    if (!value.is(Type::boolean)) wrong(value, key_path(key), "true or false");
    return value.as_bool();
  }
  const Value* component(std::string_view key) const {
    const Value& value = at(key);
    check_component(value, key_path(key));
    return &value;
  }
  std::vector<const Value*> components(std::string_view key) const {
    std::vector<const Value*> found;
    const Value* list = find(key);
    if (list == nullptr) return found;
    if (!list->is_list()) wrong(*list, key_path(key), "a list");
    for (const Value& item : list->items()) {
      check_component(item, key_path(key) + "[" + std::to_string(found.size()) + "]");
      found.push_back(&item);
    }
    return found;
  }
  std::string key_path(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

 private:
  static void check_component(const Value& value, const std::string& path) {
    const Value* name = value.find("name");
    if (name == nullptr || !name->is_text()) wrong(value, path, "a table with a 'name'");
  }

  const Value* table_;
  std::string path_;
};

LabelType read_label_type(const Table& split) {
  const Value& value = split.at("label_type");
  if (value.as_text() == "standard") return LabelType::standard;
  if (value.as_text() == "sample_index") return LabelType::sample_index;
  if (value.as_text() == "zero") return LabelType::zero;
  wrong(value, split.key_path("label_type"), "\"standard\", \"sample_index\" or \"zero\"");
}

DataLimit read_limit(const Table& split) {
  const Table table = split.table("data_limit");
  DataLimit limit;
  limit.count = table.integer("count", -1);
  limit.seed = static_cast<std::uint32_t>(table.integer("seed", 0));
  limit.is_balanced = table.boolean("is_balanced");
  limit.skip_num_samples = table.integer("skip_num_samples", 0);
  return limit;
}

int read_workers(const Table& data, int core_share) {
  const Value& value = data.at("num_workers");
  if (value.as_text() == "auto") return std::max(1, usable_cores() / core_share);
  if (!value.is(Type::integer) || value.as_int() < 0 || value.as_int() > 1024) {
    wrong(value, data.key_path("num_workers"), "\"auto\" or a number of threads from 0 to 1024");
  }
  return static_cast<int>(value.as_int());
}

}  // namespace

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  return std::max(1, count > 0 ? count : static_cast<int>(std::thread::hardware_concurrency()));
}

DataSettings read_data_settings(const Value& config, int core_share) {
  const Table root(&config, "");
  const Table data = root.table("data");
  const Value& fraction = data.at("max_invalid_fraction");
  if (!(fraction.as_number() >= 0.0 && fraction.as_number() <= 1.0)) {
    wrong(fraction, data.key_path("max_invalid_fraction"), "a number from 0 to 1");
  }
  return {static_cast<std::uint64_t>(root.integer("seed_value", 0)), read_workers(data, core_share),
          fraction.as_number()};
}

SplitSettings read_split_settings(const Value& config, std::string_view split) {
  const Table table = Table(&config, "").table("data").table(split);
  SplitSettings settings;
  settings.name = split;
  settings.data_sources = table.components("data_sources");
  if (settings.data_sources.empty()) {
    throw Error(Exit::usage, table.at("data_sources").origin().where() + ": '" +
                                 table.key_path("data_sources") + "' names no source of images");
  }
  settings.label_sources = table.components("label_sources");
  settings.transforms = table.components("transforms");
  settings.collator = table.component("collator");
  settings.sampler = table.component("sampler");
  settings.label_type = read_label_type(table);
  settings.batch_size = table.integer("batchsize_per_replica", 1);
  settings.gray_size = table.integer("default_gray_img_size", 1);
  settings.drop_last = table.boolean("drop_last");
  settings.queue_dataset = table.boolean("enable_queue_dataset");
  settings.limit = read_limit(table);
  return settings;
}

std::vector<std::string> split_names(const Value& config) {
  std::vector<std::string> names;
  const Value* data = config.find("data");
  if (data == nullptr) return names;
  for (const TableEntry& entry : data->entries()) {
    if (entry.value.find("data_sources") != nullptr) names.push_back(entry.key);
  }
  return names;
}

std::string component_text(const Value& component) {
  const Value* name = component.find("name");
  return (name == nullptr ? std::string("?") : name->as_text()) + " (" +
         component.origin().where() + ")";
}

}  // namespace vissl::host
