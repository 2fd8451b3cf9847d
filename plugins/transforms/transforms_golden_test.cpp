// Every transform against torchvision and Pillow: scripts/oracle/transforms.py drew the same
// numbers from the same streams.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "host/data/pixel/test_images.hpp"
#include "transform_run.hpp"

using namespace vissl;

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// "kind width height channels", or the name of a file.
void set_image(host::Image& image, const std::string& text) {
  std::istringstream words(text);
  int kind = 0, width = 0, height = 0, channels = 0;
  if (words >> kind >> width >> height >> channels) {
    image.set_pixels(host::pixel::test::draw(kind, width, height, channels));
    return;
  }
  std::ifstream file(VISSL_SOURCE_DIR "/tests/golden/pixels/" + text, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  image.set_encoded(bytes.data(), bytes.size(), false);
}

// "width height channels hash".
std::string describe(host::Image& image) {
  const host::Image::Info info = image.info();
  const auto values = static_cast<std::size_t>(info.width * info.height * info.channels);
  const std::uint64_t hash = info.is_float ? host::pixel::test::hash(image.planes(), 4 * values)
                                           : host::pixel::test::hash(image.pixels().data(), values);
  std::ostringstream text;
  text << info.width << ' ' << info.height << ' ' << info.channels << ' ' << std::hex;
  text.width(16);
  text.fill('0');
  text << hash;
  return text.str();
}

}  // namespace

TEST_CASE("transforms: draws, boxes and pixels equal torchvision's, byte for byte") {
  std::ifstream golden(VISSL_SOURCE_DIR "/tests/golden/transforms/cases.txt");
  std::set<std::string> names;
  int cases = 0;
  test::DataHost host;
  for (std::string line; std::getline(golden, line); ++cases) {
    CAPTURE(line);
    const std::vector<std::string> fields = split(line, '\t');
    REQUIRE(fields.size() >= 5);
    names.insert(fields[0]);
    std::string toml = fields[1];
    std::replace(toml.begin(), toml.end(), ';', '\n');
    test::TransformSample sample(std::stoull(fields[3]));
    set_image(sample.first(), fields[2]);
    if (fields[0] == "Normalize") test::apply(host.make("transform", "ToTensor"), sample.sample());
    test::apply(host.make("transform", fields[0].c_str(), toml), sample.sample());

    std::vector<std::string> results;
    for (std::size_t v = 0; v < sample.views(); ++v) results.push_back(describe(sample.image(v)));
    if (fields[0] == "ImgRotatePil") results.push_back("label " + std::to_string(sample.label()));
    CHECK(results == std::vector<std::string>(fields.begin() + 4, fields.end()));
  }
  CHECK(cases == 414);
  CHECK(names.size() == 23);
}
