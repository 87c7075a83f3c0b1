/** What others change: in our tables, and of the machine's addresses. */
import type { Change, Elements, NftClient, Table } from '../nft/index.js'
import type { RouteClient } from '../route/index.js'
import type { Family } from '../service/index.js'
import { TABLE } from './nftables/layout.js'

/** Tells the family of each table that somebody else changed, until it is aborted. Rejects when the kernel tells no changes any more. */
export async function watchTables(client: NftClient, signal: AbortSignal, drifted: (family: Family) => void): Promise<void> {
  for await (const { own, changes } of client.watch({ table: TABLE, signal }))
    for (const family of own ? [] : (['ipv4', 'ipv6'] as const))
      if (changes.some(change => tablesOf(family).includes(familyOf(change)))) drifted(family)
}

/** Families of nftables that have a table of ours. */
const tablesOf = (family: Family): readonly (string | undefined)[] => (family === 'ipv4' ? ['ip', 'arp'] : ['ip6'])

/** Tells that an address came to the machine or went, but for link-local ones, which come with every pod; until it is aborted. */
export async function watchAddresses(client: RouteClient, signal: AbortSignal, moved: () => void): Promise<void> {
  for await (const { changes } of client.watch({ objects: ['address'], signal }))
    if (changes.some(({ value }) => 'scope' in value && value.scope !== 'link')) moved()
}

/** The family of a table that a change is in. */
function familyOf({ object, before, after }: Change): string | undefined {
  const thing = after ?? before
  return object === 'elements' ? (thing as Elements | undefined)?.set.family : (thing as Table | undefined)?.family
}
