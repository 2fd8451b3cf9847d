// The data engine with real plugins: files through disk_folder, VISSL's SimCLR and multi-crop
// transforms and collators.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "host/config/resolve.hpp"
#include "host/config/schema.hpp"
#include "host/data/engine.hpp"
#include "host/data/fake_run.hpp"
#include "host/data/memory.hpp"
#include "host/plugin/catalogue.hpp"
#include "host/plugin/search_path.hpp"
#include "temp_folder.hpp"

using namespace vissl::host;

namespace {

// Three classes of photographs that other tests decode too; one file is cut short.
void make_images(const std::filesystem::path& root) {
  const std::string golden = VISSL_SOURCE_DIR "/tests/golden/pixels/";
  int number = 0;
  for (const char* name : {"color_420.jpg", "color_422.jpg", "color_444.jpg", "progressive.jpg",
                           "gray.jpg", "cmyk.jpg", "type2_8bit.png", "palette_8bit.png",
                           "noise_420.jpg", "color.bmp", "color.ppm"}) {
    const std::filesystem::path folder = root / ("class" + std::to_string(number % 3));
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(golden + name, folder / (std::to_string(number) + name));
    ++number;
  }
  const std::filesystem::path cut = root / "class0" / "cut.jpg";
  std::filesystem::copy_file(golden + "color_420.jpg", cut);
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
}

constexpr const char* kSimclr = R"(
transforms = [
  { name = "ImgReplicatePil", num_times = 2 },
  { name = "RandomResizedCrop", size = 24 },
  { name = "RandomHorizontalFlip", p = 0.5 },
  { name = "ImgPilColorDistortion", strength = 1.0 },
  { name = "ImgPilGaussianBlur", p = 0.5, radius_min = 0.1, radius_max = 2.0 },
  { name = "ToTensor" },
  { name = "Normalize", mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] },
]
collator = { name = "simclr_collator" }
)";

constexpr const char* kMulticrop = R"(
transforms = [
  { name = "ImgPilToMultiCrop", total_num_crops = 4, num_crops = [2, 2], size_crops = [24, 16], crop_scales = [[0.3, 1.0], [0.1, 0.3]] },
  { name = "RandomHorizontalFlip", p = 0.5 },
  { name = "ToTensor" },
]
collator = { name = "multicrop_collator" }
)";

// Batches of two phases as text, field by field with all bytes.
class Run {
 public:
  explicit Run(const std::filesystem::path& images, const std::string& pipeline,
               const std::string& workers) {
    for (const char* id : {VISSL_IMAGE_ID, VISSL_SAMPLE_ID, VISSL_BATCH_ID}) {
      services_.offer(id, data_service(id));
    }
    copy_plugins();
    const std::vector<std::string> places{(folder_ / "plugins").string()};
    catalogue_ = std::make_unique<PluginCatalogue>(places, discover_plugins(places),
                                                   std::vector<Declaration>(), services_);
    const std::filesystem::path file = folder_ / "exp.toml";
    std::ofstream(file) << "engine = { name = \"nearest_neighbor\" }\nseed_value = "
                           "3\n[data]\nmax_invalid_fraction = 0.2\n[data.train]\n"
                        << "data_sources = [{ name = \"disk_folder\", path = \"" << images.string()
                        << "\" }]\nbatchsize_per_replica = 5\n"
                        << pipeline;
    config_ = resolve_config({file.string()}, {"data.num_workers=" + workers}, *catalogue_);
    engine_ = make_data_engine(config_.root.get(), *catalogue_, log_);
  }

  std::vector<std::string> batches(std::int64_t start = 0) {
    std::vector<std::string> all;
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      PhaseSpec spec;
      spec.split = "train";
      spec.epoch = spec.train_phase = epoch;
      spec.training = true;
      spec.start_batch = start;
      const auto phase = engine_->open(spec, plain_memory());
      while (const auto batch = phase->next()) all.push_back(fake::Run::text(*batch));
    }
    return all;
  }
  DataEngine& engine() { return *engine_; }
  const fake::FakeLogger& log() const { return log_; }

 private:
  // Plugins keep the services that they found first. Other tests of this program load them for the
  // SDK's fake host, whose config nodes differ; a copied file is a plugin of its own.
  void copy_plugins() const {
    std::filesystem::create_directories(folder_ / "plugins");
    for (const auto& entry : std::filesystem::directory_iterator(VISSL_PLUGIN_DIR)) {
      if (entry.path().extension() != ".so") continue;
      std::filesystem::copy_file(entry.path(), folder_ / "plugins" / entry.path().filename());
    }
  }

  vissl::test::TempFolder folder_;
  HostServices services_;
  std::unique_ptr<PluginCatalogue> catalogue_;
  ResolvedConfig config_;
  fake::FakeLogger log_;
  std::unique_ptr<DataEngine> engine_;
};

}  // namespace

TEST_CASE(
    "data path: SimCLR's and multi-crop's batches are the same for any workers and after a "
    "resume") {
  vissl::test::TempFolder folder;
  make_images(folder.path());
  for (const char* pipeline : {kSimclr, kMulticrop}) {
    CAPTURE(pipeline);
    Run run(folder.path(), pipeline, "0");
    const std::vector<std::string> expected = run.batches();
    REQUIRE(expected.size() == 6);
    CHECK(expected[0] != expected[3]);
    CHECK(run.engine().invalid_samples() == 2);  // one file in two phases
    REQUIRE(!run.log().lines.empty());
    CHECK(run.log().lines[0].find(
              "cut.jpg: the JPEG file is truncated; a gray image takes its place") !=
          std::string::npos);
    for (const char* workers : {"1", "4", "40"}) {
      CAPTURE(workers);
      Run other(folder.path(), pipeline, workers);
      CHECK(other.batches() == expected);
      const std::vector<std::string> resumed = other.batches(2);
      CHECK(resumed == std::vector<std::string>{expected[2], expected[5]});
    }
  }
}
