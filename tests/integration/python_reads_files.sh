#!/usr/bin/env bash
# torch.load(weights_only=True), TensorBoard and numpy read the files that our writers make. The unit tests assert
# that the writers make exactly these bytes; this asks the readers themselves, where Python and they are at hand.
set -euo pipefail

# shellcheck source=tests/integration/needs_python.bash
source "$VISSL_SOURCE_DIR/tests/integration/needs_python.bash"
for script in check_torch_load check_events check_npy; do
  "$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/$script.py"
done
