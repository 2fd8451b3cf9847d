#pragma once
// The fake host's samples and batches ("vissl.sample/1", "vissl.batch/1").
#include <vissl/batch.hpp>
#include <vissl/test/images.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

// An array that owns its memory.
struct FakeArray {
  vissl_dtype dtype = VISSL_I64;
  std::vector<std::int64_t> shape;
  std::vector<double> values;
  mutable std::vector<std::uint64_t> memory;  // what a reader borrows, or a collator writes

  static std::size_t size_of(vissl_dtype dtype) {
    switch (dtype) {
      case VISSL_F64:
      case VISSL_I64:
        return 8;
      case VISSL_F32:
      case VISSL_I32:
        return 4;
      case VISSL_I16:
        return 2;
      default:
        return 1;
    }
  }
  static FakeArray copy(const vissl_array& from) {
    return {from.dtype, shape_of(from), to_vector<double>(from), {}};
  }
  template <class T>
  void write() const {
    memory.assign(values.size() * sizeof(T) / 8 + 1, 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T x = static_cast<T>(values[i]);
      std::memcpy(reinterpret_cast<char*>(memory.data()) + i * sizeof(T), &x, sizeof x);
    }
  }
  vissl_array view() const {
    switch (dtype) {
      case VISSL_F64:
        write<double>();
        break;
      case VISSL_I64:
        write<std::int64_t>();
        break;
      case VISSL_F32:
        write<float>();
        break;
      case VISSL_I32:
        write<std::int32_t>();
        break;
      case VISSL_I16:
        write<std::int16_t>();
        break;
      case VISSL_I8:
        write<std::int8_t>();
        break;
      default:
        write<std::uint8_t>();
    }
    vissl_array out = {};
    out.size = sizeof out;
    out.dtype = dtype;
    out.ndim = static_cast<std::uint32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), out.shape);
    out.data = memory.data();
    return out;
  }
};

// A sample as the test fills it: images under "data", arrays under the other keys.
class FakeSample {
 public:
  struct Entry {
    std::unique_ptr<FakeImage> image;
    FakeArray array;
  };
  std::vector<std::pair<std::string, std::vector<Entry>>> lists;
  std::uint64_t seed = 0;
  std::uint32_t phase = 0, position = 0;  // of the transform that runs
  std::int64_t index = 0;

  vissl_sample* handle() { return reinterpret_cast<vissl_sample*>(this); }
  static FakeSample& of(const vissl_sample* s) {
    return *const_cast<FakeSample*>(reinterpret_cast<const FakeSample*>(s));
  }
  std::vector<Entry>& list(std::string_view key) {
    for (auto& [name, entries] : lists) {
      if (name == key) return entries;
    }
    lists.emplace_back(std::string(key), std::vector<Entry>());
    return lists.back().second;
  }
  FakeImage& add(std::string_view key, FakeImage image) {
    list(key).push_back({std::make_unique<FakeImage>(std::move(image)), {}});
    return *list(key).back().image;
  }
  void add(std::string_view key, std::int64_t value) {
    list(key).push_back({nullptr, {VISSL_I64, {}, {static_cast<double>(value)}, {}}});
  }
  FakeImage& image(std::string_view key, std::size_t i) {
    if (i >= list(key).size() || list(key)[i].image == nullptr) fail("there is no such image");
    return *list(key)[i].image;
  }
  std::vector<double> values(std::string_view key, std::size_t i) {
    return list(key).at(i).array.values;
  }
  vissl_rng rng(std::uint64_t view) const {
    vissl_rng stream;
    vissl_rng_init_sample(&stream, seed, phase, static_cast<std::uint64_t>(index), 0,
                          static_cast<std::uint32_t>(view), position);
    return stream;
  }
};

inline const vissl_sample_api& sample_service() {
  static const vissl_sample_api api = {
      sizeof(vissl_sample_api),
      [](const vissl_sample* s) { return std::uint64_t{FakeSample::of(s).lists.size()}; },
      [](const vissl_sample* s, std::uint64_t i) {
        return str(FakeSample::of(s).lists.at(static_cast<std::size_t>(i)).first);
      },
      [](const vissl_sample* s, vissl_str key) {
        for (const auto& [name, entries] : FakeSample::of(s).lists) {
          if (name == view(key)) return std::uint64_t{entries.size()};
        }
        return std::uint64_t{0};
      },
      [](vissl_sample* s, vissl_str key, std::uint64_t i) -> vissl_image* {
        std::vector<FakeSample::Entry>& list = FakeSample::of(s).list(view(key));
        const auto at = static_cast<std::size_t>(i);
        return at < list.size() && list[at].image != nullptr ? list[at].image->handle() : nullptr;
      },
      [](const vissl_sample* s, vissl_str key, std::uint64_t i, vissl_array* out, vissl_err* err) {
        return guarded(err, [&] {
          std::vector<FakeSample::Entry>& list = FakeSample::of(s).list(view(key));
          if (i >= list.size() || list[static_cast<std::size_t>(i)].image != nullptr) {
            fail("entry " + std::to_string(i) + " of '" + std::string(view(key)) + "' is no array");
          }
          *out = list[static_cast<std::size_t>(i)].array.view();
        });
      },
      [](vissl_sample* s, vissl_str key, std::uint64_t i, const vissl_array* array,
         vissl_err* err) {
        return guarded(err, [&] {
          std::vector<FakeSample::Entry>& list = FakeSample::of(s).list(view(key));
          if (i > list.size())
            fail("'" + std::string(view(key)) + "' has no entry " + std::to_string(i));
          if (i == list.size()) list.emplace_back();
          list[static_cast<std::size_t>(i)] = {nullptr, FakeArray::copy(*array)};
        });
      },
      [](vissl_sample* s, vissl_str key, vissl_image** out, vissl_err* err) {
        return guarded(err, [&] { *out = FakeSample::of(s).add(view(key), FakeImage()).handle(); });
      },
      [](vissl_sample* s, const std::uint64_t* times, std::uint64_t count, vissl_err* err) {
        return guarded(err, [&] {
          for (auto& [name, entries] : FakeSample::of(s).lists) {
            if (entries.size() != count) {
              fail("'" + name + "' has " + std::to_string(entries.size()) + " entries, not " +
                   std::to_string(count));
            }
            std::vector<FakeSample::Entry> repeated;
            for (std::size_t i = 0; i < entries.size(); ++i) {
              for (std::uint64_t k = 0; k < times[i]; ++k) {
                const FakeImage* image = entries[i].image.get();
                repeated.push_back(
                    {image != nullptr ? std::make_unique<FakeImage>(*image) : nullptr,
                     entries[i].array});
              }
            }
            entries = std::move(repeated);
          }
        });
      },
      [](vissl_sample* s, vissl_str key, vissl_err* err) {
        return guarded(err, [&] {
          auto& lists = FakeSample::of(s).lists;
          lists.erase(std::remove_if(lists.begin(), lists.end(),
                                     [&](const auto& l) { return l.first == view(key); }),
                      lists.end());
        });
      },
      [](const vissl_sample* s, std::uint64_t view, vissl_rng* out) {
        *out = FakeSample::of(s).rng(view);
      },
      [](const vissl_sample* s) { return FakeSample::of(s).index; }};
  return api;
}

// A batch as the collator fills it; memory starts as NaN or -1, so that what was not written shows.
class FakeBatch {
 public:
  struct Element {
    FakeArray array;
    bool nested;
  };
  std::map<std::string, std::vector<Element>> fields;
  std::uint64_t seed = 0;

  vissl_batch* handle() { return reinterpret_cast<vissl_batch*>(this); }
  static FakeBatch& of(const vissl_batch* b) {
    return *const_cast<FakeBatch*>(reinterpret_cast<const FakeBatch*>(b));
  }
  FakeArray& array(std::string_view name, std::uint64_t element) {
    const auto found = fields.find(std::string(name));
    if (found == fields.end() || element >= found->second.size()) {
      fail("the batch has no element " + std::to_string(element) + " of '" + std::string(name) +
           "'");
    }
    return found->second[static_cast<std::size_t>(element)].array;
  }
  // The values as they are now, row-major; also those that a collator wrote through the pointer.
  std::vector<double> values(std::string_view name, std::uint64_t element = 0) {
    return to_vector<double>(current(name, element));
  }
  std::vector<std::int64_t> shape(std::string_view name, std::uint64_t element = 0) {
    return array(name, element).shape;
  }
  vissl_array current(std::string_view name, std::uint64_t element) {
    const FakeArray& it = array(name, element);
    vissl_array out = {};
    out.size = sizeof out;
    out.dtype = it.dtype;
    out.ndim = static_cast<std::uint32_t>(it.shape.size());
    std::copy(it.shape.begin(), it.shape.end(), out.shape);
    out.data = it.memory.data();
    return out;
  }
  void write_row(std::string_view name, std::uint64_t element, std::int64_t row,
                 const std::vector<std::int64_t>& shape, const std::vector<double>& values) {
    FakeArray& it = array(name, element);
    const std::vector<std::int64_t> own(it.shape.begin() + 1, it.shape.end());
    if (own != shape)
      fail("a row of '" + std::string(name) + "' has another shape than the layout");
    if (row < 0 || row >= it.shape[0])
      fail("'" + std::string(name) + "' has no row " + std::to_string(row));
    FakeArray part = {it.dtype, shape, values, {}};
    const std::size_t bytes = values.size() * FakeArray::size_of(it.dtype);
    std::memcpy(reinterpret_cast<char*>(it.memory.data()) + static_cast<std::size_t>(row) * bytes,
                part.view().data, bytes);
  }
};

inline const vissl_batch_api& batch_service() {
  static const vissl_batch_api api = {
      sizeof(vissl_batch_api),
      [](vissl_batch* b, vissl_str name, vissl_dtype dtype, std::uint32_t ndim,
         const std::int64_t* shape, std::uint32_t nested, vissl_err* err) {
        return guarded(err, [&] {
          FakeArray array = {dtype, std::vector<std::int64_t>(shape, shape + ndim), {}, {}};
          std::size_t count = 1;
          for (const std::int64_t n : array.shape) count *= static_cast<std::size_t>(n);
          const bool floating = dtype == VISSL_F32 || dtype == VISSL_F64;
          array.values.assign(count, floating                                   ? std::nan("")
                                     : dtype == VISSL_U8 || dtype == VISSL_BOOL ? 255
                                                                                : -1);
          array.view();
          FakeBatch::of(b).fields[std::string(view(name))].push_back(
              {std::move(array), nested != 0});
        });
      },
      [](const vissl_batch* b, vissl_str name) {
        const auto found = FakeBatch::of(b).fields.find(std::string(view(name)));
        return found != FakeBatch::of(b).fields.end() ? std::uint64_t{found->second.size()}
                                                      : std::uint64_t{0};
      },
      [](vissl_batch* b, vissl_str name, std::uint64_t element, vissl_array* out, vissl_err* err) {
        return guarded(err, [&] { *out = FakeBatch::of(b).current(view(name), element); });
      },
      [](vissl_batch* b, vissl_str name, std::uint64_t element, std::int64_t row,
         vissl_image* image, vissl_err* err) {
        return guarded(err, [&] {
          FakeImage& it = FakeImage::of(image);
          const bool wants_floats = FakeBatch::of(b).array(view(name), element).dtype == VISSL_F32;
          if (wants_floats != it.is_float) fail("an image of another type than the layout");
          const std::vector<std::int64_t> shape =
              it.is_float ? std::vector<std::int64_t>{it.channels, it.height, it.width}
                          : std::vector<std::int64_t>{it.height, it.width, it.channels};
          FakeBatch::of(b).write_row(view(name), element, row, shape,
                                     std::vector<double>(it.pixels.begin(), it.pixels.end()));
        });
      },
      [](vissl_batch* b, vissl_str name, std::uint64_t element, std::int64_t row,
         const vissl_array* array, vissl_err* err) {
        return guarded(err, [&] {
          FakeBatch::of(b).write_row(view(name), element, row, shape_of(*array),
                                     to_vector<double>(*array));
        });
      },
      [](const vissl_batch* b, vissl_rng* out) {
        vissl_rng_init_batch(out, FakeBatch::of(b).seed, 0, 0, 0);
      }};
  return api;
}

}  // namespace test
}  // namespace vissl
