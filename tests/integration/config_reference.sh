#!/usr/bin/env bash
# configs/README.md is what the host and its plugins declare today, and names every component that there is.
set -euo pipefail
cd "$VISSL_SOURCE_DIR"
if ! difference=$(scripts/reference | diff configs/README.md -); then
  printf 'configs/README.md is out of date (<); run scripts/reference --write:\n%s\n' "$difference" | head -40
  exit 1
fi
count=0
while read -r component; do
  grep -qx "### $component" configs/README.md || { echo "configs/README.md lacks $component"; exit 1; }
  count=$((count + 1))
done < <("$VISSL_HOST" list --json --plugins "$VISSL_PLUGIN_DIR" |
  sed -nE 's/^ *\{"kind": "([^"]+)", "name": "([^"]+)".*/\1\/\2/p')
((count >= 50)) || { echo "list names only $count components"; exit 1; }
echo "$count components"
