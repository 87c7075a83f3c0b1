# Debian 12's etcd for scripts/etcd: fetched once into a cache, never installed.
# POSIX sh; needs common.sh and cache.sh.
#
# CACHE/etcd-debian12 holds
#   etcd         the server; of its libraries it needs the C library alone, and any that is not older
#   etcdctl      a client
#   SHA256SUMS   of both

fetch_etcd() (
  suite=bookworm
  fetch etcd-debian12 'etcd of Debian 12' 200 make_etcd all
)

make_etcd() {
  private_apt
  say "$1: downloading"
  quietly apt-get download etcd-server etcd-client
  for deb in ./*.deb; do dpkg -x "$deb" unpacked; done
  mkdir made
  mv unpacked/usr/bin/etcd unpacked/usr/bin/etcdctl made
  say "$1: $(made/etcd --version | head -n 1) is ready"
}
