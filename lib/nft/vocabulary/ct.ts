/** Keys of `ct` (nftables 1.1.3, src/ct.c). */
import { type Key, keys } from './key.js'

/** `saddr` and `daddr` have the type and the length of the table's family. */
export const CT_KEYS: readonly Key[] = keys(`
  state ct_state
  direction ct_dir
  status ct_status
  mark mark
  expiration time
  helper string 128
  l3proto nf_proto
  saddr integer 0 network
  daddr integer 0 network
  protocol inet_proto 8 network
  proto-src inet_service
  proto-dst inet_service
  label ct_label
  bytes integer 64
  packets integer 64
  avgpkt integer 64
  zone integer 16
  event ct_event
  ip_saddr ipv4_addr
  ip_daddr ipv4_addr
  ip6_saddr ipv6_addr
  ip6_daddr ipv6_addr
  secmark integer 32
  id integer 32 network`)
