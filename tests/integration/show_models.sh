#!/usr/bin/env bash
# `show models`: the names that the shipped schemes know, with addresses and hashes, and those of a config.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MMCV_HOME=$work VISSL_OFFLINE=1
unset VISSL_PLUGIN_PATH
status=0
wrong() { echo "show models: $1"; status=1; }
models() { "$VISSL_HOST" show models --plugins "$VISSL_PLUGIN_DIR" "$@"; }

models 'resnet50*' --pretrained >"$work/weights"
grep -qE '^torchvision://resnet50 +https://download.pytorch.org/models/resnet50-0676ba61.pth$' "$work/weights" \
  || wrong "no torchvision://resnet50 in: $(head -3 "$work/weights")"
grep -q '^open-mmlab://resnet50_v1c ' "$work/weights" || wrong "no open-mmlab://resnet50_v1c"
! grep -q '^trunk/' "$work/weights" || wrong "--pretrained shows networks"
models 'resnet*' | grep -q '^trunk/resnet ' || wrong "no network called resnet"
[[ $(models --pretrained | wc -l) -gt 550 ]] || wrong "fewer than 550 names altogether"
[[ $(models 'vissl://*' | wc -l) == 74 ]] || wrong "VISSL's model zoo does not have 74 names"

models 'resnet50.default' --json >"$work/json"
python3 - "$work/json" <<'PY' || wrong "the JSON is: $(cat "$work/json")"
import json, sys
wanted = {"name": "torchvision://resnet50.default", "place": "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
          "sha256": "11ad3fa6"}
sys.exit(json.load(open(sys.argv[1])) != {"networks": [], "weights": [wanted]})
PY

# Every name leads where it is said to: the scheme itself says so when it cannot fetch.
err=$("$VISSL_HOST" inspect --plugins "$VISSL_PLUGIN_DIR" vissl://swav_rn50_800ep 2>&1) && wrong "fetched without a network"
place=$(models vissl://swav_rn50_800ep | tr -s ' ' | cut -d' ' -f2)
[[ $err == *"$place is not cached"* ]] || wrong "vissl://swav_rn50_800ep leads elsewhere than $place: $err"

if models 'resnet5O*' --pretrained 2>"$work/err"; then wrong "an unknown name is no error"; fi
grep -q "no model is called 'resnet5O\*'; did you mean 'resnet50'" "$work/err" || wrong "it says: $(cat "$work/err")"

# The names of a config's weights_schemes.
cat >"$work/exp.toml" <<'TOML'
weights_schemes = [{ name = "torchvision", models = { mine = "/data/mine.pth" } }]
[data.train]
data_sources = [{ name = "synthetic", length = 8, size = 8, num_labels = 2 }]
transforms = [{ name = "ToTensor" }]
[model]
trunk = { name = "resnet", depth = 18 }
heads = [{ name = "mlp", dims = [512, 2] }]
[loss]
name = "CrossEntropyLoss"
[optimizer]
name = "sgd"
num_epochs = 1
TOML
[[ $(models mine --config "$work/exp.toml" | tr -s ' ') == 'torchvision://mine /data/mine.pth' ]] \
  || wrong "the config's own name is missing"
exit $status
