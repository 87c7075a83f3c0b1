# Debian's kernels for scripts/vm: fetched once into a cache, never installed.
# POSIX sh; needs common.sh and cache.sh.
#
# CACHE/KERNEL holds
#   vmlinux      what QEMU boots, or user-mode-linux itself
#   busybox      a shell and tools that need no library
#   initrd       busybox and the modules that reach the host's files
#   release      the kernel's name for itself (uname -r)
#   lib/modules  all modules of that kernel, ready for modprobe
#   SHA256SUMS   of all of these

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
  fetch "$1" "kernel $1" 1500 make_kernel "${2-}"
)

make_kernel() {
  need depmod kmod
  need xz xz-utils
  download_kernel "$1"
  say "$1: unpacking into $cache/$1"
  for deb in ./*.deb; do dpkg -x "$deb" unpacked; done
  assemble_kernel
  say "$1: Linux $(cat made/release) is ready"
}

download_kernel() {
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
  mkdir -p made/lib/modules
  echo "$release" >made/release
  mv "$(find unpacked -path '*/boot/vmlinuz-*' -o -name linux.uml)" made/vmlinux
  if [ "$drivers" = "$qemu_drivers" ]; then unpack_vmlinux; fi
  mv "$(find unpacked -path '*bin/busybox')" made/
  mv "$modules" made/lib/modules/
  depmod -b made "$release"
  make_initrd >made/initrd
}

# A kernel that is packed with xz takes the emulator seconds to unpack, so it is
# done here; QEMU boots an ELF file just as well. Where the payload lies is told in
# Documentation/arch/x86/boot.rst of the kernel.
unpack_vmlinux() {
  sectors=$(number_at 0x1f1 1)
  payload=$(((sectors + 1) * 512 + $(number_at 0x248 4)))
  tail -c "+$((payload + 1))" made/vmlinux >unpacked/payload
  if xz -dc --single-stream unpacked/payload >unpacked/vmlinux 2>/dev/null; then
    mv unpacked/vmlinux made/vmlinux
  fi
}

# number_at OFFSET LENGTH
number_at() {
  od -A n -t "u$2" -j "$1" -N "$2" made/vmlinux
}

# The modules are numbered in the order in which they have to be loaded.
make_initrd() (
  mkdir -p initrd/bin initrd/modules
  cp made/busybox initrd/bin/
  for driver in $drivers; do
    modprobe -d "$PWD/made" -S "$release" --show-depends "$driver" ||
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
