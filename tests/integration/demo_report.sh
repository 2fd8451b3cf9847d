#!/usr/bin/env bash
# The demo's verdict on a summary: good enough, a regression, and a training that was cut short are told apart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

expect() { # CODE LAST_LINE TRAINED PIXELS STEPS
  local met=0 text
  cat > "$work/summary.json" <<JSON
{
  "finished": true,
  "img_per_s": 1400.4,
  "iterations": $5,
  "knn_top1": $3,
  "knn_top1_random_init": 0.7954,
  "knn_top1_raw_pixels": $4,
  "train_seconds": 256.2
}
JSON
  text=$("$VISSL_SOURCE_DIR/scripts/demo_report" "$work/summary.json" 1404 2>&1) || met=$?
  [[ $met == "$1" ]] || { echo "exit code $met instead of $1: $text"; exit 1; }
  [[ $(tail -n 1 <<<"$text") == "$2" ]] || { echo "expected '$2', got: $text"; exit 1; }
}
files="All files are in $work: summary.json, metrics.csv, views.png (what the network saw), checkpoint.torch."
expect 0 "$files" 0.8704 0.8459 1404
expect 0 "$files" 0.8609 0.8459 1404  # exactly 1.5 points
expect 1 "demo: the trained trunk is 1.49 points above raw pixels instead of 1.5 or more: something is wrong with this build" 0.8608 0.8459 1404
expect 1 "demo: trained for 234 of 1404 steps only, the trunk is -1.00 points above raw pixels; the whole training gives 1.5 or more" 0.8359 0.8459 234.0
echo '{}' > "$work/summary.json"
met=0
text=$("$VISSL_SOURCE_DIR/scripts/demo_report" "$work/summary.json" 1404 2>&1) || met=$?
[[ $met == 1 && $text == "demo: $work/summary.json has no knn_top1;"* ]] || { echo "an empty summary gives $met: $text"; exit 1; }

# The demo trains the steps that it announces.
config=$VISSL_SOURCE_DIR/configs/demo/simclr_fashion_mnist.toml
grep -q '^batchsize_per_replica = 256' "$config" && grep -q '^drop_last = true' "$config" || { echo "scripts/demo counts steps of 256 images"; exit 1; }
