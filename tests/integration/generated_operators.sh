#!/usr/bin/env bash
# The C++ layer's operators are those of sdk/operators.txt, and an edited table without its files is noticed.
set -euo pipefail
cd "$VISSL_SOURCE_DIR"
python3 scripts/generate_ops.py --check
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/scripts" "$work/sdk/include/vissl"
cp scripts/generate_ops.py "$work/scripts/"
cp -r sdk/include/vissl/generated "$work/sdk/include/vissl/"
sed '$d' sdk/operators.txt > "$work/sdk/operators.txt"
status=0
text=$(python3 "$work/scripts/generate_ops.py" --check 2>&1) || status=$?
[[ $status == 1 && $text == "stale, run scripts/generate_ops.py: "* ]] || { echo "a stale table gives $status: $text"; exit 1; }
