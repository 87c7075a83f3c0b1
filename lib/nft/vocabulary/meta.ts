/** Keys of `meta` (nftables 1.1.3, src/meta.c). */
import { type Key, keys } from './key.js'

/** In nft's order. */
export const META_KEYS: readonly Key[] = keys(
  `
  length integer 32
  protocol ether_type
  priority classid
  mark mark
  iif iface_index
  oif iface_index
  iifname ifname
  oifname ifname
  iiftype iface_type
  oiftype iface_type
  skuid uid
  skgid gid
  nftrace integer 1
  rtclassid realm
  nfproto nf_proto
  l4proto inet_proto
  ibrname ifname
  obrname ifname
  pkttype pkt_type
  cpu integer 32
  iifgroup devgroup
  oifgroup devgroup
  cgroup integer 32
  random integer 32 network
  ipsec boolean 8
  iifkind ifname
  oifkind ifname
  ibrpvid integer 16
  ibrvproto ether_type
  time date
  day day
  hour hour
  secmark integer 32
  sdif iface_index
  sdifname ifname
  broute integer 1`,
)

/** Other words for some of them. */
export const META_ALIASES: Readonly<Record<string, string>> = { ibriport: 'ibrname', obriport: 'obrname', secpath: 'ipsec' }

/** Those that text writes without `meta`. */
export const UNQUALIFIED_META: ReadonlySet<string> = new Set('iif oif iifname oifname iifgroup oifgroup'.split(' '))
