// The weights schemes "detectron2", what stands in Detectron2's storage, and "catalog", the Caffe2
// backbones that it knows by name.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include "tables.hpp"

namespace {

using model_zoos::Entry;

// Names without a file; with one the rest of the locator is the place.
constexpr Entry kBaselines[] = {
    {"COCO-Detection/faster_rcnn_R_50_C4_1x", "137257644/model_final_721ade.pkl"},
    {"COCO-Detection/faster_rcnn_R_50_DC5_1x", "137847829/model_final_51d356.pkl"},
    {"COCO-Detection/faster_rcnn_R_50_FPN_1x", "137257794/model_final_b275ba.pkl"},
    {"COCO-Detection/faster_rcnn_R_50_C4_3x", "137849393/model_final_f97cb7.pkl"},
    {"COCO-Detection/faster_rcnn_R_50_DC5_3x", "137849425/model_final_68d202.pkl"},
    {"COCO-Detection/faster_rcnn_R_50_FPN_3x", "137849458/model_final_280758.pkl"},
    {"COCO-Detection/faster_rcnn_R_101_C4_3x", "138204752/model_final_298dad.pkl"},
    {"COCO-Detection/faster_rcnn_R_101_DC5_3x", "138204841/model_final_3e0943.pkl"},
    {"COCO-Detection/faster_rcnn_R_101_FPN_3x", "137851257/model_final_f6e8b1.pkl"},
    {"COCO-Detection/faster_rcnn_X_101_32x8d_FPN_3x", "139173657/model_final_68b088.pkl"},
};

constexpr Entry kBackbones[] = {
    {"ImageNetPretrained/MSRA/R-50", "MSRA/R-50.pkl"},
    {"ImageNetPretrained/MSRA/R-101", "MSRA/R-101.pkl"},
    {"ImageNetPretrained/FAIR/R-50-GN", "47261647/R-50-GN.pkl"},
    {"ImageNetPretrained/FAIR/R-101-GN", "47592356/R-101-GN.pkl"},
    {"ImageNetPretrained/FAIR/X-101-32x8d", "20171220/X-101-32x8d.pkl"},
    {"ImageNetPretrained/FAIR/X-101-64x4d", "FBResNeXt/X-101-64x4d.pkl"},
    {"ImageNetPretrained/FAIR/X-152-32x8d-IN5k", "25093814/X-152-32x8d-IN5k.pkl"},
};

class Detectron2 {
 public:
  static void params(vissl::Params& p) { model_zoos::declare_additions(p); }
  explicit Detectron2(const vissl::Config& c) {
    for (const Entry& entry : kBaselines)
      table_.add(entry.name, kBase + std::string(entry.name) + "/" + entry.place);
    model_zoos::add_additions(table_, c);
  }
  std::string resolve(std::string_view locator) const {
    const std::string name(vissl::locator_path(locator));
    const std::size_t slash = name.rfind('/');
    const bool is_file = slash != std::string::npos && name.find('.', slash) != std::string::npos;
    return is_file ? kBase + name : table_.at(name);
  }
  void names(const vissl::WeightsNames& names) const { table_.names(names); }

 private:
  static constexpr const char* kBase = "https://dl.fbaipublicfiles.com/detectron2/";
  model_zoos::Table table_{"Detectron2", "detectron2://"};
};

class Catalog {
 public:
  static void params(vissl::Params& p) { model_zoos::declare_additions(p); }
  explicit Catalog(const vissl::Config& c) {
    table_.add(kBackbones, std::size(kBackbones),
               "https://dl.fbaipublicfiles.com/detectron/ImageNetPretrained/");
    model_zoos::add_additions(table_, c);
  }
  std::string resolve(std::string_view locator) const {
    return table_.at(vissl::locator_path(locator));
  }
  void names(const vissl::WeightsNames& names) const { table_.names(names); }

 private:
  model_zoos::Table table_{"Detectron2's catalogue", "catalog://"};
};

}  // namespace

VISSL_WEIGHTS_SCHEME(Detectron2, "detectron2", "Files and baselines of Detectron2's storage.")
VISSL_WEIGHTS_SCHEME(Catalog, "catalog", "Caffe2 backbones by Detectron2's names.")
