# What scripts/vm and scripts/setup share. POSIX sh.

# Says what is wrong and what to do, then ends with the status that means
# "the command was never run" (as with env, timeout and nohup).
die() {
  echo "${0##*/}: $*" >&2
  exit 125
}

say() {
  echo "${0##*/}: $*" >&2
}

# need COMMAND PACKAGE
need() {
  command -v "$1" >/dev/null ||
    die "$1 is missing: run scripts/setup, or as root: apt-get install --no-install-recommends $2"
}

# free_mebibytes DIR: what may still be written there.
free_mebibytes() {
  df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }'
}

# need_memory MEBIBYTES: the guest and what the emulator needs beside it.
# TS_IPVS_MEMINFO stands in for /proc/meminfo in the tests.
need_memory() {
  available=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' "${TS_IPVS_MEMINFO:-/proc/meminfo}")
  [ "$available" -ge $(($1 + 256)) ] ||
    die "the guest needs $(($1 + 256)) MiB of memory and $available MiB are available: end other programs, or give it less with --memory"
}
