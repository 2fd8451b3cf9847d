// The table of vissl.model/0.
#include <cstring>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/model/models.hpp"

namespace vissl::host {

namespace {

Models& models() {
  if (Models::current() == nullptr)
    throw Error(Exit::bad_plugin, "the model service was called before the run's model was built");
  return *Models::current();
}

vissl_status create(const vissl_twin_spec* spec, vissl_model** out, vissl_err* err) {
  return guarded(err, [&] {
    vissl_twin_spec known{};
    std::memcpy(&known, spec,
                std::min<std::size_t>(static_cast<std::size_t>(spec->size), sizeof(known)));
    *out = &models().create(known);
  });
}

vissl_status forward(vissl_model* model, const vissl_model_input* input,
                     const vissl_tensor_sink* outputs, vissl_err* err) {
  return guarded(err, [&] {
    ModelInput call;
    for (uint64_t i = 0; i < input->count; ++i) call.tensors.push_back(unwrap(input->tensors[i]));
    call.list = input->count > 1;
    for (uint64_t i = 0; i < input->feature_count; ++i)
      call.features.push_back(text(input->features[i]));
    call.training = input->training == VISSL_MODE_TRAIN;
    for (at::Tensor& output : models().forward(*model, std::move(call), input->with_grad != 0))
      outputs->push(outputs->self, wrap(std::move(output)));
  });
}

vissl_status ema_update(vissl_model* twin, vissl_model* source, double momentum, vissl_err* err) {
  return guarded(err, [&] { models().ema_update(*twin, *source, momentum); });
}

vissl_store* store(vissl_model* model) {
  return model->model->store().scope();
}

constexpr vissl_model_api kTable = {sizeof(vissl_model_api), create, forward, ema_update, store};

}  // namespace

const vissl_model_api& model_api() {
  return kTable;
}

}  // namespace vissl::host
