/** Text and bytes of IP addresses. `node:net` can test an address but not give its bytes. */

export type Family = 'ipv4' | 'ipv6'

/** `AF_INET` and `AF_INET6`. */
export const AF_INET = 2
export const AF_INET6 = 10

const DOT = 46
const COLON = 58

/** The family that an address is written in: a colon makes it IPv6. It says nothing of whether the address is well formed. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

/** Writes the 4 bytes of a dotted quad at `offset`. False when `text` is not one; octets with a leading zero are refused, for C reads them as octal. */
export function parseIPv4(text: string, bytes: Uint8Array, offset: number, from = 0): boolean {
  let octets = 0
  let value = 0
  let digits = 0
  for (let i = from; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i)
    if (code === DOT) {
      if (digits === 0 || octets === 4) return false
      bytes[offset + octets++] = value
      value = 0
      digits = 0
    } else {
      if (code < 48 || code > 57 || (digits > 0 && value === 0)) return false
      value = value * 10 + code - 48
      digits++
      if (value > 255) return false
    }
  }
  return octets === 4
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Writes the 16 bytes of an IPv6 address (RFC 4291 2.2, without a zone) at `offset`. False when `text` is not one. */
export function parseIPv6(text: string, bytes: Uint8Array, offset: number): boolean {
  let at = 0 // bytes written
  let gap = -1 // where :: stands
  let i = 0
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false
    gap = 0
    i = 2
  }
  while (i < text.length) {
    const start = i
    let value = 0
    for (let digit = 0; i < text.length; i++) {
      digit = hexDigit(text.charCodeAt(i))
      if (digit < 0) break
      value = value * 16 + digit
    }
    if (text.charCodeAt(i) === DOT) {
      if (at > 12 || !parseIPv4(text, bytes, offset + at, start)) return false
      at += 4
      i = text.length
      break
    }
    if (i === start || i - start > 4 || at > 14) return false
    bytes[offset + at++] = value >> 8
    bytes[offset + at++] = value & 255
    if (i === text.length) break
    if (text.charCodeAt(i++) !== COLON) return false
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return false
      gap = at
      i++
    } else if (i === text.length) return false
  }
  if (gap < 0) return at === 16
  if (at > 14) return false
  bytes.copyWithin(offset + 16 - (at - gap), offset + gap, offset + at)
  bytes.fill(0, offset + gap, offset + 16 - (at - gap))
  return true
}

/** Writes an address at `offset`: 4 bytes and 12 zeros, or 16 (the kernel's `union nf_inet_addr`). False when it is not one of that family. */
export function writeAddress(text: string, family: Family, bytes: Uint8Array, offset: number): boolean {
  if (family === 'ipv6') return parseIPv6(text, bytes, offset)
  bytes.fill(0, offset + 4, offset + 16)
  return parseIPv4(text, bytes, offset)
}

const OCTETS = Array.from({ length: 256 }, (_, i) => String(i))
const scratch = Buffer.alloc(64)

/** A flat string: one made by concatenation keeps its parts alive, which triples the memory of a large table. */
function formatIPv4(bytes: Uint8Array, offset: number): string {
  let length = 0
  for (let i = 0; i < 4; i++) {
    const octet = bytes[offset + i] as number
    if (octet > 99) scratch[length++] = 48 + ((octet / 100) | 0)
    if (octet > 9) scratch[length++] = 48 + (((octet / 10) | 0) % 10)
    scratch[length++] = 48 + (octet % 10)
    if (i < 3) scratch[length++] = DOT
  }
  return scratch.toString('latin1', 0, length)
}

/** As inet_ntop of glibc prints it: RFC 5952, with the last 4 bytes dotted for ::ffff:0:0/96 and ::/96. */
function formatIPv6(bytes: Uint8Array, offset: number): string {
  const words: number[] = []
  for (let i = 0; i < 16; i += 2) words.push(((bytes[offset + i] as number) << 8) | (bytes[offset + i + 1] as number))
  let best = -1
  let bestLength = 1
  for (let i = 0, run = 0; i < 8; i++) {
    run = words[i] === 0 ? run + 1 : 0
    if (run > bestLength) {
      bestLength = run
      best = i - run + 1
    }
  }
  const dotted = best === 0 && (bestLength === 6 || (bestLength === 5 && words[5] === 0xffff))
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (best >= 0 && i >= best && i < best + bestLength) {
      if (i === best) text += ':'
      continue
    }
    if (i > 0) text += ':'
    if (i === 6 && dotted) return text + formatIPv4(bytes, offset + 12)
    text += (words[i] as number).toString(16)
  }
  return best >= 0 && best + bestLength === 8 ? `${text}:` : text
}

/** The canonical text of the address at `offset`. */
export function formatAddress(bytes: Uint8Array, offset: number, family: Family): string {
  return family === 'ipv6' ? formatIPv6(bytes, offset) : formatIPv4(bytes, offset)
}

/** The canonical form of an address, or undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const family = familyOf(text)
  return writeAddress(text, family, scratch, 48) ? formatAddress(scratch, 48, family) : undefined
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Dotted IPv4 mask of a prefix length. */
export function maskOfPrefix(prefix: number): string {
  const value = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
  return `${OCTETS[value >>> 24]}.${OCTETS[(value >>> 16) & 255]}.${OCTETS[(value >>> 8) & 255]}.${OCTETS[value & 255]}`
}
