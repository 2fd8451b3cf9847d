#!/usr/bin/env bash
# Set-up that is done installs, downloads and unpacks nothing and says so; a wrong option is refused before anything is
# changed.
set -euo pipefail
cd "$VISSL_SOURCE_DIR"

# Whatever could change something is replaced by a program that leaves a trace.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in apt-get sudo python3 unzip mktemp; do
  printf '#!/bin/sh\necho "%s $*" >> "%s"\nexit 1\n' "$program" "$work/called" > "$work/$program"
  chmod +x "$work/$program"
done
before=$(find .deps/ -mindepth 1 -maxdepth 1 -printf '%f %T@\n' | grep -v '^lock ' | sort)
text=$(PATH=$work:$PATH scripts/setup)
[[ $text == "setup: nothing to do" ]] || { echo "a second set-up says: $text"; exit 1; }
[[ ! -e $work/called ]] || { echo "a second set-up calls:"; cat "$work/called"; exit 1; }
after=$(find .deps/ -mindepth 1 -maxdepth 1 -printf '%f %T@\n' | grep -v '^lock ' | sort)
[[ $after == "$before" ]] || { echo "a second set-up changes .deps:"; diff <(echo "$before") <(echo "$after"); exit 1; }

status=0
text=$(scripts/setup --cpu 2>&1) || status=$?
[[ $status == 1 && $text == "setup: unknown option --cpu; the options are --cuda, --oracle and --tests" ]] ||
  { echo "a wrong option gives $status: $text"; exit 1; }
