// Transforms and collators, on the host's own images and batches.
#include <vissl/collator.h>
#include <vissl/transform.h>

#include <algorithm>
#include <cstring>

#include "host/data/batch.hpp"
#include "host/data/memory.hpp"
#include "host/data/sample.hpp"
#include "host/plugin/conformance/behaviour_checks.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;

// What a sample looks like when it comes to the component.
struct Form {
  bool floats;
  std::size_t views;
  int width = 48, height = 40;
};

pixel::Pixels picture(int width, int height, std::int64_t index) {
  pixel::Pixels pixels(width, height, 3);
  std::uint32_t x = static_cast<std::uint32_t>(index) * 7919u + 1u;
  for (std::size_t i = 0; i < pixels.size_bytes(); ++i) {
    x = x * 1664525u + 1013904223u;
    pixels.data()[i] = static_cast<std::uint8_t>((i * 5 + (x >> 28)) & 0xff);
  }
  return pixels;
}

void fill(Sample& sample, const Form& form, std::int64_t index) {
  sample.reset({11, 0, index, 0, 3});
  for (std::size_t view = 0; view < form.views; ++view) {
    Image& image = sample.add_image("data");
    image.set_pixels(
        picture(form.width, form.height, index * 10 + static_cast<std::int64_t>(view)));
    if (form.floats) image.to_tensor();
    sample.set_array("label", view, Array::scalar(index % 3));
    sample.set_array("data_valid", view, Array::scalar(1));
    sample.set_array("data_idx", view, Array::scalar(index));
  }
}

std::string content(Image& image) {
  const Image::Info info = image.info();
  std::string out = std::to_string(info.width) + "x" + std::to_string(info.height) + "x" +
                    std::to_string(info.channels) + (info.is_float ? "f" : "b");
  const auto count = static_cast<std::size_t>(info.width * info.height * info.channels);
  if (info.is_float)
    out.append(reinterpret_cast<const char*>(image.planes()), count * sizeof(float));
  else
    out.append(reinterpret_cast<const char*>(image.pixels().data()), count);
  return out;
}

std::string content(Sample& sample) {
  std::string out;
  for (const Sample::List& list : sample.lists()) {
    out += "[" + list.key;
    for (const Sample::Entry& entry : list.entries) {
      if (entry.image != nullptr) {
        out += content(*entry.image);
        continue;
      }
      const vissl_array array = entry.array.view();
      out.append(static_cast<const char*>(array.data),
                 dtype_bytes(array.dtype) *
                     static_cast<std::size_t>(element_count(array.shape, array.ndim)));
    }
  }
  return out;
}

vissl_status apply(const Made& transform, Sample& sample, ErrorSink& sink) {
  const auto& table = transform.as<vissl_transform_class>();
  if (table.apply_image == nullptr)
    return status_of("apply_sample", sink, [&](vissl_err* err) {
      return table.apply_sample(transform.self(), handle(&sample), err);
    });
  for (std::size_t view = 0; view < sample.entry_count("data"); ++view) {
    vissl_rng stream = sample.rng(view);
    const vissl_status status = status_of("apply_image", sink, [&](vissl_err* err) {
      return table.apply_image(transform.self(), handle(sample.image("data", view)), &stream, err);
    });
    if (status != VISSL_OK) return status;
  }
  return VISSL_OK;
}

// A config and a form of samples with which the transform works.
struct Setup {
  const Value* config;
  Form form;
};

Setup transform_setup(Subject& subject) {
  std::string text;
  for (const Value* config : subject.configs())
    for (const Form& form : {Form{false, 1}, Form{true, 1}, Form{false, 2}, Form{true, 2}}) {
      const Made transform = subject.create(*config);
      Sample sample;
      fill(sample, form, 5);
      ErrorSink sink;
      if (apply(transform, sample, sink) == VISSL_OK) return {config, form};
      text = sink.text();
    }
  judge_skipped("no image that the kit has suits it: " + text);
}

std::string transformed(const Made& transform, const Form& form, std::int64_t index) {
  Sample sample;
  fill(sample, form, index);
  ErrorSink sink;
  if (apply(transform, sample, sink) != VISSL_OK)
    judge_wrong("it fails for some images: " + sink.text());
  return content(sample);
}

// Memory that says which of its bytes were written.
class Pattern {
 public:
  explicit Pattern(char byte) : byte_(byte) {}
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern() {
    for (const Block& block : blocks_) plain_memory().release(block.data, block.bytes + kGuard);
  }
  Allocator allocator() {
    return {[this](std::size_t bytes) {
              void* data = plain_memory().allocate(bytes + kGuard);
              std::memset(data, byte_, bytes + kGuard);
              blocks_.push_back({static_cast<char*>(data), bytes});
              return data;
            },
            [](void*, std::size_t) {}};
  }
  // Bytes that no longer hold the pattern, as positions in all blocks one after the other; the
  // guards behind the blocks included.
  std::vector<std::size_t> written() const {
    std::vector<std::size_t> out;
    std::size_t base = 0;
    for (const Block& block : blocks_) {
      for (std::size_t i = 0; i < block.bytes + kGuard; ++i)
        if (block.data[i] != byte_) out.push_back(base + i);
      base += block.bytes + kGuard;
    }
    return out;
  }
  // Whether a position lies in an element of the batch.
  bool inside(std::size_t position, const Batch& batch) const {
    std::size_t base = 0;
    for (const Block& block : blocks_) {
      if (position < base + block.bytes + kGuard) {
        const char* at = block.data + (position - base);
        for (const BatchField& field : batch.fields)
          for (const BatchElement& element : field.elements) {
            const auto* start = static_cast<const char*>(element.data);
            const std::size_t bytes =
                dtype_bytes(element.dtype) *
                static_cast<std::size_t>(element_count(
                    element.shape.data(), static_cast<std::uint32_t>(element.shape.size())));
            if (at >= start && at < start + bytes) return true;
          }
        return false;
      }
      base += block.bytes + kGuard;
    }
    return false;
  }

 private:
  static constexpr std::size_t kGuard = 4096;
  struct Block {
    char* data;
    std::size_t bytes;
  };
  char byte_;
  std::vector<Block> blocks_;
};

constexpr std::int64_t kRows = 4;

// A batch of kRows samples in patterned memory.
struct Collation {
  Pattern memory;
  BatchBuilder batch;
  std::vector<Sample> samples;

  Collation(const Form& form, char pattern)
      : memory(pattern), batch(memory.allocator()), samples(kRows) {
    for (std::int64_t i = 0; i < kRows; ++i)
      fill(samples[static_cast<std::size_t>(i)], form, 20 + i);
    batch.reset({11, 0, 2});
  }
  vissl_status layout(const Made& collator, ErrorSink& sink) {
    return status_of("layout", sink, [&](vissl_err* err) {
      return collator.as<vissl_collator_class>().layout(collator.self(), handle(&samples[0]), kRows,
                                                        handle(&batch), err);
    });
  }
  vissl_status place(const Made& collator, std::int64_t i, ErrorSink& sink) {
    return status_of("place", sink, [&](vissl_err* err) {
      return collator.as<vissl_collator_class>().place(
          collator.self(), i, kRows, handle(&samples[static_cast<std::size_t>(i)]), handle(&batch),
          err);
    });
  }
  vissl_status finish(const Made& collator, ErrorSink& sink) {
    const auto& table = collator.as<vissl_collator_class>();
    if (table.finish == nullptr) return VISSL_OK;
    return status_of("finish", sink, [&](vissl_err* err) {
      return table.finish(collator.self(), handle(&batch), err);
    });
  }
  // All of it; false with the text in `sink`.
  bool run(const Made& collator, const std::vector<std::int64_t>& order, ErrorSink& sink) {
    if (layout(collator, sink) != VISSL_OK) return false;
    for (const std::int64_t i : order)
      if (place(collator, i, sink) != VISSL_OK) return false;
    return finish(collator, sink) == VISSL_OK;
  }
  std::string bytes() {
    std::string out;
    for (const BatchField& field : batch.batch().fields)
      for (const BatchElement& element : field.elements)
        out.append(
            static_cast<const char*>(element.data),
            dtype_bytes(element.dtype) *
                static_cast<std::size_t>(element_count(
                    element.shape.data(), static_cast<std::uint32_t>(element.shape.size()))));
    return out;
  }
};

const std::vector<std::int64_t> kForward = {0, 1, 2, 3}, kBackward = {3, 1, 0, 2};

Setup collator_setup(Subject& subject) {
  std::string text;
  for (const Value* config : subject.configs())
    for (const std::size_t views : {2, 1, 4, 8})
      for (const bool floats : {true, false}) {
        const Form form{floats, views, 6, 5};
        const Made collator = subject.create(*config);
        Collation collation(form, 0);
        ErrorSink sink;
        if (collation.run(collator, kForward, sink)) return {config, form};
        text = sink.text();
      }
  judge_skipped("no samples that the kit has suit it: " + text);
}

}  // namespace

Verdict check_transform_applies(Subject& subject) {
  const Setup setup = transform_setup(subject);
  return {Outcome::ok, std::string("on ") + (setup.form.floats ? "float" : "8-bit") + " images"};
}

Verdict check_transform_repeats(Subject& subject) {
  const Setup setup = transform_setup(subject);
  const Made transform = subject.create(*setup.config), other = subject.create(*setup.config);
  for (const std::int64_t index : {3, 4, 5, 6, 7, 8, 9}) {
    const std::string first = transformed(transform, setup.form, index);
    transformed(transform, setup.form, 40 + index);
    if (transformed(transform, setup.form, index) != first)
      return {kFail,
              "the same image at the same place of the random stream comes out differently "
              "the second time; draw from the given stream alone and keep no state"};
    if (transformed(other, setup.form, index) != first)
      return {kFail,
              "two instances treat the same image differently, so the result depends on the "
              "number of workers"};
  }
  return {};
}

Verdict check_transform_input(Subject& subject) {
  const Setup setup = transform_setup(subject);
  const Made transform = subject.create(*setup.config);
  for (const std::int64_t index : {3, 4, 5, 6, 7, 8}) {
    Sample sample;
    fill(sample, setup.form, index);
    Image shared = *sample.image("data", 0);  // a replicate of the first view
    const std::string before = content(shared);
    ErrorSink sink;
    apply(transform, sample, sink);
    if (content(shared) != before)
      return {kFail,
              "writes into the pixels that other views of the image share; ask for them with "
              "edit, pixels are read-only"};
  }
  return {};
}

Verdict check_transform_sizes(Subject& subject) {
  const Setup setup = transform_setup(subject);
  const Made transform = subject.create(*setup.config);
  std::size_t refused = 0;
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 300}, {300, 1}, {2, 3}}) {
    Form form = setup.form;
    form.width = width;
    form.height = height;
    Sample sample;
    fill(sample, form, 2);
    ErrorSink sink;
    refused += apply(transform, sample, sink) == VISSL_OK ? 0 : 1;
  }
  return {Outcome::ok,
          refused == 0 ? "" : "refuses " + std::to_string(refused) + " of 4 with a text"};
}

Verdict check_collator_rows(Subject& subject) {
  const Setup setup = collator_setup(subject);
  for (const char pattern : {'\x5a', '\xa5'}) {
    std::vector<std::vector<std::size_t>> rows;
    for (std::int64_t i = 0; i < kRows; ++i) {
      const Made collator = subject.create(*setup.config);
      Collation collation(setup.form, pattern);
      ErrorSink sink;
      if (collation.layout(collator, sink) != VISSL_OK ||
          collation.place(collator, i, sink) != VISSL_OK)
        return {kFail, "placing one sample alone fails: " + sink.text()};
      rows.push_back(collation.memory.written());
      for (const std::size_t position : rows.back())
        if (!collation.memory.inside(position, collation.batch.batch()))
          return {kFail, "place of sample " + std::to_string(i) +
                             " writes past the end of its field; keep to the rows of the sample"};
    }
    for (std::size_t a = 0; a < rows.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) {
        std::vector<std::size_t> both;
        std::set_intersection(rows[a].begin(), rows[a].end(), rows[b].begin(), rows[b].end(),
                              std::back_inserter(both));
        if (!both.empty())
          return {kFail, "place of samples " + std::to_string(b) + " and " + std::to_string(a) +
                             " write the same " + std::to_string(both.size()) +
                             " bytes, while two workers run them at once; each sample has rows of "
                             "its own"};
      }
  }
  return {};
}

Verdict check_collator_complete(Subject& subject) {
  const Setup setup = collator_setup(subject);
  const Made collator = subject.create(*setup.config);
  std::string results[2];
  for (int k = 0; k < 2; ++k) {
    Collation collation(setup.form, k == 0 ? '\x5a' : '\xa5');
    ErrorSink sink;
    if (!collation.run(collator, kForward, sink)) return {kFail, "it fails: " + sink.text()};
    results[k] = collation.bytes();
  }
  if (results[0].size() != results[1].size() || results[0].empty())
    return {kFail, "the same samples give batches of different sizes, or an empty batch"};
  if (results[0] != results[1])
    return {kFail,
            "leaves parts of the batch unset, or computes with what the memory held before; "
            "write every row that layout announces"};
  return {};
}

Verdict check_collator_order(Subject& subject) {
  const Setup setup = collator_setup(subject);
  const Made first = subject.create(*setup.config), second = subject.create(*setup.config);
  Collation a(setup.form, 0), b(setup.form, 0), c(setup.form, 0);
  ErrorSink sink;
  if (!a.run(first, kForward, sink) || !b.run(first, kBackward, sink) ||
      !c.run(second, kForward, sink))
    return {kFail, "it fails: " + sink.text()};
  if (a.bytes() != b.bytes())
    return {kFail, "the batch depends on the order in which workers finish their samples"};
  if (a.bytes() != c.bytes()) return {kFail, "two instances give different batches"};
  return {};
}

}  // namespace vissl::host
