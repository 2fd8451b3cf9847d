#pragma once
#include <c10/core/Device.h>

#include <functional>
#include <string>

namespace vissl::host {

// What machine.precision = "auto" becomes on a machine whose CPU has the named features
// ("amx_bf16").
std::string automatic_precision(at::Device device,
                                const std::function<bool(const char* feature)>& cpu_has);

}  // namespace vissl::host
