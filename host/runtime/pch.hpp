#pragma once
// The precompiled header of the runtime, the one place where libtorch's headers are parsed. Add a
// header here only if most files of host/runtime need it: its size is paid by every one of them.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
