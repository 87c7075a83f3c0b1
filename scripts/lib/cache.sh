# What is fetched from Debian once, into a cache, and never installed. POSIX sh; needs common.sh.

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ts-ipvs

# fetch NAME WORDS MEBIBYTES MAKE [all]: afterwards CACHE/NAME is there and intact; WORDS name it
# for people. MAKE is a function that makes it as a folder "made" in the current one, and needs so much room for that.
# Looks at all files but those below lib; with "all", at these as well.
fetch() (
  [ "$(uname -m)" = x86_64 ] || die "the $2 is x86_64 and this machine is $(uname -m)"
  is_intact "$1" "${5-}" && return
  need flock util-linux
  need apt-get apt
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9 # whoever held it may have fetched this very thing
  is_intact "$1" "${5-}" && return
  if [ -e "$cache/$1" ]; then say "the cached $2 is damaged, fetching it again"; fi
  free=$(free_mebibytes "$cache")
  [ "$free" -ge "$3" ] ||
    die "the $2 needs $3 MiB while it is unpacked and $cache has $free MiB free: make room, or set XDG_CACHE_HOME to a larger disk"
  make_in_cache "$1" "$4"
)

is_intact() (
  cd "$cache/$1" 2>/dev/null || return 1
  if [ "${2-}" = all ]; then cat SHA256SUMS; else grep -v ' lib/' SHA256SUMS; fi 2>/dev/null |
    sha256sum --status -c 2>/dev/null
)

# Everything is made in a folder beside the cache's own, so that an interrupted
# first use leaves nothing that looks whole.
make_in_cache() {
  rm -rf "$cache"/new.*
  new=$(mktemp -d "$cache/new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  cd "$new" || exit
  "$2" "$1"
  (cd made && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum) >sums
  mv sums made/SHA256SUMS
  rm -rf "${cache:?}/$1"
  mv -T made "$cache/$1"
}

# From here on apt works on lists and sources of its own in this folder: the
# host's are only read, for the addresses of its mirrors. Signatures are checked as
# ever, so that a mirror of something else is not mistaken for Debian's.
private_apt() {
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -e "$keys" ] || die "$keys is missing: apt-get install debian-archive-keyring"
  mirrors=$(mirrors)
  [ "$mirrors" ] || die "apt's sources name no Debian mirror to fetch from: add one"
  mkdir -p apt/lists/partial apt/archives/partial
  cat >apt/apt.conf <<CONF
Dir::State::Lists "$PWD/apt/lists";
Dir::State::status "/dev/null";
Dir::Cache "$PWD/apt";
Dir::Etc::sourcelist "$PWD/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root"; // the cache may lie where apt's own user cannot go
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
  export APT_CONFIG="$PWD/apt/apt.conf"
  say "reading Debian's package lists ($suite)"
  for mirror in $mirrors; do
    echo "deb [arch=amd64 signed-by=$keys] $mirror $suite main" >apt/sources.list
    if apt-get update >>log 2>&1; then return; fi
  done
  cat log >&2
  die "no mirror in apt's sources gives Debian's packages of $suite: see above"
}

# apt itself reads its sources, in whichever of the two formats they are.
mirrors() {
  # shellcheck disable=SC2016 # apt expands it
  apt-get indextargets --no-release-info --format '$(COMPONENT) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "main" && $2 ~ /^(bookworm|trixie|forky|sid|(old)*stable|testing|unstable)$/ && !seen[$3]++ { print $3 }'
}

# Shows what a command said only if it failed.
quietly() {
  "$@" >log 2>&1 || {
    cat log >&2
    die "'$*' failed: see above"
  }
}
