#!/usr/bin/env bash
# A run folder as Python sees it: torch.load(weights_only=True) of the checkpoint, TensorBoard's reader, the JSON lines.
set -euo pipefail
if [[ ! -x $VISSL_PYTHON ]]; then
  echo "$VISSL_PYTHON is missing; scripts/setup --oracle makes it"
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed "s|RUN|$work/run|" > "$work/run.toml" <<'TOML'
log_frequency = 1
[data.train]
data_sources = [{ name = "synthetic", length = 40, size = 16, random_images = true, num_labels = 4 }]
batchsize_per_replica = 8
transforms = [{ name = "RandomHorizontalFlip" }, { name = "ToTensor" }]
[data.test]
data_sources = [{ name = "synthetic", length = 10, size = 16, random_images = true, num_labels = 4 }]
batchsize_per_replica = 8
transforms = [{ name = "ToTensor" }]
[model]
trunk = { name = "resnet", depth = 18, width_multiplier = 0.0625, stem_kernel = 3, stem_stride = 1, stem_pool = false }
heads = [{ name = "mlp", dims = [32, 4] }]
[loss]
name = "cross_entropy_multiple_output_single_target"
[optimizer]
name = "sgd"
num_epochs = 2
[optimizer.param_schedulers.lr]
name = "constant"
value = 0.05
[[meters]]
name = "accuracy_list_meter"
[[hooks]]
name = "tensorboard"
[checkpoint]
dir = "RUN"
TOML
"$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --config "$work/run.toml" 2> "$work/log" || { cat "$work/log"; exit 1; }
"$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/check_run.py" "$work/run" 2 10

# Adam's state goes on in torch as well.
sed "s|$work/run|$work/adamw|; s|^name = \"sgd\"|name = \"adamw\"\namsgrad = true|; s|^num_epochs = 2|num_epochs = 1|" "$work/run.toml" > "$work/adamw.toml"
"$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --config "$work/adamw.toml" 2> "$work/log" || { cat "$work/log"; exit 1; }
"$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/check_adamw.py" "$work/adamw/model_final_checkpoint_phase0.torch" 5
