#!/usr/bin/env bash
# Completion in a real zsh: what its line editor makes of a line and a tab, with the printed script as a file of $fpath, and
# sourced.
set -euo pipefail
command -v zsh >/dev/null || { echo "zsh is not installed; scripts/setup --tests installs it"; exit 77; }
# shellcheck source=tests/integration/completion_cases.bash
source "$VISSL_SOURCE_DIR/tests/integration/completion_cases.bash"
mkdir "$work/functions"
"$VISSL_HOST" completion zsh >"$work/functions/_vissl-host"

status=0
check() { # LINE_THAT_LOADS_THE_SCRIPT
  rm -f "$work"/{ready,lines}
  # Only a unique answer changes the line, as for a user; ^X^T prints it and empties it.
  cat >"$work/.zshrc" <<RC
PATH=$work:$PATH
PS1= RPS1=
unset zle_bracketed_paste
setopt no_beep no_auto_list no_auto_menu
autoload -Uz compinit
$1
_show() { print -r -- "<\$BUFFER>" >>$work/lines; BUFFER= }
zle -N _show
bindkey '^I' complete-word
bindkey '^X^T' _show
print >$work/ready
RC
  {
    # zsh throws away what is typed before its editor runs.
    for ((i = 0; i < 200; ++i)); do [[ ! -e $work/ready ]] || break; sleep 0.1; done
    sleep 0.2
    for ((i = 0; i < ${#cases[@]}; i += 2)); do printf '%s\t\x18\x14' "${cases[i]}"; done
    printf 'exit\n'
  } | (cd "$work" && TERM=dumb ZDOTDIR=$work timeout 60 script -qec "zsh -d -i" /dev/null) >"$work/screen" 2>&1 || true

  mapfile -t met <"$work/lines"
  for ((i = 0; i < ${#cases[@]}; i += 2)); do
    # zsh quotes what it inserts.
    line=${met[i / 2]:-nothing}
    [[ ${line//\\/} == "<${cases[i + 1]}>" ]] || { echo "'${cases[i]}' becomes $line, not <${cases[i + 1]}>"; status=1; }
  done
  ((status == 0)) || { cat -v "$work/screen"; exit 1; }
}
check "fpath=($work/functions \$fpath); compinit -u -D"
check "compinit -u -D; source $work/functions/_vissl-host"

