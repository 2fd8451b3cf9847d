#!/usr/bin/env bash
# torch.load(weights_only=True), TensorBoard and numpy read the files that our writers make. The unit tests assert
# that the writers make exactly these bytes; this asks the readers themselves, where Python and they are at hand.
set -euo pipefail

python=$VISSL_SOURCE_DIR/.venv/bin/python
check() { # MODULE SCRIPT
  if [[ ! -x $python ]] || ! "$python" -c "import $1" 2>/dev/null; then
    echo "not run: $2 needs $1 in $VISSL_SOURCE_DIR/.venv"
    return 0
  fi
  "$python" "$VISSL_SOURCE_DIR/scripts/oracle/$2"
}
check torch check_torch_load.py
check tensorboard check_events.py
check numpy check_npy.py
