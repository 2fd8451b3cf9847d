// A plugin that was compiled for a libtorch that nobody has.
#include <vissl/loss.h>
#include <vissl/native.h>

#include <vissl/plugin.hpp>

#include "plain.hpp"

namespace {
struct OtherLibtorch {};
const char kFingerprint[] __attribute__((section(VISSL_NATIVE_SECTION), VISSL_KEEP, aligned(1))) =
    "torch 99.0.0, libstdc++ with C++11 ABI 1, sizes 8";
}  // namespace

PLAIN(loss, OtherLibtorch, "other_libtorch")
VISSL_PLUGIN("org.example.other_libtorch", "1.0.0")
