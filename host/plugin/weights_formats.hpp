#pragma once
// Formats of weights that plugins of kind weights_format read (weights_format.h).
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/config/declaration.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

// Loads the plugins of the kind when it is first asked for a file. What they say about a file is
// not trusted: names, types, sizes and places are checked. Opened files keep their instance. [main]
class PluginFormats final : public WeightsFormats {
 public:
  // Both live longer than this and than every file that was read.
  PluginFormats(Catalogue& catalogue, DeclarationIndex& index)
      : catalogue_(catalogue), index_(index) {}

  bool read(const FileBytes& file, WeightsFile& out) override;
  std::vector<std::string> names() const override { return index_.names("weights_format"); }

 private:
  std::shared_ptr<const Instance> format(const std::string& name, const std::string& file);

  Catalogue& catalogue_;
  DeclarationIndex& index_;
  std::map<std::string, std::shared_ptr<const Instance>> formats_;
};

// What `format`, an instance of that kind, says that `file` is; errors name the file and, where the
// plugin breaks its contract, the plugin.
bool recognises(const Instance& format, const FileBytes& file);
void read_with(std::shared_ptr<const Instance> format, const FileBytes& file, WeightsFile& out);

}  // namespace vissl::host
