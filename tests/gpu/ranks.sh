#!/usr/bin/env bash
# SimCLR on two GPUs with NCCL and synchronised batch norm: a second run equals the first bit for bit, and the end of one
# rank ends the other with code 5 and a sentence.
set -euo pipefail
source "$VISSL_SOURCE_DIR/tests/gpu/machine.sh"
need_gpus 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/short.toml" <<TOML
log_frequency = 1
machine.device = "cuda"
data.num_workers = 2
data.train.data_limit.count = 2560
data.train.batchsize_per_replica = 64
model.sync_bn.convert_bn_to_sync_bn = true
optimizer.num_epochs = 1
TOML
train() { # NAME [SETTING...]
  local name=$1 status=0
  shift
  "$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --plugins "$VISSL_TEST_PLUGIN_DIR/run" \
    --config "$VISSL_SOURCE_DIR/configs/demo/simclr_fashion_mnist.toml" --config "$work/short.toml" --nproc 2 \
    checkpoint.dir="$work/$name" "$@" 2>"$work/$name.log" || status=$?
  return "$status"
}

for precision in fp32 bf16; do
  train "$precision" machine.precision=$precision || fail "$precision: $(tail -5 "$work/$precision.log")"
  train "again_$precision" machine.precision=$precision || fail "again: $(tail -5 "$work/again_$precision.log")"
  "$VISSL_BUILD/compare_runs" "$work/$precision" "$work/again_$precision" >"$work/differences" ||
    fail "two runs in $precision differ: $(head -5 "$work/differences")"
done

echo "8 9 1" >"$work/kill"
status=0
train killed "hooks=[{ name = \"kill_at\", file = \"$work/kill\" }]" || status=$?
[[ $status == 5 ]] || fail "a killed rank ends the run with $status: $(tail -3 "$work/killed.log")"
grep -q "rank 1" "$work/killed.log" || fail "the lost rank is not named: $(tail -3 "$work/killed.log")"
