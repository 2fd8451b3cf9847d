#include "host/data/show_batch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "host/data/array.hpp"
#include "host/data/pixel/contact_sheet.hpp"
#include "host/data/pixel/encode_png.hpp"
#include "host/data/pixel/resize.hpp"
#include "host/files/atomic_file.hpp"
#include "host/files/npy.hpp"

namespace vissl::host {
namespace {

constexpr int kPadding = 4;  // pixels between the cells

// x * scale + offset per channel gives back what was there before the split's Normalize.
struct Undo {
  std::array<double, 3> scale{1, 1, 1}, offset{0, 0, 0};
};

double entry(const Value& list, std::size_t channel) {
  const std::vector<Value>& items = list.items();
  return items[items.size() == 1 ? 0 : channel].as_number();
}

Undo undo_of(const SplitSettings& split, std::size_t channels) {
  Undo undo;
  for (const Value* transform : split.transforms) {
    const Value* mean = transform->find("mean");
    const Value* std = transform->find("std");
    const auto fits = [&](const Value* list) {
      return list != nullptr && list->is_list() &&
             (list->items().size() == channels || list->items().size() == 1);
    };
    if (!fits(mean) || !fits(std)) continue;
    for (std::size_t c = 0; c < channels; ++c) {  // y = (x - mean) / std on top of what came before
      undo.offset[c] += undo.scale[c] * entry(*mean, c);
      undo.scale[c] *= entry(*std, c);
    }
  }
  return undo;
}

// One row of an element as an RGB or gray image.
pixel::Pixels picture(const BatchElement& element, std::int64_t row, const SplitSettings& split) {
  const bool planar = element.dtype == VISSL_F32;
  const auto at = [&](std::size_t i) { return static_cast<int>(element.shape[i]); };
  const int channels = planar ? at(1) : at(3), height = planar ? at(2) : at(1),
            width = planar ? at(3) : at(2);
  pixel::Pixels image(width, height, channels);
  const std::size_t count = image.size_bytes();
  if (!planar) {
    std::copy_n(
        static_cast<const std::uint8_t*>(element.data) + static_cast<std::size_t>(row) * count,
        count, image.data());
    return image;
  }
  const float* in = static_cast<const float*>(element.data) + static_cast<std::size_t>(row) * count;
  const Undo undo = undo_of(split, static_cast<std::size_t>(channels));
  for (int c = 0; c < channels; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    std::uint8_t* out = image.data() + c;
    for (int i = 0; i < height * width; ++i, out += channels) {
      const double value = static_cast<double>(*in++) * undo.scale[channel] + undo.offset[channel];
      const double clipped = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0);
      *out = static_cast<std::uint8_t>(std::lround(clipped * 255));
    }
  }
  return image;
}

bool holds_images(const BatchElement& element, std::int64_t samples) {
  if (element.shape.size() != 4 || samples < 1 || element.shape[0] % samples != 0) return false;
  const std::int64_t channels = element.dtype == VISSL_F32  ? element.shape[1]
                                : element.dtype == VISSL_U8 ? element.shape[3]
                                                            : 0;
  return channels == 1 || channels == 3;
}

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
};

Range range_of(const BatchElement& element) {
  Range range;
  const std::int64_t count =
      element_count(element.shape.data(), static_cast<std::uint32_t>(element.shape.size()));
  const std::size_t bytes = dtype_bytes(element.dtype);
  for (std::int64_t i = 0; i < count; ++i) {
    double value = 0;
    convert_elements(
        static_cast<const std::byte*>(element.data) + static_cast<std::size_t>(i) * bytes,
        element.dtype, &value, VISSL_F64, 1);
    range.least = std::min(range.least, value);
    range.most = std::max(range.most, value);
  }
  return range;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

pixel::Pixels contact_sheet(const Batch& batch, const SplitSettings& split, std::int64_t samples) {
  const std::int64_t rows = std::min(samples, batch.samples);
  std::vector<pixel::Pixels> pictures;
  for (std::int64_t sample = 0; sample < rows; ++sample) {
    for (const BatchField& field : batch.fields) {
      for (const BatchElement& element : field.elements) {
        if (!holds_images(element, batch.samples)) continue;
        for (std::int64_t row = sample; row < element.shape[0]; row += batch.samples) {
          pictures.push_back(picture(element, row, split));
        }
      }
    }
  }
  if (pictures.empty()) {
    throw Error(Exit::run_failed,
                "data." + split.name + ": a batch has no images of 1 or 3 channels to show");
  }
  const std::vector<pixel::View> views(pictures.begin(), pictures.end());
  return pixel::contact_sheet(
      views, static_cast<int>(pictures.size() / static_cast<std::size_t>(rows)), kPadding);
}

std::string batch_sheet(const Batch& batch, const SplitSettings& split) {
  constexpr std::int64_t kMostRows = 8;
  constexpr int kReadable = 480;  // pixels of width that a person can see something in
  pixel::Pixels sheet = contact_sheet(batch, split, kMostRows);
  if (const int factor = kReadable / sheet.width(); factor > 1) {
    sheet = pixel::resize(sheet, sheet.height() * factor, sheet.width() * factor,
                          pixel::Interpolation::nearest);
  }
  const std::vector<std::uint8_t> png = pixel::encode_png(sheet);
  return {png.begin(), png.end()};
}

void write_images_npy(const std::filesystem::path& path, const Batch& batch) {
  for (const BatchField& field : batch.fields) {
    for (const BatchElement& element : field.elements) {
      if (!holds_images(element, batch.samples)) continue;
      const auto count = static_cast<std::size_t>(
          element_count(element.shape.data(), static_cast<std::uint32_t>(element.shape.size())));
      const DType dtype = element.dtype == VISSL_U8 ? DType::uint8 : DType::float32;
      AtomicFile file(path);
      write_npy_header(file, dtype, element.shape);
      file.write({static_cast<const std::byte*>(element.data), count * size_bytes(dtype)});
      file.commit();
      return;
    }
  }
  throw Error(Exit::run_failed, "a batch has no images of 1 or 3 channels to write");
}

std::string field_table(const Batch& batch) {
  std::vector<std::array<std::string, 5>> lines{{"field", "dtype", "shape", "min", "max"}};
  for (const BatchField& field : batch.fields) {
    for (std::size_t i = 0; i < field.elements.size(); ++i) {
      const BatchElement& element = field.elements[i];
      const bool several = field.elements.size() > 1;
      const Range range = range_of(element);
      lines.push_back(
          {field.name + (several ? "[" + std::to_string(i) + "]" : ""), dtype_name(element.dtype),
           shape_text(element.shape.data(), static_cast<std::uint32_t>(element.shape.size())),
           number_text(range.least), number_text(range.most)});
    }
  }
  std::array<std::size_t, 5> widths{};
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      text += line[i] + std::string(widths[i] - line[i].size() + 2, ' ');
    }
    text += line.back() + "\n";
  }
  return text;
}

}  // namespace vissl::host
