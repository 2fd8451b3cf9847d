#pragma once
// One split: parallel data sources and label sources under one index, after data_limit. An item is
// what VISSL's dataset gives: the lists "data" (images), "data_valid" (1, or -1 for an image that
// could not be read), "data_idx" and "label".
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/data/sample.hpp"
#include "host/data/settings.hpp"

namespace vissl::host {

// An image that could not be read.
struct Unreadable {
  std::string path;
  std::string reason;
};

class Dataset {
 public:
  // Creates and opens the sources. Throws Error: bad_data for missing data, usage for sources of
  // different lengths and for labels that nobody gives. [main]
  Dataset(SplitSettings settings, Catalogue& catalogue);
  ~Dataset();

  const SplitSettings& settings() const { return settings_; }
  std::int64_t length() const { return length_; }  // after data_limit [any]
  // The first label of a sample, borrowed for the life of the dataset. [any]
  vissl_status label(std::int64_t index, vissl_array* out, vissl_err* err) const;
  std::string path(std::int64_t index) const;  // of source 0 [any]
  // The first label of every sample, or nothing when labels are not single integers. [any]
  const std::vector<std::int64_t>& class_labels() const { return class_labels_; }

  // Reads items for one worker; made, used and destroyed by that worker.
  class Reader {
   public:
    explicit Reader(const Dataset& dataset);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // Fills the empty sample with the item at sample.stream().index. What cannot be read becomes a
    // gray image. Encoded images are not decoded here; with `decode` they are, and those that fail
    // become gray too. `before`: dataset positions that may replace an unreadable image
    // (queue_dataset), the last is tried first.
    void read(Sample& sample, bool decode, std::span<const std::int64_t> before,
              std::vector<Unreadable>& unreadable);

   private:
    struct SourceReader {
      const vissl_data_source_class* table;
      void* self;
    };
    std::string try_read(std::size_t source, std::int64_t index, bool decode, Image& image);
    bool replace(std::size_t source, std::span<const std::int64_t> before, Image& image);

    const Dataset& dataset_;
    std::vector<SourceReader> readers_;
  };

 private:
  struct Source {
    const Value* config;
    std::shared_ptr<Instance> instance;
    std::string text() const { return component_text(*config); }
    const vissl_data_source_class& table() const { return instance->as<vissl_data_source_class>(); }
    void* self() const { return instance->self(); }
  };

  void open_sources(Catalogue& catalogue);
  void check_lengths() const;
  void check_labels() const;
  void read_class_labels(std::int64_t source_length);
  bool label_of(std::int64_t file_index, std::int64_t* out) const;
  std::int64_t file_index(std::int64_t index) const;
  std::string where() const { return "data." + settings_.name; }
  void add_labels(std::int64_t index, Sample& sample) const;

  SplitSettings settings_;
  std::vector<Source> data_;
  std::vector<Source> labels_;      // the sources that give labels; empty for sample_index and zero
  std::vector<std::int64_t> kept_;  // data_limit's positions; empty = all
  bool limited_ = false;
  std::int64_t length_ = 0;
  std::vector<std::int64_t> class_labels_;
};

}  // namespace vissl::host
