#pragma once
// For tests: runs the data engine over the fake components.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/data/array.hpp"
#include "host/data/engine.hpp"
#include "host/data/fake_components.hpp"

namespace vissl::host::fake {

// A split with 4-sample batches over `length` samples, with noise on two copies.
struct Settings {
  std::string workers = "0";
  std::string source = "length = 18";
  std::string unreadable = "[]";
  std::string truncated = "[]";
  std::string encoded = "false";
  std::string transforms = R"({ name = "copy" }, { name = "noise" }, { name = "noise" })";
  std::string sampler = {};
  std::string split = {};  // more keys of [data.train]
  std::string invalid = "1.0";
  std::string label_type = "standard";
  std::string limit = "-1";
  std::string queue = "false";

  std::string toml() const {
    return "seed_value = 7\n[data]\nnum_workers = " + workers +
           "\nmax_invalid_fraction = " + invalid +
           "\n[data.train]\ndata_sources = [{ name = \"numbers\", " + "unreadable = " + unreadable +
           ", truncated = " + truncated + ", encoded = " + encoded + ", " + source +
           " }]\ntransforms = [" + transforms +
           "]\ncollator = { name = \"stack\" }\nsampler = { name = \"list\"" + sampler +
           " }\nlabel_type = \"" + label_type +
           "\"\nbatchsize_per_replica = 4\ndefault_gray_img_size = 3\ndrop_last = false\n"
           "enable_queue_dataset = " +
           queue + "\ndata_limit = { count = " + limit +
           ", seed = 0, is_balanced = false, skip_num_samples = 0 }\n" + split;
  }
};

class Run {
 public:
  explicit Run(const Settings& settings)
      : config(parse_toml(settings.toml(), "exp.toml")),
        engine(make_data_engine(&config, catalogue, log)) {}

  std::unique_ptr<Phase> open(PhaseSpec spec = {}) {
    spec.split = "train";
    spec.training = true;
    return engine->open(spec, memory.allocator());
  }

  // Each batch as text: its fields with all their bytes.
  std::vector<std::string> all(PhaseSpec spec = {}) {
    const std::unique_ptr<Phase> phase = open(spec);
    std::vector<std::string> batches;
    while (const std::shared_ptr<Batch> batch = phase->next()) batches.push_back(text(*batch));
    return batches;
  }

  static std::string text(const Batch& batch) {
    std::string text = std::to_string(batch.number) + ":";
    for (const BatchField& field : batch.fields) {
      for (const BatchElement& element : field.elements) {
        const auto ndim = static_cast<std::uint32_t>(element.shape.size());
        text += field.name + shape_text(element.shape.data(), ndim);
        text.append(static_cast<const char*>(element.data),
                    static_cast<std::size_t>(element_count(element.shape.data(), ndim)) *
                        dtype_bytes(element.dtype));
      }
    }
    return text;
  }

  FakeCatalogue catalogue;
  FakeLogger log;
  CountedMemory memory;
  Value config;
  std::unique_ptr<DataEngine> engine;
};

inline std::vector<std::int64_t> numbers(const Batch& batch, const char* field) {
  for (const BatchField& one : batch.fields) {
    if (one.name != field) continue;
    const auto* data = static_cast<const std::int64_t*>(one.elements[0].data);
    return {data, data + one.elements[0].shape[0]};
  }
  return {};
}

inline const std::uint8_t* images(const Batch& batch) {
  return static_cast<const std::uint8_t*>(batch.fields.at(0).elements.at(0).data);
}

// The text of the Error that `body` throws; empty when it throws none.
template <class Body>
std::string error_of(Body&& body, Exit code) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  return {};
}

}  // namespace vissl::host::fake
