// The weights schemes "torchvision" and "modelzoo", its older name: torchvision://resnet50 (what
// pretrained=True loaded), resnet50.default, resnet50.imagenet1k_v2, or the enumeration's spelling
// ResNet50_Weights.IMAGENET1K_V2.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include <algorithm>
#include <cctype>

#include "tables.hpp"

namespace {

std::string normal(std::string_view name) {
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t dot = std::min(text.find('.'), text.size());
  for (const auto& [ending, prefix] :
       {std::pair<std::string, std::string>("_quantizedweights", "quantized_"), {"_weights", ""}})
    if (dot >= ending.size() && text.compare(dot - ending.size(), ending.size(), ending) == 0)
      return prefix + text.substr(0, dot - ending.size()) + text.substr(dot);
  return text;
}

class Modelzoo {
 public:
  static void params(vissl::Params& p) { model_zoos::declare_additions(p); }
  explicit Modelzoo(const vissl::Config& c) {
    table_.add(model_zoos::kTorchvision, model_zoos::kTorchvisionCount,
               "https://download.pytorch.org/models/");
    model_zoos::add_additions(table_, c);
  }
  std::string resolve(const vissl::WeightsRequest& request) const {
    request.warn(
        "The URL scheme of \"modelzoo://\" is deprecated, please use \"torchvision://\" "
        "instead");
    return place(request.locator());
  }

 protected:
  std::string place(std::string_view locator) const {
    return table_.at(normal(vissl::locator_path(locator)));
  }
  model_zoos::Table table_{"torchvision", "torchvision://"};
};

// Tells its names, which the older scheme would only repeat.
class Torchvision : public Modelzoo {
 public:
  using Modelzoo::Modelzoo;
  std::string resolve(std::string_view locator) const { return place(locator); }
  void names(const vissl::WeightsNames& names) const { table_.names(names); }
};

}  // namespace

VISSL_WEIGHTS_SCHEME(Torchvision, "torchvision", "torchvision's weights by name.")
VISSL_WEIGHTS_SCHEME(Modelzoo, "modelzoo", "An older name of torchvision.")
VISSL_PLUGIN("org.vissl.model_zoos", "1.0.0")
