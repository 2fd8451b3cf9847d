// A pass of a model over a split, each sample once, without gradient.
#include <torch/csrc/autograd/grad_mode.h>
#include <vissl/run.h>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {

namespace {

// Class labels of a batch, for the callback; empty when the split has none.
std::vector<std::int64_t> labels_of(DataEngine& data, const std::string& split,
                                    const std::vector<std::int64_t>& indices) {
  std::vector<std::int64_t> labels;
  for (const std::int64_t index : indices) {
    vissl_array array{};
    if (data.label(split, index, &array, nullptr) != VISSL_OK || array.dtype != VISSL_I64 ||
        array.ndim != 0)
      return {};
    labels.push_back(*static_cast<const std::int64_t*>(array.data));
  }
  return labels;
}

}  // namespace

void Task::pass(const vissl_pass& request) {
  const std::string split = text(request.split);
  if (!data().has(split)) {
    throw Error(Exit::usage, "a pass over the split '" + split +
                                 "' was asked for, but the config has no [data." + split + "]");
  }
  const torch::autograd::AutoGradMode no_grad(false);
  vissl_model& used = request.model != nullptr ? *request.model : models_->main();
  std::vector<std::string> features;
  bool heads_wanted = request.feature_count == 0;
  for (std::uint64_t i = 0; i < request.feature_count; ++i) {
    const std::string name = text(request.features[i]);
    if (name == "heads") heads_wanted = true;
    if (name != "heads" && name != "input") features.push_back(name);
  }
  PhaseSpec spec;
  spec.split = split;
  spec.each_once = true;
  spec.rank = facts_.rank;
  spec.world = facts_.world;
  const std::unique_ptr<Phase> phase = data().open(spec, batch_memory());
  const std::string key = config().strings("data." + split + ".input_key_names").at(0);
  Delivery delivery(*phase, *upload_);
  while (const std::shared_ptr<Batch> batch = delivery.next()) {
    const Fields fields = upload_->take(batch);
    const Fields::Field* input = fields.find(key);
    if (input == nullptr)
      throw Error(Exit::usage,
                  "[data." + split + "] gives batches without the field '" + key + "'");
    ModelInput in;
    in.tensors = input->tensors;
    in.list = input->nested;
    in.fields = fields.first_tensors();
    in.training = request.training_mode != 0;
    std::vector<at::Tensor> named, heads;
    {
      const AutocastScope autocast;
      if (!features.empty()) {
        in.features = features;
        named = models_->forward(used, in, false);
      }
      if (heads_wanted) {
        in.features.clear();
        heads = models_->forward(used, in, false);
      }
    }
    std::vector<at::Tensor> outputs;
    std::size_t next_named = 0;
    for (std::uint64_t i = 0; i < request.feature_count; ++i) {
      const std::string name = text(request.features[i]);
      if (name == "input") {
        outputs.push_back(input->tensors.front().flatten(1));
      } else if (name == "heads") {
        outputs.insert(outputs.end(), heads.begin(), heads.end());
      } else {
        outputs.push_back(named.at(next_named++));
      }
    }
    if (request.feature_count == 0) outputs = heads;
    const std::vector<vissl_tensor*> handles = borrow_all(outputs);
    const std::vector<std::int64_t> labels = labels_of(data(), split, batch->indices);
    const vissl_pass_batch out{sizeof out,
                               handles.data(),
                               handles.size(),
                               batch->indices.data(),
                               labels.empty() ? nullptr : labels.data(),
                               batch->indices.size()};
    ErrorSink sink;
    sink.check(request.on_batch(request.ctx, &out, sink.get()), "pass over '" + split + "'");
    if (session_.services().pending_signal() != 0) {
      throw Error(session_.services().pending_signal() == 2 ? Exit::interrupted : Exit::terminated,
                  "stopped by a signal during a pass over '" + split +
                      "'; nothing was lost, run the same command again");
    }
  }
}

}  // namespace vissl::host
