#pragma once
// The state dict inside a pickled module.
#include "host/files/torch_script_names.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

// Replaces, anywhere in the tree, an object of torch.nn.Module's or TorchScript's form by the dict
// that its state_dict() would give, and adds a warning that names its class; and an object that
// behaves as a dict by a dict.
//
// Of a TorchScript class that `script` knows only the parameters and buffers count, of any other
// all tensors.
void take_module_states(WeightsFile& file, const ScriptNames& script = {});

}  // namespace vissl::host
