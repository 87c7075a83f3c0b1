/** What others change in our tables. */
import type { Change, Elements, NftClient, Table } from '../nft/index.js'
import type { Family } from '../service/index.js'
import { TABLE, tableFamily } from './nftables/layout.js'

/** Tells the family of each table that somebody else changed, until it is aborted. Rejects when the kernel tells no changes any more. */
export async function watchTables(client: NftClient, signal: AbortSignal, drifted: (family: Family) => void): Promise<void> {
  for await (const { own, changes } of client.watch({ table: TABLE, signal }))
    for (const family of own ? [] : (['ipv4', 'ipv6'] as const))
      if (changes.some(change => familyOf(change) === tableFamily(family))) drifted(family)
}

/** The family of a table that a change is in. */
function familyOf({ object, before, after }: Change): string | undefined {
  const thing = after ?? before
  return object === 'elements' ? (thing as Elements | undefined)?.set.family : (thing as Table | undefined)?.family
}
