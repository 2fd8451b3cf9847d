#!/usr/bin/env bash
# Every header of the SDK compiles alone: the ABI's as C11 and C++17, the layer over it as C++17, without a warning
# from g++; clang++ accepts the ABI's headers alone and the layer as a whole. The ABI's headers include nothing but
# <stdint.h>, <stddef.h> and each other (rng*.h, which compute, also <math.h>).
set -euo pipefail
cd "$VISSL_SOURCE_DIR/sdk/include"

# shellcheck disable=SC2317  # xargs calls it
compile() { # COMPILER LANGUAGE STANDARD HEADERS...
  local compiler=$1 language=$2 standard=$3
  shift 3
  printf '#include <%s>\n' "$@" |
    "$compiler" -fsyntax-only -Wall -Wextra -Wconversion -Werror -I . -x "$language" "-std=$standard" - || {
    echo "$* does not compile alone with $compiler as $standard"
    return 1
  }
}
export -f compile

status=0
{
  for header in vissl/*.h; do
    echo gcc c c11 "$header"
    echo clang c c11 "$header"
    echo g++ c++ c++17 "$header"
    echo clang++ c++ c++17 "$header"
  done
  for header in vissl/*.hpp vissl/*/*.hpp; do
    # Those of vissl/torch need libtorch's headers; the examples compile them.
    [[ ! -e $header || $header == vissl/torch/* ]] || echo g++ c++ c++17 "$header"
  done
  echo clang++ c++ c++17 vissl/*.hpp
} | xargs -P "$(nproc)" -I LINE bash -c 'compile LINE' || status=1

for header in vissl/*.h; do
  allowed='<(stdint|stddef)\.h>|["<]vissl/[a-z_0-9]+\.h[">]|"[a-z_0-9]+\.h"'
  [[ $header != vissl/rng* ]] || allowed+='|<math\.h>'
  foreign=$(grep -hE '^ *# *include' "$header" | grep -vE "$allowed" || true)
  if [[ -n $foreign ]]; then
    echo "$header includes $foreign; a header of the ABI includes only <stdint.h>, <stddef.h> and its own kind"
    status=1
  fi
done
exit $status
