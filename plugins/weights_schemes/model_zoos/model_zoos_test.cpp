#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vissl/test.hpp>

#include "temp_folder.hpp"

using vissl::test::ask_for_weights;
using vissl::test::ResolvedWeights;
using vissl::test::TempFolder;
using vissl::test::write_file;

namespace {

// One answer of a scheme, in a home without tables of the user's own.
ResolvedWeights ask(const std::string& locator, const std::string& toml = "",
                    const std::string& home = "/nowhere") {
  ::setenv("MMCV_HOME", home.c_str(), 1);
  vissl::test::Host host;
  host.load(std::string(VISSL_PLUGIN_DIR) + "/model_zoos.so");
  const std::string scheme = locator.substr(0, locator.find(':'));
  return ask_for_weights(host.component("weights_scheme", scheme).create(toml), locator);
}

std::string place(const std::string& locator, const std::string& toml = "") {
  return ask(locator, toml).place;
}

std::string failure(const std::string& locator, const std::string& toml = "",
                    const std::string& home = "/nowhere") {
  try {
    return "no failure but " + ask(locator, toml, home).place;
  } catch (const vissl::Failure& failure) {
    CHECK(failure.status() == VISSL_E_DATA);
    return failure.what();
  }
}

}  // namespace

TEST_CASE("torchvision: classic names, default, members and the enumeration's spelling") {
  const std::string base = "https://download.pytorch.org/models/";
  CHECK(place("torchvision://resnet50") == base + "resnet50-0676ba61.pth");
  CHECK(place("torchvision://resnet50.imagenet1k_v1") == base + "resnet50-0676ba61.pth");
  CHECK(place("torchvision://resnet50.default") == base + "resnet50-11ad3fa6.pth");
  CHECK(place("torchvision://ResNet50_Weights.IMAGENET1K_V2") == base + "resnet50-11ad3fa6.pth");
  CHECK(place("torchvision://ResNet50_Weights.DEFAULT") == base + "resnet50-11ad3fa6.pth");
  CHECK(place("torchvision://ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1") ==
        base + "vit_b_16_swag-9ac1b537.pth");
  CHECK(place("torchvision://GoogLeNet_QuantizedWeights.DEFAULT") ==
        place("torchvision://quantized_googlenet.default"));
  CHECK(place("torchvision://mine", "models = { mine = \"s3://bucket/x.pth\" }") ==
        "s3://bucket/x.pth");
}

TEST_CASE("zoos: each tells all of its names with their places, but no name twice") {
  const auto told = [](const char* scheme, const char* toml = "") {
    ::setenv("MMCV_HOME", "/nowhere", 1);
    vissl::test::Host host;
    host.load(std::string(VISSL_PLUGIN_DIR) + "/model_zoos.so");
    return vissl::test::known_weights(host.component("weights_scheme", scheme).create(toml));
  };
  const auto has = [](const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  const auto torchvision = told("torchvision", "models = { mine = \"s3://bucket/x.pth\" }");
  CHECK(torchvision.size() == 407);
  CHECK(has(torchvision,
            "resnet50.default https://download.pytorch.org/models/resnet50-11ad3fa6.pth"));
  CHECK(has(torchvision, "mine s3://bucket/x.pth"));
  CHECK(told("vissl").size() == 74);
  CHECK(has(told("mmcls"),
            "resnet50 https://download.openmmlab.com/mmclassification/v0/resnet/"
            "resnet50_batch256_imagenet_20200708-cfb998bf.pth#keep=backbone."));
  CHECK(has(told("open-mmlab"),
            "detectron/resnet50_gn https://download.openmmlab.com/pretrain/third_party/"
            "resnet50_gn-9186a21c.pth"));
  CHECK(told("detectron2").size() == 10);
  CHECK(told("catalog").size() == 7);
  for (const char* zoo : {"torchvision", "vissl", "open-mmlab", "mmcls", "detectron2", "catalog"}) {
    CAPTURE(zoo);
    std::set<std::string> names;
    for (const std::string& line : told(zoo)) {
      const std::size_t space = line.find(' ');
      const std::string name = line.substr(0, space);
      CHECK(line.compare(space + 1, 8, "https://") == 0);
      CHECK(names.insert(name).second);
      CHECK(place(zoo + ("://" + name)) == line.substr(space + 1));
    }
  }
  for (const char* other : {"modelzoo", "openmmlab", "mmdet"}) CHECK(told(other).empty());
}

TEST_CASE("zoos: an unknown name gets the nearest five and the command that lists all") {
  CHECK(failure("torchvision://resnet51") ==
        "torchvision has no weights 'resnet51'; near: resnet50, resnet18, resnet34, resnet101, "
        "resnet152; 'vissl-host show models \"torchvision://*\"' lists all 406");
  CHECK(failure("modelzoo://vitb16").find("'vitb16'; near: vit_b_16, ") != std::string::npos);
  CHECK(failure("torchvision://vit_")
            .find("'vit_'; near: vit_b_16, vit_b_32, vit_l_16, "
                  "vit_l_32, vit_b_16.default; ") != std::string::npos);
  CHECK(failure("torchvision://nothing-like-it") ==
        "torchvision has no weights 'nothing-like-it'; 'vissl-host show models "
        "\"torchvision://*\"' lists all 406");
  CHECK(failure("torchvision://") ==
        "it names no weights of torchvision; 'vissl-host show models \"torchvision://*\"' lists "
        "all 406");
  CHECK(failure("openmmlab://resnet50_v1f")
            .find("OpenMMLab has no weights 'resnet50_v1f'; near: "
                  "resnet50_v1c, ") == 0);
  CHECK(failure("openmmlab://resnet50_v1f").find("'vissl-host show models \"open-mmlab://*\"' ") !=
        std::string::npos);
  CHECK(failure("mmcls://resnet51").find("mmcls has no weights 'resnet51'; near: resnet50, ") == 0);
  CHECK(failure("detectron2://COCO-Detection/faster_rcnn_R_50_FPN_2x")
            .find("near: COCO-Detection/faster_rcnn_R_50_FPN_1x, "
                  "COCO-Detection/faster_rcnn_R_50_FPN_3x, ") != std::string::npos);
  for (const char* zoo : {"torchvision", "vissl", "open-mmlab", "mmcls", "detectron2", "catalog"}) {
    CAPTURE(zoo);
    CHECK(failure(zoo + std::string("://no such thing")).size() < 1000);
    CHECK(failure(zoo + std::string("://")).size() < 1000);
  }
}

TEST_CASE("modelzoo: leads where torchvision does, and warns") {
  const ResolvedWeights got = ask("modelzoo://resnet18");
  CHECK(got.place == "https://download.pytorch.org/models/resnet18-f37072fd.pth");
  CHECK(got.warnings == std::vector<std::string>{"The URL scheme of \"modelzoo://\" is deprecated, "
                                                 "please use \"torchvision://\" instead"});
}

TEST_CASE("open-mmlab: names, renamed ones, both spellings, and tables of the user's own") {
  const std::string base = "https://download.openmmlab.com/pretrain/third_party/";
  CHECK(place("open-mmlab://detectron/resnet50_gn") == base + "resnet50_gn-9186a21c.pth");
  CHECK(place("openmmlab://resnet50_v1c") == base + "resnet50_v1c-2cccc1ad.pth");
  CHECK(place("open-mmlab://mmedit/vgg16") ==
        "https://download.openmmlab.com/mmediting/third_party/vgg_state_dict.pth");
  const ResolvedWeights old = ask("open-mmlab://resnet50_caffe");
  CHECK(old.place == base + "resnet50_caffe-788b5fa3.pth");
  CHECK(old.warnings ==
        std::vector<std::string>{"open-mmlab://resnet50_caffe is deprecated in favor of "
                                 "open-mmlab://detectron/resnet50_caffe"});
  CHECK(ask("openmmlab://resnet101_caffe_bgr").warnings ==
        std::vector<std::string>{"openmmlab://resnet101_caffe_bgr is deprecated in favor of "
                                 "openmmlab://detectron2/resnet101_caffe_bgr"});

  const TempFolder home;
  write_file(
      home / "open_mmlab.json",
      "{\n \"own\": \"nets/own.pth\", \"gone\": null,\n \"far\": \"https://a.example/b\"}\n");
  CHECK(ask("open-mmlab://own", "", home.path()).place == (home / "nets/own.pth").string());
  CHECK(ask("open-mmlab://far", "", home.path()).place == "https://a.example/b");
  CHECK(failure("open-mmlab://gone", "", home.path()).find("OpenMMLab has no weights 'gone'") == 0);
  const std::string table = "table = \"" + (home / "open_mmlab.json").string() + "\"";
  CHECK(place("open-mmlab://far", table) == "https://a.example/b");
  write_file(home / "open_mmlab.json", "[1]");
  CHECK(failure("open-mmlab://far", table) ==
        (home / "open_mmlab.json").string() +
            " is no table of names: at byte 0 there should be '{'; it must be a JSON object "
            "{\"name\": \"place\"}");
  CHECK(failure("open-mmlab://far", "table = \"/nowhere/x.json\"") ==
        "cannot read the table of names /nowhere/x.json");
}

TEST_CASE("mmcls: leads to the classifier, of which only the backbone counts") {
  CHECK(place("mmcls://resnet50") ==
        "https://download.openmmlab.com/mmclassification/v0/resnet/"
        "resnet50_batch256_imagenet_20200708-cfb998bf.pth#keep=backbone.");
  CHECK(failure("mmcls://vgg19").find("mmcls has no weights 'vgg19'; ") == 0);
}

TEST_CASE("mmdet, mmseg, bdd100k: stand for the beginning of an address") {
  CHECK(place("mmdet://faster_rcnn/a.pth") ==
        "https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/a.pth");
  CHECK(place("mmseg://fcn/a.pth") ==
        "https://download.openmmlab.com/mmsegmentation/v0.5/fcn/a.pth");
  CHECK(place("bdd100k://det/a.pth") == "https://dl.cv.ethz.ch/bdd100k/det/a.pth");
  CHECK(failure("mmdet://") ==
        "it names no file; what follows stands below "
        "https://download.openmmlab.com/mmdetection/v2.0/");
}

TEST_CASE("detectron2, catalog: files, baselines and backbones") {
  CHECK(place("detectron2://ImageNetPretrained/MSRA/R-50.pkl") ==
        "https://dl.fbaipublicfiles.com/detectron2/ImageNetPretrained/MSRA/R-50.pkl");
  CHECK(
      place("detectron2://COCO-Detection/faster_rcnn_R_50_FPN_1x") ==
      "https://dl.fbaipublicfiles.com/detectron2/COCO-Detection/faster_rcnn_R_50_FPN_1x/137257794/"
      "model_final_b275ba.pkl");
  CHECK(place("catalog://ImageNetPretrained/MSRA/R-50") ==
        "https://dl.fbaipublicfiles.com/detectron/ImageNetPretrained/MSRA/R-50.pkl");
  CHECK(failure("catalog://ImageNetPretrained/MSRA/R-18")
            .find("Detectron2's catalogue has no weights 'ImageNetPretrained/MSRA/R-18'; near: "
                  "ImageNetPretrained/MSRA/R-50, ImageNetPretrained/MSRA/R-101, ") == 0);
  CHECK(failure("catalog://") ==
        "it names no weights of Detectron2's catalogue; there are: "
        "ImageNetPretrained/FAIR/R-101-GN, ImageNetPretrained/FAIR/R-50-GN, "
        "ImageNetPretrained/FAIR/X-101-32x8d, ImageNetPretrained/FAIR/X-101-64x4d, "
        "ImageNetPretrained/FAIR/X-152-32x8d-IN5k, ImageNetPretrained/MSRA/R-101, "
        "ImageNetPretrained/MSRA/R-50");
  CHECK(failure("detectron2://COCO/x").find("Detectron2 has no weights 'COCO/x'; ") == 0);
}

TEST_CASE("vissl: the model zoo by short names, all of which differ") {
  const std::string base = "https://dl.fbaipublicfiles.com/vissl/model_zoo/";
  CHECK(place("vissl://swav_rn50_800ep") ==
        base +
            "swav_in1k_rn50_800ep_swav_8node_resnet_27_07_20.a0a6b676/"
            "model_final_checkpoint_phase799.torch");
  CHECK(place("vissl://mocov3_vit_b16_300ep") == base + "swav_rn50w5/mocov3-vit-b-300ep.pth.tar");
  CHECK(failure("vissl://swav_rn50_900ep").find("swav_rn50_800ep") != std::string::npos);
}
