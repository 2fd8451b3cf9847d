// Times the pixel code on one JPEG file: one JSON line per figure, microseconds of this thread's
// CPU time (other work on the machine does not count), the median of the rounds. Driven by
// `scripts/bench pixels`, which times Pillow and torchvision on the same work and prints ratios.
//
//   pixel_bench FILE.jpg ROUNDS
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "host/data/pixel/blur.hpp"
#include "host/data/pixel/color.hpp"
#include "host/data/pixel/decode.hpp"
#include "host/data/pixel/geometry.hpp"
#include "host/data/pixel/resize.hpp"
#include "host/data/pixel/tables.hpp"

using namespace vissl::host::pixel;

namespace {

double thread_us() {
  std::timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

void report(const std::string& figure, int rounds, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < rounds + 3; ++i) {
    const double start = thread_us();
    work();
    const double time = thread_us() - start;
    if (i >= 3) times.push_back(time);
  }
  std::sort(times.begin(), times.end());
  std::printf("{\"figure\":\"%s\",\"us\":%.1f}\n", figure.c_str(), times[times.size() / 2]);
}

Tables imagenet() {
  Tables tables = to_tensor_tables(3);
  normalize_tables(tables, std::vector{0.485, 0.456, 0.406}, std::vector{0.229, 0.224, 0.225});
  return tables;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream stream(argv[1], std::ios::binary);
  const std::vector<std::uint8_t> file(std::istreambuf_iterator<char>(stream), {});
  const int rounds = std::max(std::atoi(argv[2]), 1);
  const Decoded image = decode(file);
  if (!image.ok()) {
    std::fprintf(stderr, "pixel_bench: %s: %s\n", argv[1], image.error.c_str());
    return 1;
  }
  const View all = image.pixels;
  const int h = all.height * 2 / 3, w = all.width * 3 / 5, top = all.height / 8,
            left = all.width / 8;
  const auto crop_to = [&](int size, Interpolation how) {
    return resized_crop(all, top, left, h, w, size, size, how);
  };
  Pixels view = crop_to(224, Interpolation::bilinear);
  const Tables tables = imagenet();
  std::vector<float> row(3 * 224 * 224);
  const auto write = [&](const Pixels& pixels) {
    write_chw(pixels, tables, row.data(), 224 * 224, 224);
  };
  const auto jitter = [](Pixels& pixels) {
    adjust_brightness(pixels, 1.2);
    adjust_contrast(pixels, 0.7);
    adjust_saturation(pixels, 1.4);
    adjust_hue(pixels, 0.1);
  };
  const auto simclr_view = [&](const View& source) {
    Pixels pixels =
        flip_horizontal(resized_crop(source, top, left, h, w, 224, 224, Interpolation::bilinear));
    jitter(pixels);
    gaussian_blur(pixels, 1.1);
    write(pixels);
  };

  report("decode", rounds, [&] { decode(file); });
  report("decode_and_crop_quarter", rounds, [&] {
    decode_crop(file, {all.height / 4, all.width / 4, all.height / 2, all.width / 2});
  });
  report("resize_all_to_224", rounds, [&] { resize(all, 224, 224, Interpolation::bilinear); });
  report("crop_to_224_bilinear", rounds, [&] { crop_to(224, Interpolation::bilinear); });
  report("crop_to_224_bicubic", rounds, [&] { crop_to(224, Interpolation::bicubic); });
  report("crop_to_96_bilinear", rounds, [&] { crop_to(96, Interpolation::bilinear); });
  report("brightness", rounds, [&] { adjust_brightness(view, 1.01); });
  report("contrast", rounds, [&] { adjust_contrast(view, 1.01); });
  report("saturation", rounds, [&] { adjust_saturation(view, 1.01); });
  report("hue", rounds, [&] { adjust_hue(view, 0.1); });
  report("jitter", rounds, [&] { jitter(view); });
  report("gray", rounds, [&] { replace_by_gray(view); });
  view = crop_to(224, Interpolation::bilinear);
  report("blur_0.5", rounds, [&] { gaussian_blur(view, 0.5); });
  report("blur_2.0", rounds, [&] { gaussian_blur(view, 2.0); });
  report("flip", rounds, [&] { flip_horizontal(view); });
  report("rotate_30_bilinear", rounds, [&] { rotate(view, 30, Interpolation::bilinear); });
  report("to_tensor_and_normalize", rounds, [&] { write(view); });
  report("simclr_two_views", rounds, [&] {
    const Decoded source = decode(file);
    simclr_view(source.pixels);
    simclr_view(source.pixels);
  });
  return 0;
}
