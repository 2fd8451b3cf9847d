#!/usr/bin/env bash
# Models of torchvision and timm, saved as VISSL, EssentialMC2, timm, mmcv, Detectron2, MoCo and lightly save them, give the
# same features here after loading as documented.
set -euo pipefail
# shellcheck source=tests/integration/needs_python.bash
source "$VISSL_SOURCE_DIR/tests/integration/needs_python.bash"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$VISSL_PYTHON" "$VISSL_SOURCE_DIR/scripts/oracle/check_weights.py" "$VISSL_HOST" "$VISSL_PLUGIN_DIR" "$work"
