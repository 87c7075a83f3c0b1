/** Messages of nftables made of attributes by number, in any order and of any value: also such as the library would never send. */
import { message } from '../../../../lib/nft/wire.js'

export const ACK = 4
export const ECHO = 8
export const REPLACE = 0x100
export const NONREC = 0x100
export const EXCL = 0x200
export const DUMP = 0x300
export const CREATE = 0x400
export const APPEND = 0x800

/** NFPROTO_* */
export const families = { unspecified: 0, inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const
export type FamilyName = keyof typeof families

/** A list, of elements whose number is 1 unless another is given. */
export interface List {
  readonly list: readonly Value[]
  readonly type?: number
}

/** 32 bits and 64 bits in network byte order, text with a NUL, bytes as they are, a nest, a list. */
export type Value = number | bigint | string | Uint8Array | readonly Attribute[] | List
export type Attribute = readonly [id: number, value: Value]

export interface Spec {
  readonly type: number
  /** Besides NLM_F_REQUEST. */
  readonly flags: number
  readonly family: number
  readonly resource: number
  readonly attributes: readonly Attribute[]
  /** Whether NLM_F_REQUEST is left out. */
  readonly unasked?: boolean
}

const SUBSYSTEM = 10
const NLA_F_NESTED = 0x8000

export const list = (...elements: Value[]): List => ({ list: elements })
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
export const be16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value)
export const u8 = (value: number): Uint8Array => Uint8Array.of(value)

const isList = (value: Value): value is List => typeof value === 'object' && 'list' in value

function payloadOf(value: Value): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (typeof value === 'string') return Buffer.from(`${value}\0`, 'latin1')
  if (typeof value === 'object') return isList(value) ? listOf(value) : encode(value)
  const bytes = Buffer.alloc(typeof value === 'number' ? 4 : 8)
  if (typeof value === 'number') bytes.writeUInt32BE(value >>> 0)
  else bytes.writeBigUInt64BE(value)
  return bytes
}

const listOf = ({ list: elements, type = 1 }: List): Buffer => encode(elements.map(element => [type, element] as const))

function encode(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(
    attributes.map(([id, value]) => {
      const payload = payloadOf(value)
      const header = Buffer.alloc(4)
      const nested = typeof value === 'object' && !(value instanceof Uint8Array)
      header.writeUInt16LE(4 + payload.length)
      header.writeUInt16LE(id | (nested ? NLA_F_NESTED : 0), 2)
      return Buffer.concat([header, payload, Buffer.alloc(-payload.length & 3)])
    }),
  )
}

/** The bytes of a message. */
export function bytesOf({ type, flags, family, resource, attributes, unasked }: Spec, sequence: number): Buffer {
  const body = encode(attributes)
  const header = Buffer.alloc(20)
  header.writeUInt32LE(20 + body.length)
  header.writeUInt16LE(type, 4)
  header.writeUInt16LE(flags | (unasked ? 0 : 1), 6)
  header.writeUInt32LE(sequence, 8)
  header[16] = family
  header.writeUInt16BE(resource, 18)
  return Buffer.concat([header, body])
}

/** Any message of netfilter. */
export function raw(type: number, flags = 0, attributes: readonly Attribute[] = [], resource = 0): Spec {
  return { type, flags, family: 0, resource, attributes }
}

/** A message of nftables. */
export function spec(number: number, family: FamilyName, flags: number, attributes: readonly Attribute[] = []): Spec {
  return { type: (SUBSYSTEM << 8) | number, flags, family: families[family], resource: 0, attributes }
}

/** @param generation 0: any */
export const begin = (generation?: number, flags = 0): Spec =>
  raw(0x10, flags, generation === undefined ? [] : [[1, generation]], SUBSYSTEM)
export const end = (flags = 0): Spec => raw(0x11, flags, [], SUBSYSTEM)
export const batch = (...messages: Spec[]): Spec[] => [begin(), ...messages, end()]

export const table = (family: FamilyName, name: string, flags = CREATE, ...more: Attribute[]): Spec =>
  spec(message.newTable, family, flags, [[1, name], ...more])

export const chain = (family: FamilyName, of: string, name: string, flags = CREATE, ...more: Attribute[]): Spec =>
  spec(message.newChain, family, flags, [[1, of], [3, name], ...more])

export const hook = (number: number, priority: number, ...more: Attribute[]): Attribute => [
  4,
  [[1, number], [2, priority], ...more],
]

/** An expression without data has none at all. */
export const expression = (name: string, data?: readonly Attribute[]): readonly Attribute[] =>
  data
    ? [
        [1, name],
        [2, data],
      ]
    : [[1, name]]

export const rule = (
  family: FamilyName,
  of: string,
  within: string,
  flags: number,
  expressions: readonly (readonly Attribute[])[],
  ...more: Attribute[]
): Spec => spec(message.newRule, family, flags, [[1, of], [2, within], [4, list(...expressions)], ...more])

/** A set with a key type that means nothing. */
export const set = (
  family: FamilyName,
  of: string,
  name: string,
  flags: number,
  setFlags: number,
  keyLength: number,
  ...more: Attribute[]
): Spec => spec(message.newSet, family, flags, [[1, of], [2, name], [3, setFlags], [4, 7], [5, keyLength], [10, 1], ...more])

export type Element = readonly Attribute[]

/** An element by the hexadecimal digits of its key. */
export const key = (digits: string, ...more: Attribute[]): Element => [[1, [[1, hex(digits)]]], ...more]
export const intervalEnd = (digits: string, ...more: Attribute[]): Element => key(digits, [3, 1], ...more)
export const range = (first: string, last: string): Element => key(first, [10, [[1, hex(last)]]])
export const catchAll: Element = [[3, 2]]
export const value = (digits: string): readonly Attribute[] => [[1, hex(digits)]]

export const elements = (
  number: number,
  family: FamilyName,
  of: string,
  name: string,
  flags: number,
  ...given: Element[]
): Spec =>
  spec(number, family, flags, [
    [1, of],
    [2, name],
    [3, list(...given)],
  ])

export const object = (
  family: FamilyName,
  of: string,
  name: string,
  type: number,
  flags: number,
  data: readonly Attribute[],
  ...more: Attribute[]
): Spec => spec(message.newObject, family, flags, [[1, of], [2, name], [3, type], [4, data], ...more])

/** NFT_JUMP, NFT_GOTO, and the rest as they are. */
export const verdict = (code: number, target?: string): readonly Attribute[] => [
  [
    2,
    target === undefined
      ? [[1, code]]
      : [
          [1, code],
          [2, target],
        ],
  ],
]
export const immediate = (code: number, target?: string): readonly Attribute[] =>
  expression('immediate', [
    [1, 0],
    [2, verdict(code, target)],
  ])
export const JUMP = -3
export const GOTO = -4
export const counter = expression('counter', [
  [1, 5n],
  [2, 6n],
])
/** 4 bytes of the packet into register 1. */
export const loadAddress = expression('payload', [
  [1, 1],
  [2, 1],
  [3, 12],
  [4, 4],
])

export const dump = (number: number, family: FamilyName = 'unspecified', attributes: readonly Attribute[] = []): Spec =>
  spec(number, family, DUMP, attributes)
export const get = (number: number, family: FamilyName, attributes: readonly Attribute[] = []): Spec =>
  spec(number, family, ACK, attributes)
