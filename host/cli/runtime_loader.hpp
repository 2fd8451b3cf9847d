#pragma once
#include <string>

#include "host/boundary.hpp"
#include "host/plugin/services.hpp"

namespace vissl::host {

// Opens libvissl_runtime.so, and libtorch with it, beside the executable or in ../lib/vissl, and
// starts it with `services`, which must outlive the process. The runtime lives until the process
// ends. Throws Error(Exit::run_failed) that says where it looked, when it is absent, cannot be
// opened, or is of another build. [main, once]
Runtime& load_runtime(const Services& services, const std::string& executable_folder);

// Tells the other ranks, through the same library, that this one has failed before it met them.
// True when rank 0 will tell it to the user. Throws nothing.
bool announce_failure(const Ranks& ranks, const Error& error, const std::string& executable_folder);

// The same library for plugins on libtorch, which may come before the runtime starts: opened, but
// not started.
HostServices::Libtorch libtorch_of_runtime(const std::string& executable_folder);

}  // namespace vissl::host
