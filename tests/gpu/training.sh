#!/usr/bin/env bash
# SimCLR on a GPU: in fp32, bf16 and fp16 the loss falls within twenty steps, a second run equals the first bit for bit
# (also without pinned memory and with blocking copies), and a killed run ends as an undisturbed one.
set -euo pipefail
source "$VISSL_SOURCE_DIR/tests/gpu/machine.sh"
need_gpus 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs SimCLR into $work/NAME with further settings; KILL = "iteration signal" ends it there.
train() { # NAME [SETTING...]
  local name=$1 status=0
  shift
  "$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --plugins "$VISSL_TEST_PLUGIN_DIR/run" \
    --config "$VISSL_SOURCE_DIR/configs/demo/simclr_fashion_mnist.toml" --config "$work/short.toml" \
    checkpoint.dir="$work/$name" "$@" 2>"$work/$name.log" || status=$?
  return "$status"
}
cat >"$work/short.toml" <<TOML
log_frequency = 1
machine.device = "cuda"
data.num_workers = 2
data.train.data_limit.count = 2560
data.train.batchsize_per_replica = 128
optimizer.num_epochs = 1
checkpoint.iter_frequency = 3
[[hooks]]
name = "kill_at"
file = "$work/kill"
TOML
same() { # NAME NAME
  "$VISSL_BUILD/compare_runs" "$work/$1" "$work/$2" >"$work/differences" ||
    fail "$1 and $2 differ: $(head -5 "$work/differences")"
}

for precision in fp32 bf16 fp16; do
  train "$precision" machine.precision=$precision || fail "$precision: $(tail -5 "$work/$precision.log")"
  train "again_$precision" machine.precision=$precision data.pin_memory=false data.async_copy=false ||
    fail "$precision again: $(tail -5 "$work/again_$precision.log")"
  same "$precision" "again_$precision"
  "$VISSL_PYTHON" - "$work/$precision/stdout.json" "$work/$precision/env.json" <<'PY' || fail "$precision does not learn"
import json, sys
steps = [json.loads(line) for line in open(sys.argv[1])]
loss = [step["loss"] for step in steps]
print(f"loss {loss[0]} -> {loss[-1]}, {steps[-1]['btime(ms)']} ms a step, {steps[-1]['peak_mem(M)']} MiB")
assert len(loss) == 20 and sum(loss[-5:]) / 5 < sum(loss[:5]) / 5 - 0.05, loss
assert steps[-1]["peak_mem(M)"] > 0
assert json.load(open(sys.argv[2]))["gpu"]["name"]
PY
  for kill in "8 9" "13 9"; do
    echo "$kill" >"$work/kill"
    status=0
    train "killed_$precision" machine.precision=$precision || status=$?
    [[ $status == 137 ]] || fail "a kill at $kill ends with $status: $(tail -3 "$work/killed_$precision.log")"
  done
  rm "$work/kill"
  train "killed_$precision" machine.precision=$precision || fail "resume: $(tail -5 "$work/killed_$precision.log")"
  grep -q "resuming at iteration 12 " "$work/killed_$precision.log" || fail "the last run resumed elsewhere"
  same "$precision" "killed_$precision"
done
grep -i "compute capability" "$work/fp32.log" || fail "the log does not name the GPU"
