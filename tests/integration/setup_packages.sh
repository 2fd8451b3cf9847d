#!/usr/bin/env bash
# scripts/setup where packages are missing: without root and sudo, with an apt-get that fails, and what it asks of one
# that works. A PATH of its own holds all that the script may find.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
checkout=$work/checkout
mkdir -p "$checkout/scripts" "$work/bin"
cp "$VISSL_SOURCE_DIR"/scripts/{setup,wheels.txt,wheels_cuda.txt} "$checkout/scripts/"
echo "alpha beta  # and a comment" > "$checkout/scripts/packages.txt"
echo "gamma" > "$checkout/scripts/packages_tests.txt"
for tool in bash true echo env uname mkdir flock sed xargs grep cat rm mktemp dirname sha256sum cut; do
  ln -s "$(type -P $tool)" "$work/bin/$tool"
done
program() { # NAME, its body on stdin
  { echo '#!/bin/bash'; cat; } > "$work/bin/$1"
  chmod +x "$work/bin/$1"
}
program dpkg-query <<<'echo "installed beta"; [[ ! -e "${0%/*}/../has_alpha" ]] || echo "installed alpha"'
program id <<<'echo "${FAKE_ID:-1000}"'
program apt-get <<END
echo "\$*" >> "$work/asked"
[[ " \$* " != *" \$(cat "$work/failing" 2>/dev/null) "* ]] || { echo "E: broken"; exit 100; }
END
program python3 <<<'exit 1'  # set-up ends there, after the packages

expect() { # LAST_LINE OPTIONS...: what set-up says on its way out
  local wanted=$1 status=0 text
  shift
  rm -f "$work/asked"
  text=$(PATH=$work/bin "$checkout/scripts/setup" "$@" 2>&1 < /dev/null) || status=$?
  [[ $status == 1 ]] || fail "exit code $status instead of 1: $text"
  [[ $(tail -n 1 <<<"$text") == "$wanted" ]] || fail "expected '$wanted', got '$text'"
}
log="(is the network up? the output is in $checkout/.deps/setup.log)"
past_packages="setup: cannot make a Python environment in .deps/pip $log"

expect "setup: needs root or sudo to install: alpha"
program sudo <<<'[[ $1 != -n ]] || exit 1'
expect "setup: needs root or sudo to install: alpha"
[[ ! -e $work/asked ]] || fail "apt-get ran without root: $(cat "$work/asked")"

program sudo <<<'[[ $1 == -n ]] && shift; exec "$@"'
echo update > "$work/failing"
expect "setup: apt-get update failed $log"
echo install > "$work/failing"
expect "setup: apt-get could not install: alpha $log"
grep -q 'E: broken' "$checkout/.deps/setup.log" || fail "the log lacks apt-get's output"
rm "$work/failing"
expect "$past_packages"
[[ $(xargs < "$work/asked") == "update install -y --no-install-recommends alpha" ]] || fail "asked: $(cat "$work/asked")"

# As root without sudo.
rm "$work/bin/sudo"
FAKE_ID=0 expect "$past_packages"
[[ -e $work/asked ]] || fail "root did not call apt-get"

# Packages of single tests are wished for, not needed.
touch "$work/has_alpha"
expect "$past_packages" --tests
grep -q gamma "$work/asked" 2>/dev/null && fail "apt-get ran without root for gamma"
rm "$work/bin/apt-get"
rm "$work/has_alpha"
expect "setup: needs Debian's apt-get; install the counterparts of scripts/packages.txt by hand"
