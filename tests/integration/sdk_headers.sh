#!/usr/bin/env bash
# Every header of the SDK compiles alone: the ABI's as C11 and C++17, the layer over it as C++17, without a warning
# from g++ and from clang++; and the ABI's headers include nothing but <stdint.h>, <stddef.h> and each other (rng*.h,
# which compute, also <math.h>).
set -euo pipefail
include=$VISSL_SOURCE_DIR/sdk/include
flags=(-fsyntax-only -Wall -Wextra -Wconversion -Werror -I "$include")
status=0
checked=0

compile() { # HEADER COMPILER LANGUAGE STANDARD
  checked=$((checked + 1))
  if ! echo "#include <$1>" | "$2" "${flags[@]}" -x "$3" "-std=$4" -; then
    echo "$1 does not compile alone with $2 as $4"
    status=1
  fi
}

cd "$include"
for header in vissl/*.h; do
  for compiler in gcc clang; do compile "$header" "$compiler" c c11; done
  for compiler in g++ clang++; do compile "$header" "$compiler" c++ c++17; done
  allowed='<(stdint|stddef)\.h>|["<]vissl/[a-z_0-9]+\.h[">]|"[a-z_0-9]+\.h"'
  [[ $header != vissl/rng* ]] || allowed+='|<math\.h>'
  foreign=$(grep -hE '^ *# *include' "$header" | grep -vE "$allowed" || true)
  if [[ -n $foreign ]]; then
    echo "$header includes $foreign; a header of the ABI includes only <stdint.h>, <stddef.h> and its own kind"
    status=1
  fi
done
for header in vissl/*.hpp vissl/*/*.hpp; do
  [[ -e $header ]] || continue
  for compiler in g++ clang++; do compile "$header" "$compiler" c++ c++17; done
done
echo "compiled $checked headers"
exit $status
