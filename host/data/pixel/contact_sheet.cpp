#include "host/data/pixel/contact_sheet.hpp"

#include <algorithm>
#include <cstring>

#include "host/data/pixel/color.hpp"

namespace vissl::host::pixel {

Pixels contact_sheet(std::span<const View> images, int columns, int padding) {
  if (images.empty() || columns < 1 || padding < 0) {
    refuse("a contact sheet needs an image, a column and a padding of at least 0", columns,
           padding);
  }
  std::int64_t cell_width = 1, cell_height = 1;
  for (const View& image : images) {
    cell_width = std::max<std::int64_t>(cell_width, image.width);
    cell_height = std::max<std::int64_t>(cell_height, image.height);
  }
  cell_width += padding;
  cell_height += padding;
  const std::int64_t count = static_cast<std::int64_t>(images.size());
  const std::int64_t across = std::min<std::int64_t>(columns, count);
  const std::int64_t down = (count + across - 1) / across;
  constexpr std::int64_t kMaxPixels = 1'000'000'000;
  const std::int64_t width = across * cell_width + padding, height = down * cell_height + padding;
  if (width > kMaxPixels || height > kMaxPixels || width * height > kMaxPixels) {
    refuse("a contact sheet of these images is too large", static_cast<int>(across),
           static_cast<int>(std::min<std::int64_t>(down, INT32_MAX)));
  }
  Pixels sheet(static_cast<int>(width), static_cast<int>(height), 3, 255);
  for (std::int64_t i = 0; i < count; ++i) {
    const Pixels rgb = to_rgb(images[static_cast<std::size_t>(i)]);
    const int top = static_cast<int>(padding + i / across * cell_height);
    const std::ptrdiff_t left = (padding + i % across * cell_width) * 3;
    for (int y = 0; y < rgb.height(); ++y) {
      std::memcpy(sheet.row(top + y) + left, rgb.row(y), static_cast<std::size_t>(rgb.row_bytes()));
    }
  }
  return sheet;
}

}  // namespace vissl::host::pixel
