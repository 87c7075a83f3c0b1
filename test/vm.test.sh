#!/bin/sh
# What scripts/vm promises, kernel by kernel: sh test/vm.test.sh [KERNEL…]
# Prints TAP.
set -u
cd "$(dirname "$0")/.." || exit
[ $# -gt 0 ] || set -- debian12 debian13 uml

vm=$PWD/scripts/vm
dir=$(mktemp -d "${TMPDIR:-/tmp}/ts-ipvs vm test.XXXXXX") # a space, as a path may have one
trap 'rm -rf "$dir"' EXIT
TMPDIR=$dir/tmp
export TMPDIR
mkdir "$TMPDIR" "$dir/programs" "$dir/out"
count=0 failed=0

# is NAME GOT EXPECTED
is() {
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    echo "not ok $count - $1"
    printf '%s\n' '--- expected' "$3" '--- got' "$2" | sed 's/^/# /'
  fi
}

# refuses NAME MESSAGE ARGUMENT…: scripts/vm must say just that, and end with 125.
refuses() {
  name=$1 message=$2
  shift 2
  is "$name" "$("$vm" "$@" 2>&1 </dev/null; echo "status $?")" "vm: $message
status 125"
}

# pretend PROGRAM SCRIPT: what scripts/vm calls instead, in a subshell with this PATH.
pretend() {
  printf '#!/bin/sh\n%s\n' "$2" >"$dir/programs/$1"
  chmod +x "$dir/programs/$1"
  PATH=$dir/programs:$PATH
}

left_behind() {
  ls "$TMPDIR"
  pgrep -f "$TMPDIR"
}

echo 'TAP version 13'

refuses 'an unknown kernel' "there is no kernel 'plan9': choose debian12, debian13 or uml" --kernel plan9 true
refuses 'an unknown option' 'there is no option --fast: see scripts/vm --help' --fast true
refuses 'no command' 'there is no command to run: see scripts/vm --help' --kernel uml --
refuses 'an option without its value' '--out needs a value' --out
refuses 'an --out that is no directory' "--out $vm is not a directory" --out "$vm" true
refuses 'a size that is none' '--memory lots is not a size such as 3G or 512M' --memory lots true

echo 'MemAvailable: 1048576 kB' >"$dir/meminfo"
export TS_IPVS_MEMINFO="$dir/meminfo"
refuses 'too little memory' 'the guest needs 2304 MiB of memory and 1024 MiB are available: end other programs, or give it less with --memory' \
  --memory 2G true
unset TS_IPVS_MEMINFO

before=$PATH
pretend uname 'echo riscv64'
refuses 'another processor' 'the kernel debian12 is x86_64 and this machine is riscv64' true
PATH=$before
rm "$dir/programs/uname"

export XDG_CACHE_HOME="$dir/cache"
pretend df 'printf "Filesystem 1024-blocks Used Available\nx 9 9 1024000\n"'
refuses 'too little room for the kernel' \
  "the kernel debian12 needs 1500 MiB while it is unpacked and $dir/cache/ts-ipvs has 1000 MiB free: make room, or set XDG_CACHE_HOME to a larger disk" true
rm "$dir/programs/df"

pretend apt-get true
refuses 'no Debian mirror to fetch from' "apt's sources name no Debian mirror to fetch from: add one" true
mkdir -p "$dir/cache/ts-ipvs/uml"
echo 'half a kernel' >"$dir/cache/ts-ipvs/uml/vmlinux"
refuses 'a damaged kernel in the cache' "the cached kernel uml is damaged, fetching it again
vm: apt's sources name no Debian mirror to fetch from: add one" --kernel uml true
is 'a failed download leaves nothing half done' "$(ls "$dir/cache/ts-ipvs")" 'lock
uml'
PATH=$before
unset XDG_CACHE_HOME

head -c 1000000 /dev/urandom >"$dir/1 MB"
head -c 5000000 /dev/urandom >"$dir/5 MB"

for kernel; do
  echo old >"$dir/file"
  # shellcheck disable=SC2016
  got=$(printf 'line\n' | "$vm" --kernel "$kernel" --memory 1G --out "$dir/out" -- sh -c '
    cat
    echo new >"$1/file" && cat "$1/file"
    echo kept >"$1/out/$2"
    lsmod | grep -c ^ip_vs
    ip netns add one && ip -n one link set lo up
    ip netns exec one ipvsadm -A -t 10.0.0.1:80 -s sh && ip netns exec one ipvsadm -Sn
    lsmod | grep -c ^ip_vs
    ip netns delete one && sleep 1 && modprobe -r ip_vs_sh ip_vs && lsmod | grep -c ^ip_vs
    ip -br link show lo | tr -s " " | cut -d " " -f 1,2
    modprobe -a dummy veth bridge ipip ip_gre fou nf_conntrack nf_tables xt_ipvs; echo "modprobe $?"
    sleep 1000 & # nobody waits for it
  ' sh "$dir" "$kernel" 2>&1)
  is "$kernel: modules load when they are asked for, name spaces work, --out persists" "$got

$(cat "$dir/file" "$dir/out/$kernel")" 'line
new
0
-A -t 10.0.0.1:80 -s sh
2
0
lo UNKNOWN
modprobe 0

old
kept'

  # What passes, and how it ends, does not depend on the kernel in the emulator, but on the emulator.
  [ "$kernel" != debian13 ] || continue

  # shellcheck disable=SC2016 # the guest's shell expands it
  got=$(cd "$dir" && MARK='a "mark"' "$vm" --kernel "$kernel" -- \
    sh -c 'printf "<%s>" "$@"; echo; pwd; echo "$MARK"; cat; echo complaint >&2; exit 3' \
    sh 'two words' "it's" '"$HOME"' '' '*' 'two
lines' '\n' '--' 2>"$dir/complaints" </dev/null; echo "status $?")
  is "$kernel: arguments, folder, environment and exit status are passed on" "$got" "<two words><it's><\"\$HOME\"><><*><two
lines><\\n><-->
$dir
a \"mark\"
status 3"
  is "$kernel: standard error is a stream of its own" "$(cat "$dir/complaints")" complaint

  # shellcheck disable=SC2016
  "$vm" --kernel "$kernel" sh -c 'sha256sum >&2; cat "$1"; kill -TERM $$' sh "$dir/5 MB" \
    <"$dir/1 MB" >"$dir/got" 2>"$dir/sum"
  is "$kernel: a signal that ends the command gives 128 and its number" $? 143
  is "$kernel: 1 MB of standard input arrives" "$(cat "$dir/sum")" "$(sha256sum <"$dir/1 MB")"
  is "$kernel: 5 MB of standard output arrive" "$(sha256sum <"$dir/got")" "$(sha256sum <"$dir/5 MB")"

  "$vm" --kernel "$kernel" -- sh -c 'echo started; sleep 1000' >"$dir/started" 2>&1 &
  until [ -s "$dir/started" ]; do sleep 0.1; done
  kill -KILL $!
  wait $! 2>/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ "$(left_behind)" ] && sleep 0.5; done
  is "$kernel: killed outright, it leaves nothing behind" "$(left_behind)" ''
  rm "$dir/started"

  # A shell without job control starts programs in the background deaf to ^C.
  env --default-signal=INT "$vm" --kernel "$kernel" -- sh -c 'echo started; sleep 1000' >"$dir/started" 2>&1 &
  until [ -s "$dir/started" ]; do sleep 0.1; done
  kill -INT $!
  wait $!
  is "$kernel: ^C ends it at once" "$? $(cat "$dir/started")" '130 started'
  is "$kernel: ^C leaves nothing behind" "$(left_behind)" ''

  is "$kernel: it ends when nobody reads its output any more" "$("$vm" --kernel "$kernel" yes | head -n 1)" y

  got=$("$vm" --kernel "$kernel" -- sh -c 'echo c >/proc/sysrq-trigger; sleep 1000' 2>&1; echo "status $?")
  is "$kernel: a crash of the kernel is told" "$(echo "$got" | grep -o 'Kernel panic\|^status.*' | uniq)" 'Kernel panic
status 125'
  is "$kernel: nothing is left behind" "$(left_behind)" ''
done

echo "1..$count"
exit $((failed > 0))
