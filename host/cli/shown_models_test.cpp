#include "host/cli/shown_models.hpp"

#include <doctest/doctest.h>

using namespace vissl::host;

namespace {

using Names = std::vector<std::string>;

const std::vector<ShownModel> kModels = {
    {"trunk/resnet", "Residual networks.", "", true},
    {"catalog://ImageNetPretrained/MSRA/R-50", "https://a.example/R-50.pkl", "", false},
    {"torchvision://resnet18", "https://a.example/resnet18-f37072fd.pth", "f37072fd", false},
    {"torchvision://resnet50", "https://a.example/resnet50-0676ba61.pth", "0676ba61", false},
    {"vissl://swav_rn50_800ep", "https://a.example/swav.torch", "", false},
};

Names fitting(const std::string& pattern) {
  Names names;
  for (const ShownModel& model : fitting_models(kModels, pattern)) names.push_back(model.name);
  return names;
}

std::string refusal(const std::string& pattern) {
  try {
    fitting_models(kModels, pattern);
    return "no error";
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    return error.what();
  }
}

}  // namespace

TEST_CASE("show models: a pattern fits whole names and what follows the scheme, in any case") {
  CHECK(fitting("resnet*") ==
        Names{"trunk/resnet", "torchvision://resnet18", "torchvision://resnet50"});
  CHECK(fitting("torchvision://*50") == Names{"torchvision://resnet50"});
  CHECK(fitting("ResNet[15]?") == Names{"torchvision://resnet18", "torchvision://resnet50"});
  CHECK(fitting("*50*").size() == 3);
  CHECK(fitting("resnet18") == Names{"torchvision://resnet18"});
}

TEST_CASE("show models: a pattern that fits nothing tells the nearest names") {
  CHECK(refusal("resnet5O*") ==
        "no model is called 'resnet5O*'; did you mean 'resnet50', "
        "'resnet' or 'resnet18'?");
  CHECK(refusal("vissl://swav_rn50_900ep") ==
        "no model is called 'vissl://swav_rn50_900ep'; did you mean 'vissl://swav_rn50_800ep'?");
  CHECK(refusal("xception*") ==
        "no model is called 'xception*'; 'vissl-host show models' lists all 5");
}
