// The weights schemes of OpenMMLab and vis4d. open-mmlab:// and mmcls:// look names up in tables;
// mmdet://, mmseg:// and bdd100k:// stand for the beginning of an address.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include <cstdlib>
#include <filesystem>

#include "tables.hpp"

namespace fs = std::filesystem;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// $MMCV_HOME, where users of mmcv keep a table of their own.
fs::path mmcv_home() {
  if (const std::string home = variable("MMCV_HOME"); !home.empty()) return home;
  const std::string cache = variable("XDG_CACHE_HOME");
  return (cache.empty() ? fs::path(variable("HOME")) / ".cache" : fs::path(cache)) / "mmcv";
}

// Names that mmcv has renamed.
constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
    {"resnet50_caffe", "detectron/resnet50_caffe"},
    {"resnet50_caffe_bgr", "detectron2/resnet50_caffe_bgr"},
    {"resnet101_caffe", "detectron/resnet101_caffe"},
    {"resnet101_caffe_bgr", "detectron2/resnet101_caffe_bgr"},
};

class OpenMmlabWithoutDash {
 public:
  static void params(vissl::Params& p) { model_zoos::declare_additions(p); }
  explicit OpenMmlabWithoutDash(const vissl::Config& c) {
    table_.add(model_zoos::kOpenMmlab, model_zoos::kOpenMmlabCount,
               "https://download.openmmlab.com/pretrain/third_party/");
    // The table has them without "_bgr" at the end.
    table_.add("detectron2/resnet50_caffe_bgr", table_.at("detectron2/resnet50_caffe"));
    table_.add("detectron2/resnet101_caffe_bgr", table_.at("detectron2/resnet101_caffe"));
    const fs::path own = mmcv_home() / "open_mmlab.json";
    std::error_code unreadable;
    if (fs::exists(own, unreadable)) table_.add_file(own.string());
    model_zoos::add_additions(table_, c);
  }
  std::string resolve(const vissl::WeightsRequest& request) const {
    const std::string_view locator = request.locator();
    std::string_view name = vissl::locator_path(locator);
    const std::string scheme(locator.substr(0, locator.size() - name.size()));
    for (const auto& [old, now] : kRenamed) {
      if (name != old) continue;
      request.warn(scheme + std::string(old) + " is deprecated in favor of " + scheme +
                   std::string(now));
      name = now;
      break;
    }
    return table_.at(name);
  }

 protected:
  model_zoos::Table table_{"OpenMMLab", "open-mmlab://"};
};

// Tells its names, which the other spelling would only repeat.
class OpenMmlab : public OpenMmlabWithoutDash {
 public:
  using OpenMmlabWithoutDash::OpenMmlabWithoutDash;
  void names(const vissl::WeightsNames& names) const { table_.names(names); }
};

// Classifiers of which only the backbone is meant.
class Mmcls {
 public:
  static void params(vissl::Params& p) { model_zoos::declare_additions(p); }
  explicit Mmcls(const vissl::Config& c) {
    table_.add(model_zoos::kMmcls, model_zoos::kMmclsCount,
               "https://download.openmmlab.com/mmclassification/v0/");
    model_zoos::add_additions(table_, c);
  }
  std::string resolve(std::string_view locator) const {
    return table_.at(vissl::locator_path(locator)) + kBranch;
  }
  void names(const vissl::WeightsNames& names) const { table_.names(names, kBranch); }

 private:
  static constexpr const char* kBranch = "#keep=backbone.";
  model_zoos::Table table_{"mmcls", "mmcls://"};
};

std::string under(const char* base, std::string_view locator) {
  const std::string rest(vissl::locator_path(locator));
  if (rest.empty())
    vissl::fail(VISSL_E_DATA, std::string("it names no file; what follows stands below ") + base);
  return base + rest;
}

struct Mmdet {
  std::string resolve(std::string_view locator) const {
    return under("https://download.openmmlab.com/mmdetection/v2.0/", locator);
  }
};
struct Mmseg {
  std::string resolve(std::string_view locator) const {
    return under("https://download.openmmlab.com/mmsegmentation/v0.5/", locator);
  }
};
struct Bdd100k {
  std::string resolve(std::string_view locator) const {
    return under("https://dl.cv.ethz.ch/bdd100k/", locator);
  }
};

}  // namespace

VISSL_WEIGHTS_SCHEME(OpenMmlab, "open-mmlab", "OpenMMLab's backbones by name.")
VISSL_WEIGHTS_SCHEME(OpenMmlabWithoutDash, "openmmlab", "The same as open-mmlab.")
VISSL_WEIGHTS_SCHEME(Mmcls, "mmcls", "Backbones of OpenMMLab's classifiers by name.")
VISSL_WEIGHTS_SCHEME(Mmdet, "mmdet", "Files of OpenMMLab's detectors.")
VISSL_WEIGHTS_SCHEME(Mmseg, "mmseg", "Files of OpenMMLab's segmentation models.")
VISSL_WEIGHTS_SCHEME(Bdd100k, "bdd100k", "Files of BDD100K's model zoo.")
