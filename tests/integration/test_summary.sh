#!/usr/bin/env bash
# What scripts/test makes of ctest's output: skipped tests are neither passed nor failed, the last line is fixed, and
# the exit code is ctest's.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/scripts" "$work/bin"
cp "$VISSL_SOURCE_DIR/scripts/test" "$work/scripts/"
printf '#!/bin/sh\nexit 0\n' > "$work/scripts/setup"
cp "$work/scripts/setup" "$work/scripts/build"
cat > "$work/bin/ctest" <<'END'
#!/bin/sh
cat "$CTEST_OUTPUT"
exit "$CTEST_CODE"
END
chmod +x "$work/scripts/setup" "$work/scripts/build" "$work/bin/ctest"

expect() { # CTEST_CODE LAST_LINE LINE_BEFORE: with ctest's output on stdin
  local code=$1 met=0 text
  cat > "$work/output"
  text=$(CTEST_OUTPUT=$work/output CTEST_CODE=$code PATH=$work/bin:$PATH "$work/scripts/test") || met=$?
  [[ $met == "$code" ]] || { echo "exit code $met instead of $code"; exit 1; }
  [[ $(tail -n 1 <<<"$text") == "$2" ]] || { echo "the last line is not '$2': $text"; exit 1; }
  [[ $(tail -n 2 <<<"$text" | head -n 1) == "$3"* ]] || { echo "no line '$3': $text"; exit 1; }
}
expect 0 "2 passed, 0 failed" "test: 1 skipped; " <<'END'
1/3 Test #1: a ..................   Passed    0.10 sec
2/3 Test #2: slurm/array ........***Skipped   0.01 sec
3/3 Test #3: b ..................   Passed    0.10 sec

100% tests passed, 0 tests failed out of 3

The following tests did not run:
	  2 - slurm/array (Skipped)
END
expect 8 "1 passed, 1 failed" "test: 0 skipped; " <<'END'
50% tests passed, 1 tests failed out of 2

The following tests FAILED:
	  2 - b (Failed)
END
printf '#!/bin/sh\nexit 1\n' > "$work/scripts/build"
met=0
text=$("$work/scripts/test") || met=$?
[[ $met == 1 && $text == $'test: the build failed\n0 passed, 1 failed' ]] || { echo "a failed build gives $met: $text"; exit 1; }
