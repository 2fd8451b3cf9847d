#pragma once
// The service tables that the runtime hands to plugins; static data.
#include <vissl/autograd.h>
#include <vissl/collectives.h>
#include <vissl/model.h>
#include <vissl/run.h>
#include <vissl/store.h>
#include <vissl/tensor.h>

namespace vissl::host {

const vissl_tensor_api& tensor_api();
const vissl_store_api& store_api();
const vissl_autograd_api& autograd_api();
const vissl_collectives_api& collectives_api();  // forwards to dist/collectives.hpp
const vissl_model_api& model_api();  // forwards to the current Models (model/models.hpp)
const vissl_run_api& run_api();      // calls go to the Task of the vissl_run* they are given

}  // namespace vissl::host
