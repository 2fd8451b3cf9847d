# Completion of vissl-host for bash: source <(vissl-host completion bash). The executable itself knows the answers.

_vissl_host() {
  # Words as the shell's own splitting would not give them: "=" and ":" belong to settings and component ids.
  local line=${COMP_LINE:0:COMP_POINT} words candidate rest
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=("")
  local current=${words[-1]}
  # The shell replaces only what follows the last of these characters.
  local kept=${current%"${current##*[=:]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate rest; do
    case $candidate in
      :files)
        compopt -o filenames 2>/dev/null
        local file
        while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "${current#"$kept"}")
        ;;
      :nospace) compopt -o nospace 2>/dev/null ;;
      *) COMPREPLY+=("${candidate#"$kept"}") ;;
    esac
  done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _vissl_host vissl-host
