// Forward passes: VISSL's dispatch over single images, crops of several sizes and several inputs.
#include <ATen/ops/cat.h>
#include <c10/util/StringUtil.h>

#include <algorithm>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/sink.hpp"
#include "host/runtime/model/model.hpp"

namespace vissl::host {

namespace {

using Tensors = std::vector<at::Tensor>;

// Batches are RGB; the trunk sees what model.input_type says.
at::Tensor as_input_type(const at::Tensor& image, const std::string& type) {
  if (type == "bgr") return image.flip(1);
  if (type == "lab") return image.narrow(1, 0, 1);  // the first channel is L
  return image;
}

// Images without ToTensor are (N, H, W, C) of bytes, for which libtorch's own words are of no help.
void check_image(const at::Tensor& image) {
  if (at::isFloatingType(image.scalar_type())) return;
  throw Error(Exit::usage,
              c10::str("the batch gives the model ", image.scalar_type(), " values of shape ",
                       image.sizes(),
                       "; trunks take floats, (N, C, H, W) for images: add ToTensor (or "
                       "ImgToTensor) to the split's transforms"));
}

// A module says what it takes where libtorch would speak of matrices. `place`:
// "exp.toml:12:5: model.heads[0]".
void check_input(const Instance& module, const std::string& place, const Tensors& inputs) {
  const auto in_channels = module.as<vissl_head_class>().in_channels;
  if (in_channels == nullptr || inputs.size() != 1 || inputs[0].dim() != 2) return;
  const int64_t wanted = in_channels(module.self()), given = inputs[0].size(1);
  if (wanted < 0 || given == wanted) return;
  throw Error(Exit::usage, c10::str(place, " (", module.name(), ") takes ", wanted,
                                    " channels, but what comes before it gives ", given,
                                    "; set its input width to ", given));
}

// The number of crops from `first` on that go through the trunk together: those of one width that
// follow one another.
std::size_t group_size(const Tensors& crops, std::size_t first, bool alone) {
  std::size_t end = first + 1;
  while (!alone && end < crops.size() && crops[end].size(-1) == crops[first].size(-1)) ++end;
  return end - first;
}

// A component may change grad mode for its own work only.
class ModeCheck {
 public:
  explicit ModeCheck(const Instance& instance)
      : instance_(instance), grad_(at::GradMode::is_enabled()) {}
  void check() const {
    if (at::GradMode::is_enabled() == grad_) return;
    at::GradMode::set_enabled(grad_);
    throw Error(Exit::bad_plugin, instance_.kind() + " '" + instance_.name() +
                                      "' changed the grad mode and did not put it back");
  }

 private:
  const Instance& instance_;
  bool grad_;
};

}  // namespace

std::vector<at::Tensor> Model::forward(const ModelInput& input) {
  ForwardModeScope mode({recompute_, false, false, sync_group_, handle_, input.training});
  if (input.from_features) return run_heads(input.tensors, input);
  if (!input.features.empty()) return input_features(input, request(input.features));
  if (!inputs_.empty()) return forward_mapped(input);
  Tensors features = input_features(input, default_request());
  return trunk_features_only_ ? features : run_heads(std::move(features), input);
}

Model::Request Model::default_request() const {
  Request request;
  for (const Pool& pool : pools_) {
    request.names.push_back(pool.feature);
    request.pools.push_back(&pool);
  }
  return request;
}

// A name that model.feature_eval lists is pooled as its first entry says.
Model::Request Model::request(const std::vector<std::string>& names) const {
  Request request{names, {}};
  for (const std::string& name : names) {
    const auto pool = std::find_if(pools_.begin(), pools_.end(),
                                   [&](const Pool& p) { return p.feature == name; });
    request.pools.push_back(pool == pools_.end() ? nullptr : &*pool);
  }
  return request;
}

// Features of the whole input: crops of one size in one pass, joined over the batch dimension in
// their order.
std::vector<at::Tensor> Model::input_features(const ModelInput& input, const Request& request) {
  if (input.tensors.empty()) throw Error(Exit::run_failed, "the model was given no input");
  if (!input.list) {
    if (input.tensors.size() != 1)
      throw Error(Exit::run_failed, "several tensors were given to the model, but not as a list");
    return trunk_forward(input.tensors.front(), input.extras, request, input.training);
  }
  std::vector<Tensors> passes;
  for (std::size_t first = 0; first < input.tensors.size();) {
    const std::size_t count = group_size(input.tensors, first, single_pass_every_crop_);
    const auto begin = input.tensors.begin() + static_cast<std::ptrdiff_t>(first);
    const at::Tensor crops =
        count == 1 ? *begin : at::cat(Tensors(begin, begin + static_cast<std::ptrdiff_t>(count)));
    passes.push_back(trunk_forward(crops, input.extras, request, input.training));
    first += count;
  }
  if (passes.size() == 1) return passes.front();
  Tensors joined;
  for (std::size_t f = 0; f < passes.front().size(); ++f) {
    Tensors parts;
    for (const Tensors& pass : passes) parts.push_back(pass[f]);
    joined.push_back(at::cat(parts));
  }
  return joined;
}

std::vector<at::Tensor> Model::trunk_forward(
    const at::Tensor& image, const std::vector<std::pair<std::string, at::Tensor>>& extras,
    const Request& request, bool training) {
  check_image(image);
  at::Tensor prepared = as_input_type(image, input_type_);
  if (channels_last_ && prepared.dim() == 4)
    prepared = prepared.contiguous(at::MemoryFormat::ChannelsLast);
  std::vector<vissl_str> input_names{str("image")};
  std::vector<vissl_tensor*> inputs{borrow(prepared)};
  for (const auto& [name, tensor] : extras) {
    input_names.push_back(str(name));
    inputs.push_back(borrow(tensor));
  }
  std::vector<vissl_str> wanted;
  for (const std::string& name : request.names) wanted.push_back(str(name));
  vissl_trunk_call call{};
  call.size = sizeof(call);
  call.input_names = input_names.data();
  call.inputs = inputs.data();
  call.input_count = inputs.size();
  call.features = wanted.data();
  call.feature_count = wanted.size();
  call.training = training && !feature_extractor() ? 1 : 0;
  std::vector<vissl_tensor*> handles(std::max<std::size_t>(request.names.size(), 1), nullptr);
  ErrorSink err;
  const ModeCheck modes(*trunk_);
  const InPlugin place = entering(*trunk_, "forward");
  const vissl_status status =
      trunk_->as<vissl_trunk_class>().forward(trunk_->self(), &call, handles.data(), err.get());
  Tensors features;
  for (vissl_tensor* handle : handles) features.push_back(take(handle));
  err.check(status, "trunk '" + trunk_->name() + "'");
  modes.check();
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (!features[i].defined())
      throw Error(Exit::run_failed,
                  c10::str("trunk '", trunk_->name(), "' did not write feature ", i));
    if (const Pool* pool = i < request.pools.size() ? request.pools[i] : nullptr) {
      features[i] = apply_pool(*pool, features[i]);
      if (flatten_features_) features[i] = features[i].flatten(1);
    }
  }
  return features;
}

// One head per feature; or all heads one after another on one feature.
std::vector<at::Tensor> Model::run_heads(std::vector<at::Tensor> features,
                                         const ModelInput& input) {
  const std::size_t end = input.head_end == 0 ? heads_.size() : input.head_end;
  if (end > heads_.size() || input.head_begin > end)
    throw Error(Exit::run_failed, c10::str("there are no heads ", input.head_begin, " to ", end,
                                           ": model.heads has ", heads_.size()));
  const std::size_t count = end - input.head_begin;
  if (features.size() == count) {
    Tensors outputs;
    for (std::size_t i = 0; i < count; ++i)
      for (at::Tensor& output :
           run_head(heads_[input.head_begin + i], {std::move(features[i])}, input.training))
        outputs.push_back(std::move(output));
    return outputs;
  }
  if (features.size() != 1 || heads_.empty())
    throw Error(Exit::usage,
                c10::str("the trunk gives ", features.size(), " feature(s), but model.heads has ",
                         heads_.size(), "; give one head per feature"));
  for (std::size_t i = input.head_begin; i < end; ++i)
    features = run_head(heads_[i], std::move(features), input.training);
  return features;
}

std::vector<at::Tensor> Model::run_head(Head& head, std::vector<at::Tensor> inputs, bool training) {
  for (std::size_t k = 0; k < head.chain.size(); ++k) {
    const auto& module = head.chain[k];
    check_input(*module, head.chain.size() > 1 ? c10::str(head.place, "[", k, "]") : head.place,
                inputs);
    const auto handles = borrow_all(inputs);
    TensorSink sink;
    ErrorSink err;
    const ModeCheck modes(*module);
    const InPlugin place = entering(*module, "forward");
    err.check(module->as<vissl_head_class>().forward(module->self(), handles.data(), handles.size(),
                                                     training ? 1 : 0, sink.get(), err.get()),
              head.place + " (" + module->name() + ")");
    modes.check();
    if (sink.tensors.empty())
      throw Error(Exit::run_failed, head.place + " (" + module->name() + ") gave no output");
    inputs = std::move(sink.tensors);
  }
  return inputs;
}

// [[model.inputs]]: each key that the batch has goes through the trunk and its own head.
std::vector<at::Tensor> Model::forward_mapped(const ModelInput& input) {
  Tensors outputs;
  for (const Mapping& mapping : inputs_) {
    const auto image = input.fields.find(mapping.key);
    if (image == input.fields.end()) continue;
    std::vector<std::pair<std::string, at::Tensor>> extras;
    for (const std::string& name : mapping.extra) {
      const auto extra = input.fields.find(name);
      if (extra != input.fields.end()) extras.emplace_back(*extra);
    }
    Tensors features =
        trunk_forward(image->second, extras, request(mapping.features), input.training);
    if (!trunk_features_only_) {
      if (heads_.empty() || features.size() != 1)
        throw Error(Exit::usage, c10::str("input '", mapping.key, "' of [[model.inputs]] has ",
                                          features.size(), " features for its head; name one"));
      features = run_head(heads_[mapping.head], std::move(features), input.training);
    }
    for (at::Tensor& feature : features) outputs.push_back(std::move(feature));
  }
  if (outputs.empty()) {
    std::string keys, fields;
    for (const Mapping& mapping : inputs_) keys += " '" + mapping.key + "'";
    for (const auto& field : input.fields) fields += " '" + field.first + "'";
    throw Error(Exit::usage, "the batch has none of the keys of [[model.inputs]]:" + keys +
                                 "; it has" + (fields.empty() ? " no fields" : fields));
  }
  return outputs;
}

}  // namespace vissl::host
