// One step, top to bottom, in VISSL's order (reference, engine 3.4): forward, FORWARD, loss,
// meters, LOSS_AND_METER, backward, BACKWARD, optimizer, UPDATE. The trainer advances the counters
// and fires STEP. A step of several batches does the first part, up to backward, for each, and adds
// up the gradients.
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <vissl/loss.h>

#include <cmath>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {

namespace {

constexpr const char* kNanRemedy =
    "; lower the learning rate, use machine.precision = \"fp32\", or look at the data with "
    "`vissl-host show batch`";

}  // namespace

void Task::step(const std::shared_ptr<Batch>& batch, const StepPart& part) {
  if (counters.training && part.first()) share_buffers();
  current = StepState{};
  if (session_.services().crash_place != nullptr)
    session_.services().crash_place->iteration = counters.iteration;
  current.record = upload_->take(batch);
  const torch::autograd::AutoGradMode grad(counters.training);
  {
    const AutocastScope autocast;
    forward();
    check_outputs();
    fire(VISSL_EVENT_FORWARD);
    compute_loss();
  }
  if (!counters.training || meter_train_) meters_->update(current.outputs, current.target);
  fire(VISSL_EVENT_LOSS_AND_METER);
  if (!counters.training) return;
  backward(batch->samples, part);
  if (part.last()) update_parameters(part);
}

ModelInput Task::model_input() const {
  const std::vector<std::string>& keys = counters.training ? input_keys_ : test_input_keys_;
  ModelInput input;
  input.training = counters.training;
  const Fields::Field* first = nullptr;
  for (const std::string& key : keys) {
    const Fields::Field* field = current.record.find(key);
    if (field == nullptr) {
      if (keys.size() > 1) continue;  // VISSL: mapped inputs that the batch lacks are skipped
      throw Error(Exit::usage,
                  "the batch has no field '" + key +
                      "', which input_key_names asks for; its collator is the place to look");
    }
    if (!field->nested && field->tensors.size() != 1) {
      throw Error(Exit::usage,
                  "the batch has " + std::to_string(field->tensors.size()) + " tensors in '" + key +
                      "' but the model takes one; use a collator that joins the views");
    }
    if (first == nullptr) first = field;
  }
  if (first == nullptr)
    throw Error(Exit::usage, "the batch has none of the fields of input_key_names");
  input.tensors = first->tensors;
  input.list = first->nested;
  input.fields = current.record.first_tensors();
  return input;
}

void Task::forward() {
  const ModelInput input = model_input();
  current.outputs = model().forward(input);
  const auto& keys = counters.training ? target_keys_ : test_target_keys_;
  if (!keys.empty()) {
    const Fields::Field* target = current.record.find(keys.front());
    if (target != nullptr && !target->tensors.empty()) current.target = target->tensors.front();
  }
  const at::Tensor& rows = current.target.defined() ? current.target : input.tensors.front();
  current.samples = rows.size(0);
}

std::string Task::at_iteration() const {
  return " at iteration " + std::to_string(counters.iteration) + " (epoch " +
         std::to_string(std::max<std::int64_t>(counters.train_phase_idx, 0)) + ")";
}

void Task::check_outputs() const {
  for (std::size_t i = 0; i < current.outputs.size(); ++i) {
    const at::Tensor output = current.outputs[i].detach();
    if (!at::isFloatingType(output.scalar_type())) continue;
    // One pass without a mask first: what is not finite makes the sum so. A large sum may be, too.
    if (std::isfinite(output.sum().item<double>())) continue;
    const at::Tensor finite = at::isfinite(output);
    const std::int64_t wrong = output.numel() - finite.sum().item<std::int64_t>();
    if (wrong == 0) continue;
    const std::vector<std::string>& names = models_->main().model->output_names();
    throw Error(Exit::run_failed,
                "output " + std::to_string(i) +
                    (names.size() == current.outputs.size() ? " (" + names[i] + ")" : "") +
                    " of the model has " + std::to_string(wrong) + " of " +
                    std::to_string(output.numel()) + " values that are not finite" +
                    at_iteration() + kNanRemedy);
  }
}

std::vector<at::Tensor> Task::forward_step(vissl_model& other, bool with_grad, std::uint32_t mode) {
  ModelInput input = model_input();
  return models_->forward(other, std::move(input), with_grad, mode);
}

void Task::compute_loss() {
  const std::vector<vissl_tensor*> outputs = borrow_all(current.outputs);
  vissl_tensor* loss = nullptr;
  const InPlugin place = entering(*loss_, "forward");
  ErrorSink sink;
  sink.check(
      loss_->as<vissl_loss_class>().forward(loss_->self(), handle(), outputs.data(), outputs.size(),
                                            borrow(current.target), &loss, sink.get()),
      "loss (" + loss_->name() + ")");
  current.loss = take(loss);
  if (!current.loss.defined() || current.loss.numel() != 1) {
    throw Error(Exit::run_failed, "loss (" + loss_->name() + ") did not return a single number");
  }
  at::Tensor mean = current.loss.detach().to(at::kDouble).reshape({});
  if (counters.training) collectives().all_reduce(mean, Collectives::Reduce::mean);
  current.mean_loss = mean.item<double>();
  if (!std::isfinite(current.mean_loss)) {
    throw Error(Exit::run_failed, "the loss (" + loss_->name() + ") is " +
                                      (std::isnan(current.mean_loss) ? "NaN" : "infinite") +
                                      at_iteration() + kNanRemedy);
  }
}

// Each batch of a step counts with its share of a full step's samples.
void Task::backward(std::int64_t samples, const StepPart& part) {
  if (part.first()) {
    optimizer_->zero_grad();
    sums_ = {};
  }
  at::Tensor loss = current.loss;
  if (part.count > 1) {
    loss =
        loss * (static_cast<double>(samples) / static_cast<double>(facts_.batch_size * part.count));
  }
  if (scaler_) loss = scaler_->scale(loss);
  // Gradients meet those of the other ranks in the step's last pass, with what the earlier ones
  // left.
  if (part.last()) gradient_sync_->prepare(loss);
  if (loss.requires_grad()) torch::autograd::backward({loss}, {});
  if (part.last()) gradient_sync_->finish();
  sums_.samples += samples;
  sums_.rows += current.samples;
  sums_.loss += current.mean_loss * static_cast<double>(current.samples);
}

void Task::update_parameters(const StepPart& part) {
  if (part.count > 1) join_batches(part);
  const bool finite = !scaler_ || scaler_->unscale(optimizer_->gradients());
  fire(VISSL_EVENT_BACKWARD);
  drop_frozen_gradients();
  schedules_->update_step(counters);
  if (finite) optimizer_->step(*schedules_);
  if (scaler_) {
    current.extras.emplace_back("loss_scale", scaler_->value());
    scaler_->update();
  }
  fire(VISSL_EVENT_UPDATE);
  counters.num_updates += counters.global_batch;
}

// Gradients, loss and samples become those of all the step's batches together.
void Task::join_batches(const StepPart& part) {
  const std::int64_t full = facts_.batch_size * part.count;
  const std::vector<at::Tensor> gradients = optimizer_->gradients();
  if (sums_.samples != full && !gradients.empty()) {
    const torch::autograd::AutoGradMode no_grad(false);
    at::_foreach_mul_(gradients, static_cast<double>(full) / static_cast<double>(sums_.samples));
  }
  current.samples = sums_.rows;
  current.mean_loss = sums_.loss / static_cast<double>(sums_.rows);
  current.loss = at::full({}, current.mean_loss, current.loss.options().requires_grad(false));
}

void Task::drop_frozen_gradients() {
  for (const FrozenFor& frozen : frozen_) {
    if (counters.iteration >= frozen.iterations) continue;
    for (Entry* entry : frozen.entries) entry->tensor.mutable_grad() = at::Tensor();
  }
}

}  // namespace vissl::host
