#!/usr/bin/env bash
# The demo's loss in bf16 is that of fp32: every step within 5 %, the mean of an epoch within 3 %.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for precision in fp32 bf16; do
  "$VISSL_HOST" --plugins "$VISSL_PLUGIN_DIR" --quiet --config "$VISSL_SOURCE_DIR/configs/demo/simclr_fashion_mnist.toml" \
    data.train.data_limit.count=1280 optimizer.num_epochs=4 log_frequency=1 "machine.precision=$precision" \
    "checkpoint.dir=$work/$precision"
done
python3 - "$work" <<'E2'
import json, sys
def losses(precision):
    return [json.loads(line)["loss"] for line in open(f"{sys.argv[1]}/{precision}/stdout.json")]
full, half = losses("fp32"), losses("bf16")
assert len(full) == len(half) == 20 and full != half, (full, half)
assert sum(full[-5:]) < 0.95 * sum(full[:5]), full  # it learns
steps = [abs(a - b) / a for a, b in zip(full, half)]
assert max(steps) < 0.05, steps
for epoch in range(4):
    a, b = (sum(values[5 * epoch:5 * epoch + 5]) for values in (full, half))
    assert abs(a - b) / a < 0.03, (epoch, a, b)
E2
