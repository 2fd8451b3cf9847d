#!/usr/bin/env bash
# Two ranks that torchrun starts, whose agent has a store of its own at the ranks' address, leave what two ranks of --nproc do:
# with an address of the user's, and with the one that --standalone chooses.
set -euo pipefail
# shellcheck source=tests/integration/needs_python.bash
source "$VISSL_SOURCE_DIR/tests/integration/needs_python.bash"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
host=("$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --config "$VISSL_SOURCE_DIR/tests/integration/small.toml"
  machine.threads=1 distributed.timeout_seconds=30)
run() { # NAME COMMAND...
  "${@:2}" checkpoint.dir="$work/$1" 2>"$work/log" || { echo "$1:"; cat "$work/log"; exit 1; }
  grep -q '2 ranks, which meet at ' "$work/log" || { echo "$1 has no ranks:"; cat "$work/log"; exit 1; }
  [[ $1 == nproc ]] || cmp "$work/nproc/metrics.json" "$work/$1/metrics.json"
}
torchrun=("$VISSL_PYTHON" -m torch.distributed.run --no-python --nproc-per-node 2)
run nproc "${host[@]}" --nproc 2
run given "${torchrun[@]}" --master-port $((20000 + $$ % 10000)) "${host[@]}"
run standalone "${torchrun[@]}" --standalone "${host[@]}"
