#pragma once
// Tables from names of weights to where they are.
#include <vissl/params.hpp>
#include <vissl/value.hpp>
#include <vissl/weights_scheme.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace model_zoos {

struct Entry {
  const char* name;
  const char* place;  // relative to the table's base
};

extern const Entry kTorchvision[];  // "resnet50", "resnet50.default", "resnet50.imagenet1k_v1"
extern const std::size_t kTorchvisionCount;
extern const Entry kOpenMmlab[];
extern const std::size_t kOpenMmlabCount;
extern const Entry kMmcls[];
extern const std::size_t kMmclsCount;

// Names and places of one zoo; later additions win.
class Table {
 public:
  // `zoo` and `example` are for messages: "torchvision", "torchvision://".
  Table(std::string zoo, std::string scheme) : zoo_(std::move(zoo)), scheme_(std::move(scheme)) {}

  void add(std::string name, std::string place);
  void add(const Entry* entries, std::size_t count, const std::string& base);
  // A JSON file {"name": "place"}; a place without "://" is a file relative to the JSON file's
  // folder. Throws vissl::Failure(VISSL_E_DATA).
  void add_file(const std::string& path);

  // Throws vissl::Failure(VISSL_E_DATA) with up to five names like `name`, and all of a short table
  // or the command that lists a long one.
  const std::string& at(std::string_view name) const;

  // Tells every name, with what stands behind its place in a locator.
  void names(const vissl::WeightsNames& names, const char* fragment = "") const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
  std::string zoo_, scheme_;
};

// Parameters by which users add names: `models` in the config and `table`, a JSON file.
void declare_additions(vissl::Params& p);
void add_additions(Table& table, const vissl::Config& c);

}  // namespace model_zoos
