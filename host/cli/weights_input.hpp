#pragma once
// The file of weights that a command is about.
#include <optional>
#include <string>

#include "host/cli/session.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

// Plugins are looked for when one is needed: for a locator, or a file of a format that is not
// ours. Lives longer than the file that it reads.
class WeightsInput final : private WeightsFormats {
 public:
  // `context.options.subject` is a path or a locator, whose pin is compared.
  explicit WeightsInput(const CommandContext& context);

  const std::string& path() const { return path_; }
  // Throws Error that names the path. Warnings are the caller's to show. With `verify` all data is
  // read and compared with the checksums that the format has. With `dequantize` quantised tensors
  // are float32, otherwise their integers.
  WeightsFile read(bool verify, bool dequantize = false);
  Session& session();

 private:
  bool read(const FileBytes& file, WeightsFile& out) override;
  std::vector<std::string> names() const override;

  const CommandContext& context_;
  mutable std::optional<Session> session_;
  std::string path_;
  std::string keep_;  // the branch that the locator asks for, "backbone."; empty = all
};

}  // namespace vissl::host
