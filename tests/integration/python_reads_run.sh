#!/usr/bin/env bash
# A run folder as Python sees it: torch.load(weights_only=True) of the checkpoint, TensorBoard's reader, the JSON lines.
set -euo pipefail
# shellcheck source=tests/integration/needs_python.bash
source "$VISSL_SOURCE_DIR/tests/integration/needs_python.bash"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  cat "$VISSL_SOURCE_DIR/tests/integration/small.toml"
  cat <<'TOML'
[data.test]
data_sources = [{ name = "synthetic", length = 10, size = 16, random_images = true, num_labels = 4 }]
batchsize_per_replica = 8
transforms = [{ name = "ToTensor" }]
[[hooks]]
name = "tensorboard"
TOML
} >"$work/run.toml"
sed 's/^name = "sgd"/name = "adamw"\namsgrad = true/' "$work/run.toml" >"$work/adamw.toml"
train() { # NAME OVERRIDE...
  "$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --config "$work/$1.toml" log_frequency=1 data.train.batchsize_per_replica=8 \
    checkpoint.dir="$work/$1" "${@:2}" 2>"$work/log" || { cat "$work/log"; exit 1; }
}
train run optimizer.num_epochs=2
"$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/check_run.py" "$work/run" 2 10

# Adam's state goes on in torch as well.
train adamw
"$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/check_adamw.py" "$work/adamw/model_final_checkpoint_phase0.torch" 5
