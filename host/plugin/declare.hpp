#pragma once
// Runs a component's `declare` and keeps what it says. The host side of the service
// "vissl.params/1".
#include <vissl/abi.h>
#include <vissl/params.h>

#include "host/config/declaration.hpp"

namespace vissl::host {

const vissl_params_api& params_api();

// Fills params, derivations … of `declaration`, whose kind, name and file are set. Throws
// Error(Exit::bad_plugin) that names the file when `declare` fails or declares nonsense: a name
// twice, a default that does not fit its own type …
void run_declare(const vissl_component& component, Declaration& declaration);

// The config of a component that no config mentions: its name and the defaults of its parameters.
Value config_of_defaults(const std::string& name, const Declaration* declaration);
// The first parameter that it cannot do without; NULL = it has a default for each.
const Param* first_required(const Declaration* declaration);

}  // namespace vissl::host
