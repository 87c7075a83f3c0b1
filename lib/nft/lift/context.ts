/** What lifting needs to know of what a rule stands in. */
import type { Element, Family, NftSet } from '../types.js'
import type { Devices } from '../vocabulary/value-type.js'

export interface LiftContext {
  readonly family: Family
  /** A set or a map of the table; of those without a name the elements, too. */
  setNamed(name: string): { readonly set: NftSet; readonly elements: readonly Element[] } | undefined
  /** Without it devices that are told by their number keep it. */
  readonly devices?: Devices | undefined
  /** Fractions of seconds, too: `nft -j` leaves them out. */
  readonly whole?: boolean | undefined
  /** Of masked extension headers nft finds the field only where they are the key of a verdict map. */
  readonly fields?: boolean | undefined
}
