#!/usr/bin/env bash
# Completion in a real fish: what its engine offers for a line, through the script that the host prints.
set -euo pipefail
command -v fish >/dev/null || { echo "fish is not installed; scripts/setup --tests installs it"; exit 77; }
# shellcheck source=tests/integration/completion_cases.bash
source "$VISSL_SOURCE_DIR/tests/integration/completion_cases.bash"
"$VISSL_HOST" completion fish >"$work/script"

# Only a unique answer changes a line, as for a user.
cat >"$work/ask.fish" <<'FISH'
source $argv[1]
for line in $argv[2..-1]
    set -l offered (complete -C "$line" | string replace -r '\t.*' '')
    if test (count $offered) = 1
        echo (string replace -r '\S*$' '' -- "$line")"$offered[1]"
    else
        echo "$line"
    end
end
FISH
typed=()
for ((i = 0; i < ${#cases[@]}; i += 2)); do typed+=("${cases[i]}"); done
(cd "$work" && PATH=$work:$PATH HOME=$work timeout 60 fish --no-config ask.fish "$work/script" "${typed[@]}") >"$work/lines"

status=0
mapfile -t met <"$work/lines"
for ((i = 0; i < ${#cases[@]}; i += 2)); do
  # The engine says what belongs there; the space behind it is the editor's.
  [[ ${met[i / 2]:-nothing} == "${cases[i + 1]% }" ]] || { echo "'${cases[i]}' becomes '${met[i / 2]:-nothing}', not '${cases[i + 1]}'"; status=1; }
done
exit $status
