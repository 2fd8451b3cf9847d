/* A plugin that uses libtorch's C++ interface says for which libtorch it was compiled: by a zero-terminated text in this ELF section
 * (torch/native.hpp writes it). The host opens such a file only when the text equals its own. */
#ifndef VISSL_NATIVE_H
#define VISSL_NATIVE_H

#define VISSL_NATIVE_SECTION ".vissl_native"

#endif
