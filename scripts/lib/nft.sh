# Debian 13's nft for scripts/nft: fetched once into a cache, never installed.
# POSIX sh; needs common.sh and cache.sh.
#
# CACHE/nft-debian13 holds
#   nft          starts the program with the loader and the libraries of its own: its
#                C library is newer than Debian 12's
#   program      the program
#   libraries    those that it needs, with their loader
#   SHA256SUMS   of all of these

fetch_nft() (
  suite=trixie
  fetch nft-debian13 'nft of Debian 13' 200 make_nft all
)

make_nft() {
  private_apt
  say "$1: downloading"
  # All that it depends on, so that no list of libraries has to be kept here.
  packages=$(apt-cache depends --recurse --important nftables | grep -E '^(nftables|lib[a-z0-9.+-]*)$')
  # shellcheck disable=SC2086 # one word each
  quietly apt-get download $packages
  for deb in ./*.deb; do dpkg -x "$deb" unpacked; done
  mkdir -p made/libraries
  find unpacked -path '*/x86_64-linux-gnu/*' -name '*.so*' ! -path '*/gconv/*' -exec cp -P -t made/libraries {} +
  mv unpacked/usr/sbin/nft made/program
  cat >made/nft <<'END'
#!/bin/sh
folder=${0%/*}
exec "$folder/libraries/ld-linux-x86-64.so.2" --library-path "$folder/libraries" "$folder/program" "$@"
END
  chmod +x made/nft
  say "$1: $(made/nft --version) is ready"
}
