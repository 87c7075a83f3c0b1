/** Which addresses a real server can have (ip_vs_ctl.c, ip_vs_new_dest). */

/**
 * Whether an IPv4 address is unicast or local (net/ipv4/fib_frontend.c, inet_addr_type). Before an interface was ever up there is no table
 * of local addresses, and every address counts as broadcast.
 */
export function isUnicast4([a = 0, b = 0, c = 0, d = 0]: Uint8Array, everUp: boolean): boolean {
  if (!everUp || (a | b | c | d) === 0 || (a >= 224 && a < 240)) return false
  return !((a === 255 || a === 127) && (b & c & d) === 255)
}

/** Whether an IPv6 address is unicast and not link-local (net/ipv6/addrconf_core.c, __ipv6_addr_type); none is the host's own here but ::1. */
export function isUnicast6(address: Uint8Array): boolean {
  const words = new DataView(address.buffer, address.byteOffset)
  const first = words.getUint32(0)
  if (first >>> 24 === 0xff || first >>> 22 === 0xfe80 >>> 6) return false
  if ((first | words.getUint32(4)) !== 0) return true
  const third = words.getUint32(8)
  if (third === 0) return words.getUint32(12) !== 0
  return third !== 0xffff
}
