#!/usr/bin/env bash
# Every binary exports exactly what its contract names, so that no plugin binds to another binary by accident.
set -euo pipefail

exports() { nm -D --defined-only "$1" | awk '{print $3}' | sed 's/@.*//' | sort; }

status=0
expect() { # FILE NAMES...
  local file=$1 met wanted
  shift
  met=$(exports "$file")
  wanted=$(printf '%s\n' "$@")
  if [[ $met != "$wanted" ]]; then
    printf '%s exports\n%s\nbut should export\n%s\n' "$file" "$met" "${wanted:-nothing}" | head -40
    status=1
  fi
}

count=0
for plugin in "$VISSL_PLUGIN_DIR"/*.so; do
  expect "$plugin" vissl_plugin_entry_v1
  count=$((count + 1))
done
expect "$VISSL_BUILD/libvissl_runtime.so" vissl_runtime_announce vissl_runtime_entry vissl_runtime_mapped_name
if [[ -e $VISSL_BUILD/libvissl_cuda.so ]]; then expect "$VISSL_BUILD/libvissl_cuda.so" vissl_cuda_entry; fi
if [[ $(exports "$VISSL_HOST" | grep -c '^_Z') != 0 ]]; then
  echo "$VISSL_HOST exports C++ symbols:"
  exports "$VISSL_HOST" | grep '^_Z' | head
  status=1
fi
sources=$(find "$VISSL_SOURCE_DIR"/plugins -mindepth 2 -maxdepth 2 \( -name '*.cpp' ! -name '*_test.cpp' -o -type d \) | wc -l)
echo "checked $count plugins"
if [[ $count -lt $sources ]]; then
  echo "but plugins/ has the sources of $sources"
  status=1
fi
exit $status
