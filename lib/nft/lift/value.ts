/** What registers hold while a rule is read: expressions whose constants, and whose places in packets, have no type as yet. */
import type * as json from '../json/index.js'
import type { Element, NftSet } from '../types.js'
import type { HeaderField, Layer, Protocol } from '../vocabulary/protocol.js'
import type { Shape } from '../vocabulary/value-type.js'

/** Bytes of a register. */
export interface Constant {
  readonly kind: 'constant'
  readonly bytes: Uint8Array
}
/** A piece of the packet. `protocol` and `field` once it is known what it is. */
export interface PacketValue {
  readonly kind: 'packet'
  readonly layer: Layer
  /** Bits. */
  readonly offset: number
  readonly bits: number
  /** Word of the tunnel that it stands in. */
  readonly tunnel?: string | undefined
  readonly protocol?: Protocol | undefined
  readonly field?: HeaderField | undefined
  /** Bits of the register that it was moved to the end of. */
  readonly moved?: number | undefined
}
export type OptionKind = 'exthdr' | 'tcp option' | 'ip option' | 'sctp chunk' | 'dccp option'
/** A piece of an extension header, an option, or a chunk. */
export interface OptionValue {
  readonly kind: 'option'
  readonly of: OptionKind
  readonly type: number
  /** Bits. */
  readonly offset: number
  readonly bits: number
  /** Whether it is there. */
  readonly present: boolean
  /** Bits of the register that it was moved to the end of. */
  readonly moved?: number | undefined
}
/** What has a word of its own. */
export interface SelectorValue {
  readonly kind: 'selector'
  readonly json: json.Selector
  readonly shape: Shape
  readonly tunnel?: string | undefined
}
interface HashValue {
  readonly kind: 'hash'
  readonly of: Value
  readonly options: { readonly mod: number; readonly offset?: number | undefined; readonly seed?: number | undefined }
}
export type Calculation = '&' | '|' | '^' | '<<' | '>>'
export interface CalculatedValue {
  readonly kind: 'calculated'
  readonly operator: Calculation
  readonly left: Value
  readonly right: Value
  readonly bits: number
}
interface ConcatenatedValue {
  readonly kind: 'concatenated'
  readonly parts: readonly Value[]
}
/** In the other order of bytes. */
interface SwappedValue {
  readonly kind: 'swapped'
  readonly of: Value
  readonly bits: number
}
export interface NamedSet {
  readonly set: NftSet
  readonly elements: readonly Element[]
  /** Types of the keys, where what is looked up tells more than the set. */
  readonly shapes?: readonly Shape[] | undefined
}
export const isAnonymous = ({ set }: NamedSet): boolean => set.flags?.includes('anonymous') ?? false

export interface MappedValue {
  readonly kind: 'mapped'
  readonly key: Value
  readonly map: NamedSet
}
export type Value =
  | Constant
  | PacketValue
  | OptionValue
  | SelectorValue
  | HashValue
  | CalculatedValue
  | ConcatenatedValue
  | SwappedValue
  | MappedValue

/** Thrown where expressions do not make a statement: the rule is told as they are. */
export class Unliftable extends Error {}

export function unliftable(why: string): never {
  throw new Unliftable(why)
}
