# complete.bash SCRIPT LINE…: what bash offers at the end of each LINE, one a line, and an empty line after each.
source "$1"
shift
specification=$(complete -p ts-ipvs)
[[ $specification =~ ' -F '([^ ]+) ]]
function=${BASH_REMATCH[1]}
for line; do
  read -ra COMP_WORDS <<<"${line//=/ = }" # = is in COMP_WORDBREAKS
  if [[ $line == *' ' ]]; then COMP_WORDS+=(''); fi
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  "$function" ts-ipvs
  for match in "${COMPREPLY[@]}"; do printf "%s\n" "$match"; done
  echo
done
