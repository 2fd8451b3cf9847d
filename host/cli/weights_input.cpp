#include "host/cli/weights_input.hpp"

#include <filesystem>

#include "host/files/locator_text.hpp"
#include "host/files/tensor_list.hpp"
#include "host/weights/container.hpp"

namespace vissl::host {
namespace {

bool is_locator(const std::string& text) {
  std::string rest = text;
  take_fragment(rest);
  return rest != text || !scheme_word(text).name.empty();
}

// The tensors of the branch `keep` alone, without its name.
Node kept(const Node& tree, const std::string& keep, const std::string& path) {
  Dict top, below;
  for_each_tensor(tree, [&](const std::string& name, const TensorRef& tensor) {
    const std::optional<BranchName> branch = name_below(keep, name);
    if (!branch) return;
    Dict& to = branch->place.empty() ? top : below;
    if (to.find(branch->rest) != nullptr) throw_same_path(tree, name, path);
    to.set(branch->rest, tensor);
  });
  if (!below.entries().empty()) top.set("state_dict", std::move(below));
  if (top.entries().empty()) throw_no_branch(keep, path);
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

WeightsFile WeightsInput::read(bool verify, bool dequantize) {
  WeightsReadOptions options;
  options.formats = this;
  options.verify = verify;
  options.dequantize = dequantize;
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
