#include "host/cli/weights_input.hpp"

#include <filesystem>

#include "host/files/locator_text.hpp"
#include "host/files/tensor_list.hpp"

namespace vissl::host {
namespace {

bool is_locator(const std::string& text) {
  std::string rest = text;
  take_fragment(rest);
  return rest != text || !scheme_word(text).name.empty();
}

// The tensors of the branch `keep` alone, without its name: at the top or below "state_dict", as
// where a model is initialized.
Node kept(const Node& tree, const std::string& keep, const std::string& path) {
  Dict top, below;
  for_each_tensor(tree, [&](const std::string& name, const TensorRef& tensor) {
    const std::string state_dict = "state_dict.";
    if (name.starts_with(keep))
      top.set(name.substr(keep.size()), tensor);
    else if (name.starts_with(state_dict + keep))
      below.set(name.substr(state_dict.size() + keep.size()), tensor);
  });
  if (!below.entries().empty()) top.set("state_dict", std::move(below));
  if (top.entries().empty())
    throw Error(Exit::bad_data, path + ": no tensor's name begins with '" + keep +
                                    "', the branch that its locator asks for");
  return top;
}

}  // namespace

WeightsInput::WeightsInput(const CommandContext& context)
    : context_(context), path_(context.options.subject) {
  std::error_code unreadable;
  if (std::filesystem::exists(path_, unreadable) || !is_locator(path_)) return;
  const Located located = session().catalogue().locate(path_);
  path_ = located.path;
  keep_ = located.keep;
}

Session& WeightsInput::session() {
  if (!session_) session_.emplace(context_);
  return *session_;
}

WeightsFile WeightsInput::read(bool verify) {
  WeightsReadOptions options;
  options.formats = this;
  options.verify = verify;
  WeightsFile file = read_weights_file(path_, options);
  if (!keep_.empty()) file.tree = kept(file.tree, keep_, path_);
  return file;
}

bool WeightsInput::read(const FileBytes& file, WeightsFile& out) {
  return session().catalogue().weights_formats().read(file, out);
}

std::vector<std::string> WeightsInput::names() const {
  return session_ ? session_->catalogue().weights_formats().names() : std::vector<std::string>();
}

}  // namespace vissl::host
