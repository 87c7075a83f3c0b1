/** Applies a document, and finds out what of it could not be applied. */
import type { NftClient } from '../../../../lib/nft/index.js'
import type * as json from '../../../../lib/nft/json/index.js'

type Item = json.Document['nftables'][number]

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Why something could not be applied, and what. */
export interface Failure {
  readonly item: Item
  readonly why: string
}

/** Stands where a rule could not be applied, so that the others keep their places. */
const PLACEHOLDER: json.Statement = { counter: { packets: 404, bytes: 404 } }

/** Applies a document; where that fails, all of it that can be applied. Returns what can not. */
export async function applyAll(nf: NftClient, document: json.Document): Promise<Failure[]> {
  const failures: Failure[] = []
  await applyParts(nf, document.nftables, failures)
  return failures
}

/** Halves what fails until it is one. What comes first is applied first. */
async function applyParts(nf: NftClient, items: readonly Item[], failures: Failure[]): Promise<void> {
  try {
    await nf.apply({ nftables: items })
  } catch (error) {
    const [only] = items
    if (items.length > 1) {
      const half = items.length >> 1
      await applyParts(nf, items.slice(0, half), failures)
      await applyParts(nf, items.slice(half), failures)
    } else if (only) {
      failures.push({ item: only, why: messageOf(error) })
      await keepPlace(nf, only)
    }
  }
}

async function keepPlace(nf: NftClient, item: Item): Promise<void> {
  const rule = 'rule' in item ? item.rule : 'add' in item && 'rule' in item.add ? item.add.rule : undefined
  if (rule) await nf.apply({ nftables: [{ add: { rule: { ...rule, expr: [PLACEHOLDER] } } }] }).catch(() => {})
}
