#pragma once
// For tests of data sources, transforms and collators: the SDK's fake host with the real images,
// samples and batches of the data engine.
#include <vissl/collator.hpp>
#include <vissl/data_source.hpp>
#include <vissl/test.hpp>
#include <vissl/transform.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host/data/batch.hpp"
#include "host/data/memory.hpp"
#include "host/data/sample.hpp"

namespace vissl::test {

class DataHost : public Host {
 public:
  DataHost() {
    service(VISSL_IMAGE_ID, &host::image_api());
    service(VISSL_SAMPLE_ID, &host::sample_api());
    service(VISSL_BATCH_ID, &host::batch_api());
  }
  // Loads the file, and creates its component from TOML text.
  Instance make(const char* kind, const char* name, const std::string& toml = "") {
    load(std::string(VISSL_PLUGIN_DIR) + "/" + name + ".so");
    return component(kind, name).create(toml);
  }
};

// An opened data source and one reader.
class DataSource {
 public:
  explicit DataSource(Instance instance)
      : instance_(std::move(instance)),
        table_(instance_.table<vissl_data_source_class>(VISSL_DATA_SOURCE_ID)) {
    vissl::call(table_.open, self());
    if (table_.reader_create != nullptr) vissl::call(table_.reader_create, self(), &reader_);
  }
  DataSource(const DataSource&) = delete;
  DataSource& operator=(const DataSource&) = delete;
  ~DataSource() {
    if (reader_ != nullptr) table_.reader_destroy(reader_);
  }
  std::int64_t length() const { return table_.length(self()); }
  vissl_array label(std::int64_t i) const {
    vissl_array out = {};
    out.size = sizeof out;
    vissl::call(table_.label, self(), i, &out);
    return out;
  }
  std::string path(std::int64_t i) const { return std::string(view(table_.path(self(), i))); }
  std::int64_t class_count() const { return table_.class_count(self()); }
  std::string class_name(std::int64_t k) const {
    return std::string(view(table_.class_name(self(), k)));
  }
  // Throws Failure for an unreadable image.
  host::Image read(std::int64_t i) const {
    host::Image image;
    vissl::call(table_.read, reader_, i, host::handle(&image));
    return image;
  }

 private:
  void* self() const { return instance_.handle(); }
  Instance instance_;
  const vissl_data_source_class& table_;
  void* reader_ = nullptr;
};

// A batch of the samples, made as the engine makes it; `order` is the order in which rows are
// placed.
inline void collate(const Instance& collator, std::vector<host::Sample>& samples,
                    const std::vector<std::size_t>& order, host::BatchBuilder& batch) {
  const auto& table = collator.table<vissl_collator_class>(VISSL_COLLATOR_ID);
  const auto count = static_cast<std::int64_t>(samples.size());
  vissl::call(table.layout, collator.handle(), host::handle(&samples[0]), count,
              host::handle(&batch));
  for (const std::size_t i : order) {
    vissl::call(table.place, collator.handle(), static_cast<std::int64_t>(i), count,
                host::handle(&samples[i]), host::handle(&batch));
  }
  if (table.finish != nullptr) {
    vissl::call(table.finish, collator.handle(), host::handle(&batch));
  }
}

}  // namespace vissl::test
