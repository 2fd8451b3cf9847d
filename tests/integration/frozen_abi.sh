#!/usr/bin/env bash
# What was frozen stays: the places of fields, and the files of golden plugins. Each change is noticed.
set -euo pipefail
cd "$VISSL_SOURCE_DIR"
python3 scripts/abi_offsets.py --check
(cd tests/golden_abi && sha256sum --quiet --check SHA256SUMS)
for file in tests/golden_abi/*.so; do
  grep -q "  ${file##*/}$" tests/golden_abi/SHA256SUMS || { echo "$file is not in SHA256SUMS"; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/scripts" "$work/sdk/tests"
cp scripts/abi_offsets.py "$work/scripts/"
cp -r sdk/include "$work/sdk/"
cp sdk/tests/abi_offsets.h sdk/tests/abi_frozen.txt "$work/sdk/tests/"
expect() {
  local status=0 text
  text=$(python3 "$work/scripts/abi_offsets.py" --check 2>&1) || status=$?
  [[ $status == 1 && $text == "$1"* ]] || { echo "expected '$1', got $status: $text"; exit 1; }
}
# A field put in the middle: the offsets are stale, and written anew they have lost frozen lines.
sed -i 's/^  uint64_t mask;/  uint64_t other; uint64_t mask;/' "$work/sdk/include/vissl/events.h"
expect "stale, run scripts/abi_offsets.py: sdk/tests/abi_offsets.h"
python3 "$work/scripts/abi_offsets.py"
expect "frozen, but changed or gone: ABI_FIELD(vissl_events_class, mask, 8)"
