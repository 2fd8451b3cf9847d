#!/usr/bin/env bash
# Every config of tests/configs_bad is refused with exactly the message and exit code that stand beside it.
#   NAME.toml      the config; it may extend base/good.toml
#   NAME.args      further arguments, one per line (optional)
#   NAME.expected  "exit CODE", then stderr; PLUGINS stands for the folder of the fixture plugins
set -euo pipefail
plugins=$VISSL_TEST_PLUGIN_DIR/fixture
cd "$VISSL_SOURCE_DIR/tests/configs_bad"

run() { # NAME -> "exit CODE" and stderr
  local args=() text code=0
  if [[ -e $1.args ]]; then mapfile -t args < "$1.args"; fi
  text=$("$VISSL_HOST" show config --plugins "$plugins" --config "$1.toml" "${args[@]}" 2>&1 > /dev/null) || code=$?
  printf 'exit %s\n%s\n' "$code" "${text//"$plugins"/PLUGINS}"
}

if ! "$VISSL_HOST" show config --plugins "$plugins" --config base/good.toml > /dev/null; then
  echo "base/good.toml is refused, so the others prove nothing"
  exit 1
fi
count=0 failed=0
for file in *.toml; do
  name=${file%.toml}
  count=$((count + 1))
  if ! difference=$(diff "$name.expected" <(run "$name")); then
    printf '%s\n%s\n' "$name (< expected, > met):" "$difference"
    failed=$((failed + 1))
  fi
done
echo "$count wrong configs, $failed with another answer than expected"
((count >= 50 && failed == 0))
