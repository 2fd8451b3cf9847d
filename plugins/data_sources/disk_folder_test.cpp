#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data_host.hpp"
#include "host/data/pixel/encode_png.hpp"
#include "temp_folder.hpp"

using namespace vissl;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, const std::string& bytes = "") {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string toml(const fs::path& path) {
  return "path = \"" + path.string() + "\"";
}

std::string failure(const fs::path& path) {
  test::DataHost host;
  try {
    test::DataSource source(host.make("data_source", "disk_folder", toml(path)));
  } catch (const Failure& error) {
    CHECK(error.status() == VISSL_E_DATA);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("disk_folder: classes, order and labels are those of torchvision's ImageFolder") {
  test::TempFolder folder;
  std::vector<std::string> classes, images;
  std::vector<std::int64_t> labels;
  std::ifstream golden(VISSL_SOURCE_DIR "/tests/golden/data/image_folder.txt");
  for (std::string line; std::getline(golden, line);) {
    const std::string what = line.substr(0, line.find('\t'));
    const std::string rest = line.substr(line.find('\t') + 1);
    if (what == "file") write(folder / rest);
    if (what == "class") classes.push_back(rest);
    if (what == "image") {
      labels.push_back(std::stoll(rest));
      images.push_back(rest.substr(rest.find('\t') + 1));
    }
  }
  REQUIRE(images.size() == 17);

  test::DataHost host;
  test::DataSource source(
      host.make("data_source", "disk_folder", toml(folder.path().string() + "/")));
  REQUIRE(source.class_count() == static_cast<std::int64_t>(classes.size()));
  for (std::size_t k = 0; k < classes.size(); ++k) {
    CHECK(source.class_name(static_cast<std::int64_t>(k)) == classes[k]);
  }
  REQUIRE(source.length() == static_cast<std::int64_t>(images.size()));
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    CHECK(source.path(index) == (folder / images[i]).string());
    CHECK(source.label(index).dtype == VISSL_I64);
    CHECK(to_scalar<std::int64_t>(source.label(index)) == labels[i]);
  }
}

TEST_CASE("disk_folder: a file is decoded by its content") {
  test::TempFolder folder;
  host::pixel::Pixels pixels(3, 2, 3, 7);
  const std::vector<std::uint8_t> png = host::pixel::encode_png(pixels);
  write(folder / "a/really_a_png.jpg", std::string(png.begin(), png.end()));
  test::DataHost host;
  test::DataSource source(host.make("data_source", "disk_folder", toml(folder.path())));
  host::Image image = source.read(0);
  CHECK(image.info().width == 3);
  CHECK(image.info().height == 2);
  CHECK(image.pixels().data()[5] == 7);
}

TEST_CASE("disk_folder: folders are followed through links, a link back up is refused") {
  test::TempFolder folder;
  write(folder / "elsewhere/deep/1.png");
  fs::create_directories(folder / "root/a");
  fs::create_directory_symlink(folder / "elsewhere/deep", folder / "root/a/link");
  test::DataHost host;
  {
    test::DataSource source(host.make("data_source", "disk_folder", toml(folder / "root")));
    CHECK(source.path(0) == (folder / "root/a/link/1.png").string());
  }
  fs::create_directory_symlink(folder / "root/a", folder / "root/a/back");
  try {
    test::DataSource source(host.make("data_source", "disk_folder", toml(folder / "root")));
    FAIL("a loop was accepted");
  } catch (const Failure& error) {
    CHECK(std::string(error.what()).find("does a link lead back to a folder above it?") !=
          std::string::npos);
  }
}

TEST_CASE("disk_folder: what is missing is named") {
  test::TempFolder folder;
  const std::string root = folder.path().string();
  CHECK(failure(folder / "nowhere") == "the image folder '" + root + "/nowhere' does not exist");
  write(folder / "file.jpg");
  CHECK(failure(folder / "file.jpg") == "the image folder '" + root + "/file.jpg' is not a folder");
  CHECK(failure(folder.path()) ==
        "the image folder '" + root +
            "' has no folder in it; it needs one folder of images per class");
  write(folder / "cat/1.jpg");
  write(folder / "dog/readme.txt");
  fs::create_directories(folder / "eel");
  CHECK(failure(folder.path()) ==
        "the image folder '" + root +
            "' has no image for 'dog', 'eel'; images end in jpg, jpeg, png, ppm, bmp, pgm, tif, "
            "tiff and webp");
  for (const char* name : {"fox", "gnu", "hen", "ibis"}) fs::create_directories(folder / name);
  CHECK(failure(folder.path()) ==
        "the image folder '" + root +
            "' has no image for 'dog', 'eel', 'fox', 'gnu', 'hen' and 1 more; images end in jpg, "
            "jpeg, png, ppm, bmp, pgm, tif, tiff and webp");
}

TEST_CASE("disk_folder: a file that vanished is an unreadable image, not an end of the run") {
  test::TempFolder folder;
  write(folder / "a/1.png");
  test::DataHost host;
  test::DataSource source(host.make("data_source", "disk_folder", toml(folder.path())));
  fs::remove(folder / "a/1.png");
  CHECK_THROWS_WITH_AS(source.read(0), "No such file or directory", Failure);
}
