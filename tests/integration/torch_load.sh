#!/usr/bin/env bash
# Python's torch.load(weights_only=True) reads the files that our writer makes, where Python and torch are at hand.
set -euo pipefail

python=$VISSL_SOURCE_DIR/.venv/bin/python
if [[ ! -x $python ]] || ! "$python" -c 'import torch' 2>/dev/null; then
  echo "not run: no torch in $VISSL_SOURCE_DIR/.venv"
  exit 0
fi
"$python" "$VISSL_SOURCE_DIR/scripts/oracle/check_torch_load.py"
