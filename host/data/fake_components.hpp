#pragma once
// For tests: a catalogue of small components, written as plugins write them, against the C tables.
#include <vissl/collator.h>
#include <vissl/sampler.h>
#include <vissl/transform.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/boundary.hpp"
#include "host/config/toml_read.hpp"
#include "host/data/batch.hpp"
#include "host/data/pixel/encode_png.hpp"
#include "host/data/sample.hpp"

namespace vissl::host::fake {

inline vissl_str str(const std::string& text) {
  return {text.data(), text.size()};
}

inline vissl_status fail(vissl_err* err, vissl_status status, const std::string& text) {
  if (err != nullptr) err->set(err, status, str(text));
  return status;
}

inline bool holds(const Value& list, std::int64_t number) {
  for (const Value& item : list.items()) {
    if (item.as_int() == number) return true;
  }
  return false;
}

template <class T>
vissl_status create(const vissl_value* config, void** instance, vissl_err*) {
  *instance = new T(*config);
  return VISSL_OK;
}
template <class T>
void destroy(void* instance) {
  delete static_cast<T*>(instance);
}

// Images of 4 x 3 pixels that hold their index. { length, unreadable = [], truncated = [], labels =
// true, encoded = false }
struct NumberSource {
  const Value& config;
  std::int64_t length = 0;
  std::vector<std::int64_t> labels;
  static inline std::atomic<int> readers{0};

  explicit NumberSource(const Value& table) : config(table) {}

  static NumberSource& of(void* self) { return *static_cast<NumberSource*>(self); }
  static vissl_status open(void* self, vissl_err* err) {
    NumberSource& source = of(self);
    source.length = source.config.find("length")->as_int();
    if (source.length < 0) return fail(err, VISSL_E_DATA, "no such folder: /numbers");
    for (std::int64_t i = 0; i < source.length; ++i) source.labels.push_back(i % 10);
    return VISSL_OK;
  }
  static std::int64_t count(void* self) { return of(self).length; }
  static vissl_status label(void* self, std::int64_t index, vissl_array* out, vissl_err*) {
    const Value* labels = of(self).config.find("labels");
    if (labels != nullptr && !labels->as_bool()) return VISSL_E_UNSUPPORTED;
    *out = {sizeof *out, VISSL_I64, 0, {}, &of(self).labels[static_cast<std::size_t>(index)]};
    return VISSL_OK;
  }
  static vissl_str path(void*, std::int64_t index) {
    static thread_local std::string text;
    text = "number_" + std::to_string(index) + ".png";
    return str(text);
  }
  static std::int64_t class_count(void*) { return 10; }
  static vissl_str class_name(void*, std::int64_t) { return {nullptr, 0}; }
  static vissl_status reader_create(void* self, void** reader, vissl_err*) {
    ++readers;
    *reader = self;
    return VISSL_OK;
  }
  static void reader_destroy(void*) { --readers; }
  static vissl_status read(void* self, std::int64_t index, vissl_image* image, vissl_err* err) {
    const Value& config = of(self).config;
    if (holds(*config.find("unreadable"), index)) return fail(err, VISSL_E_DATA, "cannot open it");
    pixel::Pixels pixels(4, 3, 3, static_cast<std::uint8_t>(index));
    const bool truncated = holds(*config.find("truncated"), index);
    if (!truncated && !config.find("encoded")->as_bool()) {
      return image_api().set_pixels(image, VISSL_LAYOUT_U8_HWC, 4, 3, 3, pixels.data(), err);
    }
    const std::vector<std::uint8_t> file = pixel::encode_png(pixels);
    return image_api().set_encoded(image, file.data(), truncated ? file.size() / 2 : file.size(), 0,
                                   err);
  }
  static constexpr vissl_data_source_class kTable = {sizeof(vissl_data_source_class),
                                                     create<NumberSource>,
                                                     destroy<NumberSource>,
                                                     open,
                                                     count,
                                                     label,
                                                     path,
                                                     class_count,
                                                     class_name,
                                                     reader_create,
                                                     reader_destroy,
                                                     read};
};

// Fills the image with draws of its stream.
struct NoiseTransform {
  explicit NoiseTransform(const Value&) {}
  static vissl_status apply(void*, vissl_image* image, vissl_rng* rng, vissl_err* err) {
    vissl_image_info info{};
    info.size = sizeof info;
    void* data = nullptr;
    if (image_api().info(image, &info, err) != VISSL_OK) return VISSL_E_FAILED;
    if (image_api().edit(image, VISSL_LAYOUT_U8_HWC, &data, err) != VISSL_OK) return VISSL_E_FAILED;
    auto* bytes = static_cast<std::uint8_t*>(data);
    for (std::int64_t i = 0; i < info.width * info.height * info.channels; ++i) {
      bytes[i] = static_cast<std::uint8_t>(bytes[i] + (vissl_rng_u32(rng) & 63));
    }
    return VISSL_OK;
  }
  static constexpr vissl_transform_class kTable = {sizeof(vissl_transform_class),
                                                   create<NoiseTransform>, destroy<NoiseTransform>,
                                                   apply, nullptr};
};

// Crops every image to 2 x 2 pixels; for an encoded one this asks for a window of its file.
struct SquareTransform {
  explicit SquareTransform(const Value&) {}
  static vissl_status apply(void*, vissl_image* image, vissl_rng*, vissl_err* err) {
    return image_api().crop(image, 1, 1, 2, 2, err);
  }
  static constexpr vissl_transform_class kTable = {sizeof(vissl_transform_class),
                                                   create<SquareTransform>,
                                                   destroy<SquareTransform>, apply, nullptr};
};

// Sets every byte to { value }.
struct SetTransform {
  std::int64_t value;
  explicit SetTransform(const Value& config) : value(config.find("value")->as_int()) {}
  static vissl_status apply(void* self, vissl_image* image, vissl_rng*, vissl_err* err) {
    const std::vector<std::uint8_t> table(
        256, static_cast<std::uint8_t>(static_cast<SetTransform*>(self)->value));
    return image_api().map_u8(image, table.data(), 1, err);
  }
  static constexpr vissl_transform_class kTable = {
      sizeof(vissl_transform_class), create<SetTransform>, destroy<SetTransform>, apply, nullptr};
};

// Two copies of every entry.
struct CopyTransform {
  explicit CopyTransform(const Value&) {}
  static vissl_status apply(void*, vissl_sample* sample, vissl_err* err) {
    const std::vector<std::uint64_t> times(sample_api().entry_count(sample, {"data", 4}), 2);
    return sample_api().repeat(sample, times.data(), times.size(), err);
  }
  static constexpr vissl_transform_class kTable = {
      sizeof(vissl_transform_class), create<CopyTransform>, destroy<CopyTransform>, nullptr, apply};
};

// Fails at the dataset position { at }; makes position { slow } late.
struct TroubleTransform {
  std::int64_t at, slow;
  explicit TroubleTransform(const Value& config)
      : at(config.find("at")->as_int()), slow(config.find("slow")->as_int()) {}
  static vissl_status apply(void* self, vissl_sample* sample, vissl_err* err) {
    const auto& transform = *static_cast<TroubleTransform*>(self);
    const std::int64_t index = sample_api().index(sample);
    if (index == transform.slow) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return index == transform.at ? fail(err, VISSL_E_FAILED, "trouble") : VISSL_OK;
  }
  static constexpr vissl_transform_class kTable = {sizeof(vissl_transform_class),
                                                   create<TroubleTransform>,
                                                   destroy<TroubleTransform>, nullptr, apply};
};

// Position-major rows: images as bytes, labels, data_valid, data_idx; `finish` adds one draw of the
// batch's stream.
struct StackCollator {
  explicit StackCollator(const Value&) {}
  static vissl_status layout(void*, vissl_sample* first, std::int64_t count, vissl_batch* batch,
                             vissl_err* err) {
    vissl_image_info info{};
    info.size = sizeof info;
    const auto views = static_cast<std::int64_t>(sample_api().entry_count(first, {"data", 4}));
    if (image_api().info(sample_api().image(first, {"data", 4}, 0), &info, err) != VISSL_OK) {
      return VISSL_E_FAILED;
    }
    const std::int64_t images[] = {views * count, info.height, info.width, info.channels};
    vissl_status status = batch_api().add(batch, {"data", 4}, VISSL_U8, 4, images, 0, err);
    for (const std::string key : {"label", "data_valid", "data_idx"}) {
      if (status == VISSL_OK)
        status = batch_api().add(batch, str(key), VISSL_I64, 1, images, 0, err);
    }
    return status;
  }
  static vissl_status place(void*, std::int64_t i, std::int64_t count, vissl_sample* sample,
                            vissl_batch* batch, vissl_err* err) {
    const std::uint64_t views = sample_api().entry_count(sample, {"data", 4});
    vissl_status status = VISSL_OK;
    for (std::uint64_t view = 0; view < views && status == VISSL_OK; ++view) {
      const std::int64_t row = static_cast<std::int64_t>(view) * count + i;
      status = batch_api().write_image(batch, {"data", 4}, 0, row,
                                       sample_api().image(sample, {"data", 4}, view), err);
      for (const std::string key : {"label", "data_valid", "data_idx"}) {
        vissl_array array{};
        if (status == VISSL_OK) status = sample_api().array(sample, str(key), view, &array, err);
        if (status == VISSL_OK) {
          status = batch_api().write_array(batch, str(key), 0, row, &array, err);
        }
      }
    }
    return status;
  }
  static vissl_status finish(void*, vissl_batch* batch, vissl_err* err) {
    vissl_rng rng;
    batch_api().rng(batch, &rng);
    const std::int64_t shape[] = {1};
    const vissl_status status = batch_api().add(batch, {"draw", 4}, VISSL_F64, 1, shape, 0, err);
    if (status != VISSL_OK) return status;
    const double draw = vissl_rng_uniform(&rng);
    const vissl_array array{sizeof array, VISSL_F64, 0, {}, &draw};
    return batch_api().write_array(batch, {"draw", 4}, 0, 0, &array, err);
  }
  static constexpr vissl_collator_class kTable = {sizeof(vissl_collator_class),
                                                  create<StackCollator>,
                                                  destroy<StackCollator>,
                                                  layout,
                                                  place,
                                                  finish};
};

// The batches that its config lists: { batches = [[0, 1], [2, 0]] }, or all in order.
struct ListSampler {
  const Value& config;
  std::vector<std::vector<std::int64_t>> batches;
  explicit ListSampler(const Value& table) : config(table) {}
  static vissl_status open(void* self, const vissl_sampler_open* args, vissl_err*) {
    auto& sampler = *static_cast<ListSampler*>(self);
    sampler.batches.clear();
    if (const Value* given = sampler.config.find("batches")) {
      for (const Value& batch : given->items()) {
        sampler.batches.emplace_back();
        for (const Value& index : batch.items()) sampler.batches.back().push_back(index.as_int());
      }
      return VISSL_OK;
    }
    for (std::int64_t i = 0; i < args->length; ++i) {
      if (i % args->batch_size == 0) sampler.batches.emplace_back();
      sampler.batches.back().push_back(i);
    }
    return VISSL_OK;
  }
  static std::int64_t batch_count(void* self) {
    return static_cast<std::int64_t>(static_cast<ListSampler*>(self)->batches.size());
  }
  static vissl_status batch(void* self, std::int64_t k, const std::int64_t** indices,
                            std::uint64_t* count, vissl_err*) {
    const auto& batch = static_cast<ListSampler*>(self)->batches[static_cast<std::size_t>(k)];
    *indices = batch.data();
    *count = batch.size();
    return VISSL_OK;
  }
  static constexpr vissl_sampler_class kTable = {sizeof(vissl_sampler_class),
                                                 create<ListSampler>,
                                                 destroy<ListSampler>,
                                                 open,
                                                 batch_count,
                                                 batch};
};

class FakeInstance final : public Instance {
 public:
  using Destroy = void (*)(void*);
  FakeInstance(const void* table, void* self, Destroy destroy, std::string kind, std::string name)
      : table_(table),
        self_(self),
        destroy_(destroy),
        kind_(std::move(kind)),
        name_(std::move(name)) {}
  ~FakeInstance() override { destroy_(self_); }
  const void* table() const override { return table_; }
  void* self() const override { return self_; }
  const void* extension(std::string_view) const override { return nullptr; }
  const std::string& kind() const override { return kind_; }
  const std::string& name() const override { return name_; }
  const std::string& plugin_id() const override { return name_; }
  const std::string& plugin_version() const override { return name_; }

 private:
  const void* table_;
  void* self_;
  Destroy destroy_;
  std::string kind_, name_;
};

class FakeCatalogue final : public Catalogue {
 public:
  FakeCatalogue() {
    add<vissl_data_source_class, NumberSource>("data_source", "numbers");
    add<vissl_transform_class, NoiseTransform>("transform", "noise");
    add<vissl_transform_class, SquareTransform>("transform", "square");
    add<vissl_transform_class, SetTransform>("transform", "set");
    add<vissl_transform_class, CopyTransform>("transform", "copy");
    add<vissl_transform_class, TroubleTransform>("transform", "trouble");
    add<vissl_collator_class, StackCollator>("collator", "stack");
    add<vissl_sampler_class, ListSampler>("sampler", "list");
  }
  std::unique_ptr<Instance> create(std::string_view kind, const vissl_value* config) override {
    const std::string name = config->find("name")->as_text();
    const auto found = makers_.find(std::string(kind) + "/" + name);
    if (found == makers_.end()) throw Error(Exit::usage, "no such component: " + name);
    return found->second(config);
  }

 private:
  template <class Class, class T>
  void add(const std::string& kind, const std::string& name) {
    makers_[kind + "/" + name] = [kind, name](const vissl_value* config) {
      void* self = nullptr;
      T::kTable.create(config, &self, nullptr);
      return std::make_unique<FakeInstance>(&T::kTable, self, T::kTable.destroy, kind, name);
    };
  }
  std::map<std::string, std::function<std::unique_ptr<Instance>(const vissl_value*)>> makers_;
};

class FakeLogger final : public Logger {
 public:
  std::vector<std::string> lines;
  void log(LogLevel, std::string_view text) override { lines.emplace_back(text); }
  void open_file(const std::string&, bool) override {}
  void progress(const Progress&) override {}
  void progress_done() override {}
};

// Counts what is allocated and not yet released.
class CountedMemory {
 public:
  Allocator allocator() {
    return {[this](std::size_t bytes) {
              ++allocations_;
              ++blocks_;
              return ::operator new (bytes, std::align_val_t{64});
            },
            [this](void* memory, std::size_t) {
              --blocks_;
              ::operator delete (memory, std::align_val_t{64});
            }};
  }
  int allocations() const { return allocations_; }
  int blocks() const { return blocks_; }

 private:
  std::atomic<int> allocations_{0};
  std::atomic<int> blocks_{0};
};

}  // namespace vissl::host::fake
