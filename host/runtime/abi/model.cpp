// The table of vissl.model/1.
#include <cstring>

#include "host/runtime/abi/given.hpp"
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

// A struct of a plugin as this host knows it: what the plugin did not know is zero.
template <class T>
T known(const T* given) {
  T out{};
  std::memcpy(&out, given, std::min<std::size_t>(static_cast<std::size_t>(given->size), sizeof(T)));
  return out;
}

vissl_status create(const vissl_twin_spec* spec, vissl_model** out, vissl_err* err) {
  return guarded(err, [&] { *out = &models().create(known(spec)); });
}

vissl_status forward(vissl_model* model, const vissl_model_input* input,
                     const vissl_tensor_sink* outputs, vissl_err* err) {
  return guarded(err, [&] {
    const vissl_model_input given = known(input);
    if (given.mode > VISSL_FORWARD_MODE_TRAIN)
      throw Error(Exit::bad_plugin, "a forward pass has a mode with an unknown number");
    ModelInput call;
    for (uint64_t i = 0; i < given.count; ++i) {
      call.tensors.push_back(host::given(given.tensors[i], "forward"));
      if (given.names != nullptr)
        call.fields.emplace(text(given.names[i]), host::given(given.tensors[i], "forward"));
    }
    call.list = given.count > 1;
    for (uint64_t i = 0; i < given.extra_count; ++i)
      call.extras.emplace_back(text(given.extra_names[i]), host::given(given.extras[i], "forward"));
    for (uint64_t i = 0; i < given.feature_count; ++i)
      call.features.push_back(text(given.features[i]));
    call.training = given.training == VISSL_MODE_TRAIN;
    call.from_features = given.from_features != 0;
    call.head_begin = static_cast<std::size_t>(given.head_begin);
    call.head_end = static_cast<std::size_t>(given.head_end);
    for (at::Tensor& output :
         models().forward(*model, std::move(call), given.with_grad != 0, given.mode))
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
