/** Keys of the smaller sources of values (nftables 1.1.3, src/{rt,socket,fib,osf,xfrm,tunnel}.c). */
import { type Key, keys } from './key.js'

/** By the kernel's words. `nexthop` of JSON is one of the two, by its family. */
export const RT_KEYS: readonly Key[] = keys(`
  classid realm
  ip_nexthop ipv4_addr
  ip6_nexthop ipv6_addr
  mtu integer 16
  ipsec boolean 8`)

export const SOCKET_KEYS: readonly Key[] = keys(`
  transparent integer 8
  mark mark
  wildcard integer 8
  cgroupv2 cgroupsv2`)

export const FIB_RESULTS: readonly Key[] = keys(`
  oif iface_index
  oifname ifname
  type fib_addrtype
  check boolean 8`)

export const OSF_KEYS: readonly Key[] = keys(`
  name string 128
  version string 128`)

/** By the kernel's words: `saddr` and `daddr` of JSON by their family. */
export const IPSEC_KEYS: readonly Key[] = keys(`
  ip_saddr ipv4_addr
  ip_daddr ipv4_addr
  ip6_saddr ipv6_addr
  ip6_daddr ipv6_addr
  reqid integer 32
  spi integer 32 network`)

export const TUNNEL_KEYS: readonly Key[] = keys(`
  path boolean 8
  id integer 32`)
