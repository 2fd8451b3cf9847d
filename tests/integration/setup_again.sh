#!/usr/bin/env bash
# Set-up that is done costs a second at most and says so; a wrong option is refused before anything is changed.
set -euo pipefail
cd "$VISSL_SOURCE_DIR"

begin=$(date +%s%N)
text=$(scripts/setup)
elapsed_ms=$((($(date +%s%N) - begin) / 1000000))
[[ $text == "setup: nothing to do" ]] || { echo "a second set-up says: $text"; exit 1; }
((elapsed_ms < 1000)) || { echo "a second set-up took $elapsed_ms ms"; exit 1; }

status=0
text=$(scripts/setup --cpu 2>&1) || status=$?
[[ $status == 1 && $text == "setup: unknown option --cpu; the options are --cuda, --oracle and --tests" ]] ||
  { echo "a wrong option gives $status: $text"; exit 1; }
