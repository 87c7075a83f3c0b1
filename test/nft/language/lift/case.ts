/** A rule as the kernel tells it, and as the language says it. */
import type { Expression } from '../../../../lib/nft/expressions/index.js'
import type * as json from '../../../../lib/nft/json/index.js'
import type { Element, Family, NftSet } from '../../../../lib/nft/types.js'

export interface LiftCase {
  readonly name: string
  readonly family: Family
  readonly expressions: readonly Expression[]
  readonly sets?: readonly { readonly set: Omit<NftSet, 'family' | 'table'>; readonly elements: readonly Element[] }[]
  readonly statements: readonly json.Statement[]
}
