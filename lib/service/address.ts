/** Addresses and ranges of addresses, as Kubernetes writes them. */
import { canonicalAddress, type Family, familyOf, parseIPv4, writeAddress } from '../netlink/address.js'

export type { Family }

/** Of the address that is looked at. */
const scratch = new Uint8Array(16)

/**
 * An address in one form: octets with leading zeros are decimal, and IPv4 mapped into IPv6 is IPv4, as in Kubernetes
 * (k8s.io/utils/net, ParseIPSloppy). Undefined for what is none.
 */
export function addressOf(text: string): string | undefined {
  // Most are written in it.
  if (parseIPv4(text, scratch, 0)) return text
  const plain = /^[0-9.]+$/.test(text) ? text.replaceAll(/(^|\.)0+(?=\d)/g, '$1') : text
  const canonical = canonicalAddress(plain)
  return canonical?.startsWith('::ffff:') ? (mapped(canonical) ?? canonical) : canonical
}

function mapped(address: string): string | undefined {
  const bytes = bytesOf(address)
  return bytes.subarray(0, 10).every(byte => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
    ? bytes.subarray(12).join('.')
    : undefined
}

function bytesOf(address: string): Uint8Array {
  const family = familyOf(address)
  const bytes = new Uint8Array(family === 'ipv4' ? 4 : 16)
  writeAddress(address, family, bytes, 0)
  return bytes
}

/** A range of addresses: a prefix. */
export interface Cidr {
  readonly family: Family
  /** Its first address and length: `10.0.0.0/8`. */
  readonly text: string
  readonly bytes: Uint8Array
  readonly length: number
}

/** A prefix from `10.0.0.0/8`; an address alone is a prefix of all its bits. Undefined for what is none. */
export function cidrOf(text: string): Cidr | undefined {
  const [first = '', bits, ...rest] = text.trim().split('/')
  const address = addressOf(first)
  if (address === undefined || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined
  const family = familyOf(address)
  const most = family === 'ipv4' ? 32 : 128
  const length = bits === undefined ? most : Number(bits)
  if (length > most) return undefined
  const bytes = bytesOf(address)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] as number) & maskAt(length, i)
  return { family, text: `${textOf(bytes, family)}/${length}`, bytes, length }
}

const maskAt = (length: number, i: number): number => (0xff00 >> Math.max(0, Math.min(8, length - 8 * i))) & 0xff

function textOf(bytes: Uint8Array, family: Family): string {
  if (family === 'ipv4') return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16),
  )
  return canonicalAddress(groups.join(':')) ?? groups.join(':')
}

/** Whether an address, in its one form, is in a range. */
export function contains({ family, bytes, length }: Cidr, address: string): boolean {
  if (familyOf(address) !== family) return false
  writeAddress(address, family, scratch, 0)
  for (let i = 0; 8 * i < length; i++) if (bytes[i] !== ((scratch[i] as number) & maskAt(length, i))) return false
  return true
}

/** Those ranges that are in no other one: a set of the kernel's takes none that overlap. */
export function outermost(cidrs: readonly Cidr[]): readonly Cidr[] {
  const kept: Cidr[] = []
  for (const cidr of [...cidrs].sort((a, b) => a.length - b.length)) {
    const [first = ''] = cidr.text.split('/')
    if (!kept.some(larger => contains(larger, first))) kept.push(cidr)
  }
  return kept
}

/** Addresses from the lowest on, as nobody reads them but as they sort: the same order everywhere. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
