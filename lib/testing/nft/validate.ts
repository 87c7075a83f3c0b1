/** Whether rules may stand where they are (nf_tables_api.c, nft_table_validate): loops of jumps, and expressions that some hooks can not carry out. */
import { EMLINK, Errno } from '../errno.js'
import type { Chain, NftSet, Table } from './state.js'

/** NFT_JUMP_STACK_SIZE */
const DEEPEST = 16

/** Looks at all that can be reached from the base chains of a table. Throws. */
export function validate(table: Table): void {
  for (const chain of table.chains.values()) if (chain.hook) new Walk(chain).visit(chain, 0)
}

class Walk {
  readonly #base: Chain
  /** How deep each chain was seen already: it is not looked at again from there. */
  readonly #seen = new Map<Chain, number>()

  constructor(base: Chain) {
    this.#base = base
  }

  visit(chain: Chain, level: number): void {
    if (level === DEEPEST) throw new Errno(EMLINK)
    if ((this.#seen.get(chain) ?? -1) >= level) return
    this.#seen.set(chain, level)
    for (const { expressions } of chain.rules.values())
      for (const { validate: check, jumpsTo } of expressions) {
        check?.(this.#base)
        if (jumpsTo) for (const next of targets(jumpsTo)) this.visit(next, level + 1)
      }
  }
}

function* targets(jumpsTo: Chain | NftSet): Generator<Chain> {
  if ('rules' in jumpsTo) yield jumpsTo
  else yield* jumpsTo.elements.jumps()
}
