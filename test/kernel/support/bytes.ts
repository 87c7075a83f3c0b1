/** Payloads of netlink attributes as one writes them by hand. Numbers stand in the machine's order, but for those in network order. */

const machine = (array: Uint8Array | Uint16Array | Uint32Array | BigUint64Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength)

export const u8 = (value: number): Buffer => Buffer.from([value])
export const u16 = (value: number): Buffer => machine(Uint16Array.of(value))
export const u32 = (value: number): Buffer => machine(Uint32Array.of(value))
export const be16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
export const zeros = (length: number): Buffer => Buffer.alloc(length)
/** With its NUL. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'latin1')
export const textWithoutEnd = (value: string): Buffer => Buffer.from(value, 'latin1')
/** `struct ip_vs_flags` */
export const flags = (value: number, mask = 0xffffffff): Buffer => Buffer.concat([u32(value), u32(mask)])

/** A dotted quad in the 16 bytes of `union nf_inet_addr`, or in as many as given. */
export const ipv4 = (address: string, length = 16): Buffer => {
  const bytes = Buffer.alloc(Math.max(length, 4))
  address.split('.').forEach((octet, i) => {
    bytes[i] = Number(octet)
  })
  return bytes.subarray(0, length)
}

/** An IPv6 address by its groups, all eight of them. */
export const ipv6 = (groups: string): Buffer => Buffer.concat(groups.split(':').map(group => be16(Number.parseInt(group, 16))))

export const readU16 = (bytes: Uint8Array | undefined): number | undefined =>
  bytes && new Uint16Array(Uint8Array.from(bytes).buffer)[0]
export const readU32 = (bytes: Uint8Array | undefined): number | undefined =>
  bytes && new Uint32Array(Uint8Array.from(bytes).buffer)[0]
export const readText = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, '')

/** `struct nlattr`, the payload, and padding to 4 bytes. */
export function attribute(type: number, payload: Uint8Array): Buffer {
  const padding = -payload.length & 3
  return Buffer.concat([u16(4 + payload.length), u16(type), payload, zeros(padding)])
}

/** Payloads by number; the flags in the type are not part of it. */
export function attributesOf(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = readU16(bytes.subarray(at, at + 2)) ?? 0
    const type = readU16(bytes.subarray(at + 2, at + 4)) ?? 0
    if (length < 4) break
    found.set(type & 0x3fff, bytes.subarray(at + 4, at + length))
    at += (length + 3) & ~3
  }
  return found
}
