/** Parts of rules as nft writes them (`nft --debug=netlink`): what other bytes mean the same, nft may not be able to list. */
import { familyOf, writeAddress } from '../../../../lib/netlink/address.js'
import type { Cmp, Expression, Verdict } from '../../../../lib/nft/index.js'
import type { Version } from './network.js'

export const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)
/** 16 bits in the network's order, as ports stand in registers. */
export const port = (number: number): Uint8Array => bytes(number >> 8, number & 255)
/** 32 bits in the machine's order, as marks and states stand in registers. */
export const host32 = (number: number): Uint8Array => new Uint8Array(Uint32Array.of(number).buffer)

const cmp = (data: Uint8Array, operator: Cmp['operator'] = 'eq', source = 1): Expression => ({
  kind: 'cmp',
  source,
  operator,
  data,
})

const PROTOCOLS = { tcp: 6, udp: 17, icmp: 1 } as const
type Protocol = keyof typeof PROTOCOLS

/** `meta l4proto tcp` */
export const l4proto = (protocol: Protocol): Expression[] => [
  { kind: 'meta', key: 'l4proto', destination: 1 },
  cmp(bytes(PROTOCOLS[protocol])),
]

/** `meta nfproto ipv4`, which nft leaves out of the listing where an address follows. */
export const nfproto = (version: Version): Expression[] => [
  { kind: 'meta', key: 'nfproto', destination: 1 },
  cmp(bytes(version === 'ip' ? 2 : 10)),
]

/** The destination port, into a register. */
export const loadPort = (destination = 1): Expression => ({
  kind: 'payload',
  base: 'transport',
  offset: 2,
  length: 2,
  destination,
})

const WHERE = {
  ip: { saddr: 12, daddr: 16, length: 4 },
  ip6: { saddr: 8, daddr: 24, length: 16 },
} as const

/** An address of the packet, into a register. */
export const loadAddress = (version: Version, side: 'saddr' | 'daddr', destination = 1): Expression => ({
  kind: 'payload',
  base: 'network',
  offset: WHERE[version][side],
  length: WHERE[version].length,
  destination,
})

export function addressBytes(address: string): Uint8Array {
  const data = new Uint8Array(familyOf(address) === 'ipv4' ? 4 : 16)
  writeAddress(address, familyOf(address), data, 0)
  return data
}

/** `tcp dport 80` */
export const dport = (protocol: Protocol, number: number): Expression[] => [...l4proto(protocol), loadPort(), cmp(port(number))]

/** `ip daddr 198.51.100.1` */
export const address = (version: Version, side: 'saddr' | 'daddr', value: string): Expression[] => [
  ...nfproto(version),
  loadAddress(version, side),
  cmp(addressBytes(value)),
]

/** `dnat ip to 10.1.1.1:8000`, `snat ip6 to 2001:db8::9`. */
export const nat = (type: 'dnat' | 'snat', family: Version, to: string, toPort?: number): Expression[] => [
  { kind: 'immediate', destination: 1, data: addressBytes(to) },
  ...(toPort === undefined ? [] : [{ kind: 'immediate', destination: 2, data: port(toPort) } as const]),
  {
    kind: 'nat',
    type,
    family,
    addressMin: 1,
    ...(toPort !== undefined && { portMin: 2, flags: ['proto-specified'] }),
  },
]

/** `dnat ip to …` what a map has left in registers: address and port. A second word stands in register 9, or behind 16 bytes in 2. */
export const natFromRegisters = (family: Version): Expression => ({
  kind: 'nat',
  type: 'dnat',
  family,
  addressMin: 1,
  portMin: family === 'ip' ? 9 : 2,
})

/** The verdict of a rule. */
export const verdict = (word: Verdict['verdict'], chain?: string): Expression => ({
  kind: 'immediate',
  destination: 0,
  data: { verdict: word, ...(chain !== undefined && { chain }) },
})

export const counter: Expression = { kind: 'counter' }

/** `ct state established,related`: any of these bits. */
const STATES = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const
export const ctState = (...states: readonly (keyof typeof STATES)[]): Expression[] => [
  { kind: 'ct', key: 'state', destination: 1 },
  ...anyOf(states.reduce((bits, state) => bits | STATES[state], 0)),
]

/** `ct status dnat` */
export const ctStatusDnat: readonly Expression[] = [{ kind: 'ct', key: 'status', destination: 1 }, ...anyOf(32)]

/** Holds where any of these bits is set in register 1. */
function anyOf(bits: number): Expression[] {
  return [{ kind: 'bitwise', source: 1, destination: 1, length: 4, mask: host32(bits), xor: host32(0) }, cmp(host32(0), 'neq')]
}

/** `meta mark 0x7`, `ct mark 0x7` */
export const mark = (kind: 'meta' | 'ct', value: number): Expression[] => [
  { kind, key: 'mark', destination: 1 },
  cmp(host32(value)),
]
/** `meta mark set 0x7` */
export const setMark = (value: number): Expression[] => [
  { kind: 'immediate', destination: 1, data: host32(value) },
  { kind: 'meta', key: 'mark', source: 1 },
]
