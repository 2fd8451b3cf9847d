# Sourced by tests that need the Python of scripts/setup --oracle: fails where it is missing.
# shellcheck shell=bash
if [[ ! -x $VISSL_PYTHON ]]; then
  echo "$VISSL_PYTHON is missing; scripts/setup --oracle makes it"
  exit 1
fi
