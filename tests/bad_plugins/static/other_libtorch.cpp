// It is compiled for a libtorch that this host does not run.
#include <vissl/native.h>

#include "bad.hpp"
static const char kFingerprint[]
    __attribute__((section(VISSL_NATIVE_SECTION), VISSL_KEEP, aligned(1))) =
        "torch 99.0.0, libstdc++ with C++11 ABI 1, sizes 8";
RIGHT_SCHEDULE("other_libtorch")
VISSL_PLUGIN("org.example.other_libtorch", "1.0.0")
