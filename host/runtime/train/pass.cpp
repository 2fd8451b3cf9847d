// A pass of a model over a split, each sample once, without gradient.
#include <torch/csrc/autograd/grad_mode.h>
#include <vissl/run.h>

#include <algorithm>
#include <cstring>

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

// What the callback's `field` looks into.
vissl_tensor* field_of(const void* self, vissl_str name, uint64_t element) {
  const Fields::Field* field = static_cast<const Fields*>(self)->find(view(name));
  return field != nullptr && element < field->tensors.size() ? borrow(field->tensors[element])
                                                             : nullptr;
}

}  // namespace

void Task::pass(const vissl_pass& given) {
  vissl_pass request{};
  std::memcpy(&request, &given,
              std::min<std::size_t>(static_cast<std::size_t>(given.size), sizeof(request)));
  if (request.order > VISSL_PASS_AS_TRAINING)
    throw Error(Exit::bad_plugin, "a pass has an order with an unknown number");
  const std::string split = text(request.split);
  if (!data().has(split)) {
    throw Error(Exit::usage, "a pass over the split '" + split +
                                 "' was asked for, but the config has no [data." + split + "]");
  }
  const torch::autograd::AutoGradMode no_grad(false);
  share_buffers();
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
  spec.each_once = request.order == VISSL_PASS_EACH_ONCE;
  if (!spec.each_once) {
    spec.training = true;
    spec.epoch = spec.train_phase = request.epoch;
  }
  spec.rank = facts_.rank;
  spec.world = facts_.world;
  const std::unique_ptr<Phase> phase = data().open(spec, batch_memory());
  const std::string key = config().strings("data." + split + ".input_key_names").at(0);
  Delivery delivery(*phase, *upload_);
  for (std::int64_t n = 0; request.max_batches <= 0 || n < request.max_batches; ++n) {
    const std::shared_ptr<Batch> batch = delivery.next();
    if (!batch) break;
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
                               batch->indices.size(),
                               &fields,
                               &field_of};
    ErrorSink sink;
    sink.check(request.on_batch(request.ctx, &out, sink.get()), "pass over '" + split + "'");
    // A run that trains saves after the step or phase around this pass.
    if (purpose_ == Purpose::evaluate && session_.services().pending_signal() != 0) {
      throw Error(session_.services().pending_signal() == 2 ? Exit::interrupted : Exit::terminated,
                  "stopped by a signal during a pass over '" + split +
                      "'; nothing was lost, run the same command again");
    }
  }
}

}  // namespace vissl::host
