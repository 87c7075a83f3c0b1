# Debian's kernels for scripts/vm: fetched once into a cache, never installed.
# POSIX sh; needs common.sh.
#
# CACHE/KERNEL holds
#   vmlinux      what QEMU boots, or user-mode-linux itself
#   busybox      a shell and tools that need no library
#   initrd       busybox and the modules that reach the host's files
#   release      the kernel's name for itself (uname -r)
#   lib/modules  all modules of that kernel, ready for modprobe
#   SHA256SUMS   of all of these

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ts-ipvs

# Sets suite, package, and the drivers that the initrd has to load.
describe_kernel() {
  qemu_drivers='virtio_pci virtio_console 9pnet_virtio 9p overlay'
  case $1 in
    debian12) suite=bookworm package=linux-image-amd64 drivers=$qemu_drivers ;;
    debian13) suite=trixie package=linux-image-amd64 drivers=$qemu_drivers ;;
    uml) suite=bookworm package=user-mode-linux drivers=overlay ;;
    *) die "there is no kernel '$1': choose debian12, debian13 or uml" ;;
  esac
}

# fetch_kernel KERNEL [all]: afterwards CACHE/KERNEL is there and intact.
# Looks at the files that boot; with "all", at every module as well (a second).
fetch_kernel() (
  describe_kernel "$1"
  [ "$(uname -m)" = x86_64 ] || die "the test kernels are x86_64 and this machine is $(uname -m)"
  kernel_is_intact "$@" && return
  need flock util-linux
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9 # whoever held it may have fetched this very kernel
  kernel_is_intact "$@" && return
  if [ -e "$cache/$1" ]; then say "the cached kernel $1 is damaged, fetching it again"; fi
  unpack_kernel "$1"
)

kernel_is_intact() (
  cd "$cache/$1" 2>/dev/null || return 1
  if [ "${2-}" = all ]; then cat SHA256SUMS; else grep -v ' lib/' SHA256SUMS; fi 2>/dev/null |
    sha256sum --status -c 2>/dev/null
)

# Everything is made in a folder beside the cache's own, so that an interrupted
# first use leaves nothing that looks whole.
unpack_kernel() (
  need apt-get apt
  need depmod kmod
  need xz xz-utils
  free=$(free_mebibytes "$cache")
  [ "$free" -ge 1500 ] ||
    die "a kernel needs 1500 MiB while it is unpacked and $cache has $free MiB free: make room, or set XDG_CACHE_HOME to a larger disk"

  rm -rf "$cache"/new.*
  new=$(mktemp -d "$cache/new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  cd "$new" || exit
  download_packages "$1"
  say "$1: unpacking into $cache/$1"
  for deb in ./*.deb; do dpkg -x "$deb" unpacked; done
  assemble_kernel
  rm -rf "${cache:?}/$1"
  mv -T kernel "$cache/$1"
  say "$1: Linux $(cat "$cache/$1/release") is ready"
)

download_packages() {
  private_apt
  if [ "$package" = linux-image-amd64 ]; then # it only depends on the kernel of the day
    package=$(apt-cache depends --important "$package" | awk '/Depends:/ { print $2 }')
  fi
  say "$1: downloading $package and busybox-static"
  quietly apt-get download "$package" busybox-static
}

assemble_kernel() {
  modules=$(find unpacked -path '*/modules/[0-9]*' -prune)
  release=${modules##*/}
  mkdir -p kernel/lib/modules
  echo "$release" >kernel/release
  mv "$(find unpacked -path '*/boot/vmlinuz-*' -o -name linux.uml)" kernel/vmlinux
  if [ "$drivers" = "$qemu_drivers" ]; then unpack_vmlinux; fi
  mv "$(find unpacked -path '*bin/busybox')" kernel/
  mv "$modules" kernel/lib/modules/
  depmod -b kernel "$release"
  make_initrd >kernel/initrd
  (cd kernel && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum) >sums
  mv sums kernel/SHA256SUMS
}

# A kernel that is packed with xz takes the emulator seconds to unpack, so it is
# done here; QEMU boots an ELF file just as well. Where the payload lies is told in
# Documentation/arch/x86/boot.rst of the kernel.
unpack_vmlinux() {
  sectors=$(number_at 0x1f1 1)
  payload=$(((sectors + 1) * 512 + $(number_at 0x248 4)))
  tail -c "+$((payload + 1))" kernel/vmlinux >unpacked/payload
  if xz -dc --single-stream unpacked/payload >unpacked/vmlinux 2>/dev/null; then
    mv unpacked/vmlinux kernel/vmlinux
  fi
}

# number_at OFFSET LENGTH
number_at() {
  od -A n -t "u$2" -j "$1" -N "$2" kernel/vmlinux
}

# The modules are numbered in the order in which they have to be loaded.
make_initrd() (
  mkdir -p initrd/bin initrd/modules
  cp kernel/busybox initrd/bin/
  for driver in $drivers; do
    modprobe -d "$PWD/kernel" -S "$release" --show-depends "$driver" ||
      die "the kernel in $package has no module $driver"
  done >depends
  awk '$1 == "insmod" && !seen[$2]++ { print $2 }' depends >order
  number=100
  while read -r module; do
    number=$((number + 1))
    name=${module##*/}
    case $name in
      *.xz) xz -dc "$module" >"initrd/modules/$number-${name%.xz}" ;;
      *) cp "$module" "initrd/modules/$number-$name" ;;
    esac
  done <order
  cd initrd || exit
  find . | bin/busybox cpio -o -H newc 2>/dev/null
)

# From here on apt works on lists and sources of its own in this folder: the
# host's are only read, for the addresses of its mirrors. Signatures are checked as
# ever, so that a mirror of something else is not mistaken for Debian's.
private_apt() {
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -e "$keys" ] || die "$keys is missing: apt-get install debian-archive-keyring"
  mirrors=$(mirrors)
  [ "$mirrors" ] || die "apt's sources name no Debian mirror to fetch kernels from: add one"
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
