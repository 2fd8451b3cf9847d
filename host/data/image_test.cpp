#include "host/data/image.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "host/data/pixel/encode_png.hpp"
#include "host/data/pixel/geometry.hpp"
#include "host/data/pixel/resize.hpp"
#include "host/data/pixel/test_images.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;

namespace {

using pixel::test::draw;
using pixel::test::equal;

Image bytes_image(int kind = 0, int width = 9, int height = 7, int channels = 3) {
  Image image;
  image.set_pixels(draw(kind, width, height, channels));
  return image;
}

std::vector<std::uint8_t> png_file(int width = 9, int height = 7) {
  return pixel::encode_png(draw(0, width, height, 3));
}

Image encoded_image(const std::vector<std::uint8_t>& file) {
  Image image;
  image.set_encoded(file.data(), file.size(), false);
  return image;
}

template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::vector<float> floats(Image& image) {
  const Image::Info info = image.info();
  std::vector<float> out(static_cast<std::size_t>(info.width * info.height * info.channels));
  image.write(out.data());
  return out;
}

}  // namespace

TEST_CASE("image: an encoded image tells its size without being decoded") {
  const std::vector<std::uint8_t> whole = png_file();
  const std::vector<std::uint8_t> header(whole.begin(), whole.begin() + 100);
  Image image = encoded_image(header);
  CHECK(image.info().width == 9);
  CHECK(image.info().height == 7);
  CHECK(image.info().channels == 3);
  CHECK_FALSE(image.info().is_float);
  CHECK(image.failure().empty());
  CHECK(error_of([&] { image.settle(); }) == "the PNG file is truncated");
  CHECK(image.failure() == "the PNG file is truncated");
}

TEST_CASE("image: borrowed bytes are read where they lie, copied ones may go") {
  std::vector<std::uint8_t> file = png_file();
  Image copied, borrowed;
  copied.set_encoded(file.data(), file.size(), false);
  borrowed.set_encoded(file.data(), file.size(), true);
  std::memset(file.data(), 0, file.size());
  CHECK(equal(copied.pixels(), draw(0, 9, 7, 3)));
  CHECK_THROWS_AS(borrowed.settle(), Error);
}

TEST_CASE("image: a crop decodes the same pixels as the whole, alone or shared with a replicate") {
  const std::vector<std::uint8_t> file = png_file(40, 30);
  const pixel::Pixels whole = draw(0, 40, 30, 3);
  Image alone = encoded_image(file);
  alone.crop(5, 6, 10, 20);
  CHECK(equal(alone.pixels(), whole.view().crop(5, 6, 10, 20)));

  Image first = encoded_image(file), second = first;
  first.resized_crop(5, 6, 10, 20, 8, 8, VISSL_BICUBIC);
  second.resized_crop(-2, 30, 10, 20, 8, 8, VISSL_BILINEAR);
  CHECK(equal(first.pixels(),
              pixel::resized_crop(whole, 5, 6, 10, 20, 8, 8, pixel::Interpolation::bicubic)));
  CHECK(equal(second.pixels(), pixel::resize(pixel::crop_padded(whole, -2, 30, 10, 20), 8, 8,
                                             pixel::Interpolation::bilinear)));
  Image window = encoded_image(file);
  window.resized_crop(5, 6, 10, 20, 8, 8, VISSL_BICUBIC);
  CHECK(equal(window.pixels(), first.pixels()));
}

TEST_CASE("image: a crop beyond the edges fills with zeros") {
  const std::vector<std::uint8_t> file = png_file();
  for (const bool is_encoded : {false, true}) {
    Image image = is_encoded ? encoded_image(file) : bytes_image();
    image.crop(-1, -2, 3, 4);
    CHECK(image.pixels().data()[0] == 0);
    CHECK(std::memcmp(image.pixels().row(1) + 2 * 3, draw(0, 9, 7, 3).data(), 6) == 0);
  }
}

TEST_CASE("image: copies share pixels until one of them is changed") {
  Image first = bytes_image();
  Image second = first;
  CHECK(first.pixels().data() == second.pixels().data());
  second.edit_pixels()[0] ^= 255;
  CHECK(first.pixels().data() != second.pixels().data());
  CHECK(equal(first.pixels(), draw(0, 9, 7, 3)));
  const std::uint8_t* before = second.pixels().data();
  second.edit_pixels()[1] ^= 255;  // alone now: in place
  CHECK(second.pixels().data() == before);

  Image third = first;
  third.flip(false);
  third.enhance(VISSL_ENHANCE_BRIGHTNESS, 0.5);
  CHECK(equal(first.pixels(), draw(0, 9, 7, 3)));
}

TEST_CASE(
    "image: ToTensor and Normalize give float32(v) / 255, minus mean, by std, in that order") {
  const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};
  Image image = bytes_image();
  image.to_tensor();
  CHECK(image.info().is_float);
  image.normalize(mean, std, 3);
  image.normalize(mean, std, 1);  // a second one, with one number for all channels
  const std::vector<float> out = floats(image);
  const pixel::Pixels pixels = draw(0, 9, 7, 3);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 63; ++i) {
      float x = static_cast<float>(pixels.data()[i * 3 + c]) / 255.0f;
      x = (x - static_cast<float>(mean[c])) / static_cast<float>(std[c]);
      x = (x - static_cast<float>(mean[0])) / static_cast<float>(std[0]);
      REQUIRE(out[c * 63 + i] == x);
    }
  }
  // Floats that were asked for in between give the same.
  Image eager = bytes_image();
  eager.to_tensor();
  eager.planes();
  eager.normalize(mean, std, 3);
  eager.normalize(mean, std, 1);
  CHECK(floats(eager) == out);
}

TEST_CASE("image: a float image can be mirrored before and after its floats exist") {
  Image pending = bytes_image(), eager = bytes_image();
  pending.to_tensor();
  eager.to_tensor();
  eager.planes();
  for (const bool vertical : {false, true}) {
    Image shared = eager;
    pending.flip(vertical);
    eager.flip(vertical);
    CHECK(floats(pending) == floats(eager));
    CHECK(floats(shared) != floats(eager));
  }
  Image mirrored = bytes_image();
  mirrored.flip(false);
  mirrored.flip(true);
  mirrored.to_tensor();
  CHECK(floats(pending) == floats(mirrored));
}

TEST_CASE("image: the float planes of an 8-bit image are ToTensor's, and leave it 8-bit") {
  Image image = bytes_image();
  Image tensor = image;
  tensor.to_tensor();
  const std::vector<float> expected = floats(tensor);
  CHECK(std::memcmp(image.planes(), expected.data(), expected.size() * sizeof(float)) == 0);
  CHECK_FALSE(image.is_float());
  image.edit_pixels()[0] = 17;  // the floats follow
  CHECK(image.planes()[0] == 17.0f / 255.0f);
  image.edit_planes()[0] = 5;
  CHECK(image.is_float());
  CHECK(image.info().width == 9);
  CHECK(floats(image)[0] == 5);
}

TEST_CASE("image: gray images stay one channel, and gain three when asked") {
  Image image = bytes_image(0, 4, 3, 1);
  image.grayscale(1);
  CHECK(image.info().channels == 1);
  image.grayscale(3);
  CHECK(image.info().channels == 3);
  Image color = bytes_image();
  color.grayscale(3);
  Image single = bytes_image();
  single.grayscale(1);
  CHECK(color.pixels().data()[3] == single.pixels().data()[1]);
  CHECK(color.pixels().data()[5] == single.pixels().data()[1]);
}

TEST_CASE("image: a map of values has one table for all channels or one for each") {
  std::vector<std::uint8_t> tables(3 * 256);
  for (std::size_t i = 0; i < tables.size(); ++i)
    tables[i] = static_cast<std::uint8_t>(i / 256 + 1);
  Image image = bytes_image();
  image.map_u8(tables.data(), 3);
  CHECK(image.pixels().data()[4] == 2);
  image.map_u8(tables.data(), 1);
  CHECK(image.pixels().data()[4] == 1);
  CHECK(error_of([&] { image.map_u8(tables.data(), 2); }) ==
        "a map has 2 tables and the image has 3 channels");
}

TEST_CASE("image: operations that do not fit say so") {
  Image tensor = bytes_image();
  tensor.to_tensor();
  CHECK(error_of([&] { tensor.resize(4, 4, VISSL_BILINEAR); }) ==
        "a resize works on 8-bit images, and this one is float already: put it before the "
        "transform that makes floats");
  CHECK(error_of([&] { tensor.to_tensor(); }).find("making floats works on 8-bit images") == 0);
  CHECK(error_of([&] { tensor.edit_pixels(); }).find("editing 8-bit pixels") == 0);
  Image image = bytes_image();
  const double one[] = {1, 1}, zero[] = {0};
  CHECK(error_of([&] { image.normalize(one, one, 1); }) ==
        "Normalize works on float images: put ToTensor before it");
  std::vector<float> row(9 * 7 * 3);
  CHECK(error_of([&] {
          image.write(row.data());
        }).find("the image is still 8-bit and cannot fill a float row") == 0);
  CHECK_FALSE(error_of([&] { tensor.normalize(one, one, 2); }).empty());
  const std::string no_spread = "Normalize has a std of 0; give a positive number";
  CHECK(error_of([&] { tensor.normalize(one, zero, 1); }) == no_spread);
  CHECK(error_of([&] { Planes(1, 1, 1).normalize(one, zero, 1); }) == no_spread);
  CHECK(error_of([&] { image.enhance(9, 1.0); }) == "there is no enhancement 9");
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_of([&] { image.enhance(VISSL_ENHANCE_CONTRAST, not_a_number); }) ==
        "a colour factor is a number (9 x 7 pixels)");
  CHECK(error_of([&] { image.hue(0.7); }) ==
        "a hue shift lies within -0.5 and 0.5 turns (9 x 7 pixels)");
  CHECK(error_of([&] { image.gaussian_blur(-1.0); }) ==
        "the radius of a blur is at least 0 (9 x 7 pixels)");
  CHECK(error_of([&] { image.resize(0, 4, VISSL_BILINEAR); }) ==
        "an image cannot be resized to nothing (4 x 0 pixels)");
  CHECK(error_of([&] { image.crop(0, 0, 0, 3); }) ==
        "a crop must be at least one pixel, not 0 x 3");
  CHECK(error_of([&] {
          image.crop(0, 0, 3, std::int64_t{1} << 40);
        }).find("crop's width of 1099511627776 pixels is out of range") != std::string::npos);
  CHECK(error_of([&] { image.resize(4, 4, 9); }).find("there is no interpolation 9") == 0);
  Image empty;
  CHECK(error_of([&] { empty.info(); }).find("the image is empty") == 0);
  CHECK(error_of([&] { empty.crop(0, 0, 1, 1); }).find("the image is empty") == 0);
}

TEST_CASE("image: the C table reports errors as status and text, and sets pixels from C arrays") {
  const vissl_image_api& api = image_api();
  Image image;
  std::string text;
  vissl_err err{sizeof err, &text, [](vissl_err* self, vissl_status, vissl_str message) {
                  static_cast<std::string*>(self->self)->assign(message.data, message.size);
                }};
  vissl_image_info info{};
  CHECK(api.info(handle(&image), &info, &err) == VISSL_E_PLUGIN);  // no size
  info.size = sizeof info;
  CHECK(api.info(handle(&image), &info, &err) == VISSL_E_FAILED);
  CHECK(text.find("the image is empty") == 0);
  CHECK(api.info(handle(&image), &info, nullptr) == VISSL_E_FAILED);

  const float planes[] = {1, 2, 3, 4, 5, 6};
  CHECK(api.set_pixels(handle(&image), VISSL_LAYOUT_F32_CHW, 3, 1, 2, planes, &err) == VISSL_OK);
  CHECK(api.info(handle(&image), &info, &err) == VISSL_OK);
  CHECK(info.width == 3);
  CHECK(info.channels == 2);
  CHECK(info.is_float == 1);
  const void* data = nullptr;
  CHECK(api.pixels(handle(&image), VISSL_LAYOUT_F32_CHW, &data, &err) == VISSL_OK);
  CHECK(static_cast<const float*>(data)[5] == 6);
  CHECK(api.set_pixels(handle(&image), VISSL_LAYOUT_U8_HWC, 3, 2, 1, nullptr, &err) == VISSL_OK);
  CHECK(api.pixels(handle(&image), VISSL_LAYOUT_U8_HWC, &data, &err) == VISSL_OK);
  CHECK(static_cast<const std::uint8_t*>(data)[5] == 0);
  CHECK(api.set_pixels(handle(&image), VISSL_LAYOUT_U8_HWC, -3, 2, 1, nullptr, &err) ==
        VISSL_E_FAILED);
  CHECK(api.set_pixels(handle(&image), 7, 3, 2, 1, nullptr, &err) == VISSL_E_FAILED);
  const char garbage[] = "no image";
  CHECK(api.set_encoded(handle(&image), garbage, sizeof garbage, 0, &err) == VISSL_OK);
  CHECK(api.resize(handle(&image), 2, 2, VISSL_BILINEAR, &err) == VISSL_E_DATA);
}
