#include "host/data/pixel/tables.hpp"

#include "host/data/pixel/vector_clones.hpp"
#include "host/files/counted.hpp"
#include "host/files/error.hpp"

VISSL_PIXEL_STRICT_FLOATS

namespace vissl::host::pixel {

Tables to_tensor_tables(int channels) {
  if (channels != 1 && channels != 3) {
    throw Error(Exit::usage,
                "tables of values are made for 1 or 3 channels, not " + std::to_string(channels));
  }
  Tables tables;
  tables.channels = channels;
  for (int c = 0; c < channels; ++c) {
    for (int v = 0; v < 256; ++v) {
      tables.value[static_cast<std::size_t>(c)][static_cast<std::size_t>(v)] =
          static_cast<float>(v) / 255.0f;
    }
  }
  return tables;
}

void normalize_tables(Tables& tables, std::span<const double> mean, std::span<const double> std) {
  const std::size_t channels = static_cast<std::size_t>(tables.channels);
  for (const auto& numbers : {mean, std}) {
    if (numbers.size() != channels && numbers.size() != 1) {
      throw Error(Exit::usage, "Normalize has " +
                                   counted(static_cast<std::int64_t>(numbers.size()), "number") +
                                   " for an image of " + counted(tables.channels, "channel") +
                                   "; give one per channel, or one for all");
    }
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const float middle = static_cast<float>(mean[mean.size() == 1 ? 0 : c]);
    const float scale = static_cast<float>(std[std.size() == 1 ? 0 : c]);
    if (scale == 0.0f) throw Error(Exit::usage, "Normalize has a std of 0; give a positive number");
    for (float& value : tables.value[c]) value = (value - middle) / scale;
  }
}

void write_chw(const View& image, const Tables& tables, float* out, std::ptrdiff_t channel_stride,
               std::ptrdiff_t row_stride) {
  const int channels = image.channels;
  if (channels != tables.channels) {
    refuse("the image has not as many channels as the table of values", image.width, image.height);
  }
  for (int y = 0; y < image.height; ++y) {
    for (int c = 0; c < channels; ++c) {
      const float* table = tables.value[static_cast<std::size_t>(c)].data();
      const std::uint8_t* in = image.row(y) + c;
      float* to = out + c * channel_stride + y * row_stride;
      for (int x = 0; x < image.width; ++x) to[x] = table[in[std::ptrdiff_t{x} * channels]];
    }
  }
}

}  // namespace vissl::host::pixel
