#!/usr/bin/env bash
# Two ranks that torchrun starts, whose agent has a store of its own at the ranks' address, leave what two ranks of --nproc do:
# with an address of the user's, and with the one that --standalone chooses.
set -euo pipefail
if [[ ! -x $VISSL_PYTHON ]]; then
  echo "$VISSL_PYTHON is missing; scripts/setup --oracle makes it"
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/run.toml" <<'TOML'
[data.train]
data_sources = [{ name = "synthetic", length = 40, size = 16, random_images = true, num_labels = 4 }]
batchsize_per_replica = 4
transforms = [{ name = "RandomHorizontalFlip" }, { name = "ToTensor" }]
[machine]
threads = 1
[model]
trunk = { name = "resnet", depth = 18, width_multiplier = 0.0625, stem_kernel = 3, stem_stride = 1, stem_pool = false }
heads = [{ name = "mlp", dims = [32, 4] }]
[loss]
name = "cross_entropy_multiple_output_single_target"
[optimizer]
name = "sgd"
num_epochs = 1
[optimizer.param_schedulers.lr]
name = "constant"
value = 0.05
[[meters]]
name = "accuracy_list_meter"
[distributed]
timeout_seconds = 30
TOML
host=("$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --config "$work/run.toml")
run() { # NAME COMMAND...
  "${@:2}" checkpoint.dir="$work/$1" 2>"$work/log" || { echo "$1:"; cat "$work/log"; exit 1; }
  grep -q '2 ranks, which meet at ' "$work/log" || { echo "$1 has no ranks:"; cat "$work/log"; exit 1; }
  [[ $1 == nproc ]] || cmp "$work/nproc/metrics.json" "$work/$1/metrics.json"
}
torchrun=("$VISSL_PYTHON" -m torch.distributed.run --no-python --nproc-per-node 2)
run nproc "${host[@]}" --nproc 2
run given "${torchrun[@]}" --master-port $((20000 + $$ % 10000)) "${host[@]}"
run standalone "${torchrun[@]}" --standalone "${host[@]}"
