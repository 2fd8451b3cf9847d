#!/usr/bin/env bash
# torch.load(weights_only=True), TensorBoard and numpy read the files that our writers make. The unit tests assert
# that the writers make exactly these bytes; this asks the readers themselves, where Python and they are at hand.
set -euo pipefail

if [[ ! -x $VISSL_PYTHON ]]; then
  echo "$VISSL_PYTHON is missing; scripts/setup --oracle makes it"
  exit 1
fi
for script in check_torch_load check_events check_npy; do
  "$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/$script.py"
done
