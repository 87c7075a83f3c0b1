# complete.zsh SCRIPT LINE…: what zsh offers at the end of each LINE, one a line, and an empty line after each. Completion works only where
# somebody types, so a second shell gets a terminal, and tells what it adds to the matches.
if [[ $1 != inner ]]; then
  zmodload zsh/zpty
  zpty shell zsh -f -i
  zpty -w shell "source ${(q)0:A} inner ${(q)1}"
  while zpty -r shell text && [[ $text != *'<ready>'* ]]; do :; done
  for line in "${@[2,-1]}"; do
    zpty -w -n shell $'\C-u'"$line"$'\t'
    while zpty -r shell text && [[ $text != *'<end>'* ]]; do
      if [[ $text == *'<match>'* ]]; then print -r -- ${${text##*<match>}%%$'\r'*}; fi
    done
    print
  done
  zpty -d shell
  exit
fi

PS1=
autoload -U compinit
compinit -D -u
source $2
compadd() {
  if [[ ${(j: :)@[1,(i)(-|--)]} == *-[OAD]\ * ]]; then # it only asks
    builtin compadd "$@"
    return
  fi
  local -a matches
  builtin compadd -A matches "$@"
  for match in $matches; do print -r -- $'\n<match>'$match; done
  builtin compadd "$@"
}
tell() {
  _main_complete
  print -r -- $'\n<end>'
  compstate[insert]= compstate[list]= # the line stays as it is
}
zle -C tell complete-word tell
bindkey '^I' tell
print -r -- '<rea''dy>'
