#include "host/cli/weights_input.hpp"

#include <filesystem>

#include "host/files/locator_text.hpp"

namespace vissl::host {

WeightsInput::WeightsInput(const CommandContext& context)
    : context_(context), path_(context.options.subject) {
  std::error_code unreadable;
  if (!std::filesystem::exists(path_, unreadable) && !scheme_word(path_).name.empty())
    path_ = session().catalogue().locate(path_).path;
}

Session& WeightsInput::session() {
  if (!session_) session_.emplace(context_);
  return *session_;
}

WeightsFile WeightsInput::read() {
  WeightsReadOptions options;
  options.formats = this;
  return read_weights_file(path_, options);
}

bool WeightsInput::read(const FileBytes& file, WeightsFile& out) {
  return session().catalogue().weights_formats().read(file, out);
}

std::vector<std::string> WeightsInput::names() const {
  return session_ ? session_->catalogue().weights_formats().names() : std::vector<std::string>();
}

}  // namespace vissl::host
