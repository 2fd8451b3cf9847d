#pragma once
// VISSL_PIXEL_CLONES on a function compiles its loops once per instruction set and picks one when
// the program is loaded. Every clone computes the same numbers: integer loops do by nature, and
// float loops because each file that uses the macro also switches fused multiply-adds off
// (VISSL_PIXEL_STRICT_FLOATS), which AVX-512 would otherwise bring in. Nobody reads the
// floating-point exception flags; saying so lets comparisons of floats become vector selects.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Not under sanitizers: the resolvers run before a sanitizer's own memory exists.
#define VISSL_PIXEL_CLONES __attribute__((target_clones("avx512f", "avx2", "sse4.2", "default")))
#else
#define VISSL_PIXEL_CLONES
#endif

#if defined(__clang__)
#define VISSL_PIXEL_STRICT_FLOATS _Pragma("STDC FP_CONTRACT OFF")
#else
#define VISSL_PIXEL_STRICT_FLOATS \
  _Pragma("GCC optimize(\"O3\", \"fp-contract=off\", \"no-trapping-math\")")
#endif
