/** What a type of values is to nft's language: how its constants are read from JSON, and printed. */
import type { ByteOrder } from '../data-types.js'
import type { Immediate } from '../json/index.js'

/** The names of the network devices where the rules are: numbers of devices mean nothing elsewhere. */
export interface Devices {
  indexOf(name: string): number | undefined
  nameOf(index: number): string | undefined
}

/**
 * A data type of nft (include/datatype.h, src/datatype.c).
 *
 * A constant is a bigint: the number that it means. Text, addresses and other rows of bytes are the number that their bytes are
 * from the first to the last, text filled up with zeros behind it; `order` says how the number stands in a register.
 */
export interface ValueType {
  /** nft's word for it. */
  readonly name: string
  /** TYPE_* of nft: 6 bits of a set's key type. 0 for those that sets can not have. */
  readonly number: number
  /** 0: as many as what it is the type of has. */
  readonly bits: number
  /** `none` where what it is the type of says it. */
  readonly order: ByteOrder
  /** Its constants are text: compared and printed up to the first zero. */
  readonly text: boolean
  /** Its constants are sets of bits with a name each (nft's bitmask). */
  readonly flags: boolean
  /**
   * The constant that a word or a number of the JSON means. `bits`: of what it is compared with. Throws a `BadValue` that tells
   * the nearest known word, or the range. `devices`: only for `iface_index`, whose names need them.
   */
  parse(given: Immediate, bits: number, devices?: Devices): bigint
  /** As `nft -j` prints a constant; flags as they are one by one, not as a list. */
  json(value: bigint, bits: number, devices?: Devices): Immediate
  /** As `nft` prints a constant in text, where words are quoted as there. */
  print(value: bigint, bits: number, devices?: Devices): string
  /** As text shows it where words are left out: numbers of the JSON, and the bounds of ranges. */
  printNumber(value: bigint, bits: number): string
  /** The names of flags that are set, from the lowest bit on; undefined where a bit has no name. */
  names?(value: bigint): readonly string[] | undefined
}

/** What an expression gives: a type, and how long it is. */
export interface Shape {
  readonly type: ValueType
  readonly bits: number
  readonly order: ByteOrder
}
