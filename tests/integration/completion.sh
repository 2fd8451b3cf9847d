#!/usr/bin/env bash
# Completion in a real bash: what its line editor would offer for a line, through the script that the host prints.
set -euo pipefail
# shellcheck source=tests/integration/completion_cases.bash
source "$VISSL_SOURCE_DIR/tests/integration/completion_cases.bash"

# Types each line and a tab into an interactive bash that has nothing but the script, and prints the line that the editor
# makes of it. Only a unique answer changes the line, as for a user.
cat >"$work/rc" <<RC
PATH=$work:$PATH
PS1=
bind 'set enable-bracketed-paste off' 2>/dev/null
bind 'set bell-style none'
source <(vissl-host completion bash)
_show() { printf '<%s>\n' "\$READLINE_LINE" >>"$work/lines"; READLINE_LINE=; }
bind -x '"\C-x\C-t": _show'
RC
typed() { # LINES...
  : >"$work/lines"
  {
    local line
    for line in "$@"; do printf '%s\t\x18\x14' "$line"; done
    printf 'exit\n'
  } | (cd "$work" && TERM=dumb timeout 60 script -qec "bash --noprofile --rcfile $work/rc -i" /dev/null) >"$work/screen" 2>&1 || true
}

status=0
expect() { # TYPED LINE...: pairs
  local lines=() wanted=() i=0
  while (($#)); do
    lines+=("$1")
    wanted+=("<$2>")
    shift 2
  done
  typed "${lines[@]}"
  mapfile -t met <"$work/lines"
  for ((i = 0; i < ${#lines[@]}; ++i)); do
    [[ ${met[i]:-} == "${wanted[i]}" ]] || { echo "'${lines[i]}' becomes ${met[i]:-nothing}, not ${wanted[i]}"; status=1; }
  done
  ((status == 0)) || cat -v "$work/screen"
}
expect "${cases[@]}"

for shell in bash zsh fish; do
  "$VISSL_HOST" completion $shell >"$work/script"
  cmp "$work/script" "$VISSL_SOURCE_DIR/host/cli/completion/vissl-host.$shell" || status=1
  if command -v $shell >/dev/null; then $shell -n "$work/script" || { echo "$shell does not take its script"; status=1; }; fi
done
code=0
"$VISSL_HOST" completion tcsh 2>"$work/out" || code=$?
[[ $code == 2 ]] && grep -qF "it can be bash, zsh or fish" "$work/out" || { echo "tcsh: exit $code, $(cat "$work/out")"; status=1; }
exit $status
