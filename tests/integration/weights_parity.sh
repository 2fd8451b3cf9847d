#!/usr/bin/env bash
# Models of torchvision and timm, saved as VISSL, EssentialMC2, timm, mmcv, Detectron2, MoCo and lightly save them, give the
# same features here after loading as documented.
set -euo pipefail
if [[ ! -x $VISSL_PYTHON ]]; then
  echo "$VISSL_PYTHON is missing; scripts/setup --oracle makes it"
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/check_weights.py" "$VISSL_HOST" "$VISSL_PLUGIN_DIR" "$work"
