/** What lowering needs to know of what a rule stands in. */

import type { Expression } from '../expressions/index.js'
import type { Element, Family, NftSet } from '../types.js'
import type { Devices } from '../vocabulary/value-type.js'
import type { NamedKind, Names } from './names.js'

export interface LowerContext {
  readonly family: Family
  readonly table: string
  /** Of the base chain that the rule is in, where it is one. */
  readonly chain: { readonly type?: string | undefined; readonly hook?: string | undefined }
  /** A set or a map of the table: of the kernel's, or one that the same transaction adds. */
  setNamed(name: string): NftSet | undefined
  /** What the table has of a kind by its name, as far as `setNamed`; undefined where it is not known. */
  named?(kind: NamedKind): Names | undefined
  /** A number for a set without a name, never given before within the transaction. */
  nextId(): number
  /** The network devices: numbers are what the kernel compares by `meta iif`. */
  readonly devices?: Devices | undefined
}

/** A set without a name, that a rule needs. */
export interface AnonymousSet {
  readonly set: NftSet
  readonly elements: readonly Element[]
}

export interface LoweredRule {
  readonly expressions: readonly Expression[]
  /** To be added before the rule, in this order. */
  readonly sets: readonly AnonymousSet[]
}
