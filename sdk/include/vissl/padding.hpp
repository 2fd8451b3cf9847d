#pragma once
// Borders around 8-bit images, equal to torchvision's pad of PIL images: the parameters padding,
// fill and padding_mode, which several transforms share.
#include <vissl/crops.hpp>

#include <cstddef>
#include <cstring>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

struct Border {
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;  // pixels
};

// padding = n for all sides, [left and right, top and bottom], or [left, top, right, bottom].
inline Border read_border(const Config& c, std::string_view key) {
  const std::vector<std::int64_t> n = one_or_more_integers(c, key, 0);
  if (n.size() == 1) return {n[0], n[0], n[0], n[0]};
  if (n.size() == 2) return {n[0], n[1], n[0], n[1]};
  if (n.size() == 4) return {n[0], n[1], n[2], n[3]};
  fail(VISSL_E_CONFIG,
       "'" + std::string(key) + "' takes 1, 2 or 4 numbers, not " + std::to_string(n.size()));
}

class Padding {
 public:
  static void params(Params& p) {
    p.any("fill", "0", "Value of the border, 0 to 255, or one per channel; mode constant only.")
        .accepts("an integer or a list of integers");
    p.string("padding_mode", "constant", one_of("constant", "edge", "reflect", "symmetric"),
             "What the border shows: fill, the outermost pixel, or the image mirrored without or "
             "with its outermost pixel.");
  }
  explicit Padding(const Config& c) : mode_(c.string("padding_mode")) {
    for (const std::int64_t value : one_or_more_integers(c, "fill", 0)) {
      if (value > 255) {
        fail(VISSL_E_CONFIG, "'fill' must be at most 255, not " + std::to_string(value));
      }
      fill_.push_back(static_cast<std::uint8_t>(value));
    }
    if (fill_.size() != 1 && fill_.size() != 3) {
      fail(VISSL_E_CONFIG, "'fill' takes one number or three, not " + std::to_string(fill_.size()));
    }
  }

  // Whether the border is what a crop beyond the image gives.
  bool black() const {
    return mode_ == "constant" &&
           std::all_of(fill_.begin(), fill_.end(), [](std::uint8_t v) { return v == 0; });
  }

  void apply(Image& image, const Border& border) const {
    const vissl_image_info info = image.info();
    const std::int64_t height = info.height + border.top + border.bottom;
    const std::int64_t width = info.width + border.left + border.right;
    if (black()) return image.crop(-border.top, -border.left, height, width);
    const auto channels = static_cast<std::size_t>(info.channels);
    if (mode_ == "constant" && fill_.size() != 1 && fill_.size() != channels) {
      fail(VISSL_E_CONFIG, "'fill' has " + std::to_string(fill_.size()) +
                               " numbers and the image " + std::to_string(channels) + " channels");
    }
    std::vector<std::uint8_t> filling(channels);
    for (std::size_t c = 0; c < channels; ++c) filling[c] = fill_[fill_.size() == 1 ? 0 : c];
    const std::vector<std::int64_t> rows = sources(info.height, border.top, height);
    const std::vector<std::int64_t> columns = sources(info.width, border.left, width);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(height * width) * channels);
    const std::uint8_t* in = image.bytes();
    std::uint8_t* to = out.data();
    for (const std::int64_t y : rows) {
      for (const std::int64_t x : columns) {
        const std::uint8_t* from =
            y < 0 || x < 0 ? filling.data()
                           : in + static_cast<std::size_t>(y * info.width + x) * channels;
        std::memcpy(to, from, channels);
        to += channels;
      }
    }
    image.set_bytes(height, width, info.channels, out.data());
  }

 private:
  // For each place of the result, the row (or column) of the image; -1 = fill.
  std::vector<std::int64_t> sources(std::int64_t size, std::int64_t before,
                                    std::int64_t result) const {
    const std::int64_t period =
        mode_ == "reflect" ? std::max<std::int64_t>(2 * size - 2, 1) : 2 * size;
    std::vector<std::int64_t> from(static_cast<std::size_t>(result));
    for (std::int64_t i = 0; i < result; ++i) {
      std::int64_t at = i - before;
      if (mode_ == "edge") {
        at = std::clamp<std::int64_t>(at, 0, size - 1);
      } else if (mode_ == "constant") {
        if (at >= size || at < 0) at = -1;
      } else {
        at = (at % period + period) % period;
        if (at >= size) at = mode_ == "reflect" ? period - at : period - 1 - at;
      }
      from[static_cast<std::size_t>(i)] = at;
    }
    return from;
  }

  std::string mode_;
  std::vector<std::uint8_t> fill_;
};

}  // namespace abi1
}  // namespace vissl
