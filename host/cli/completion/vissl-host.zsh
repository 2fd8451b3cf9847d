#compdef vissl-host
# Completion of vissl-host for zsh: a file _vissl-host in a folder of $fpath. The executable itself knows the answers.

_vissl_host() {
  local line candidate description
  local -a shown texts space
  local files=no
  space=()
  for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    candidate=${line%%$'\t'*}
    description=${line#*$'\t'}
    case $candidate in
      '') ;;
      :files) files=yes ;;
      :nospace) space=(-S '') ;;
      *) texts+=("$candidate"); shown+=("$candidate  $description") ;;
    esac
  done
  (( ${#texts} )) && compadd -l "${space[@]}" -d shown -- "${texts[@]}"
  [[ $files == yes ]] && _files
}

# As a file of $fpath this is the body of _vissl-host, at every call; sourced, it only offers the function.
if [[ ${funcstack[1]} == _vissl-host ]]; then
  _vissl_host "$@"
else
  compdef _vissl_host vissl-host
fi
