/** Clients that are remembered by the number of their endpoint, where numbers change. */
import type { Command, Element, NftClient, NftSet } from '../../nft/index.js'
import { affinitySet, type View } from './layout.js'

/** Endpoints of an address and port by number, before and after. */
export interface Renumbered {
  readonly view: View
  readonly address: string
  readonly protocol: string
  readonly port: number
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** Elements time out while they are moved: how often it is tried anew. */
const TRIES = 5

/**
 * Clients go where their endpoint has gone; those of endpoints that are no more are forgotten. Rejects with a `TransactionError` when elements
 * came and went each time.
 */
export async function moveClients(
  client: NftClient,
  sets: ReadonlyMap<string, NftSet>,
  renumbered: readonly Renumbered[],
  signal?: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const commands = await moves(client, sets, renumbered, signal)
    if (commands.length === 0) return
    try {
      await client.commit(commands, { signal })
      return
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

async function moves(
  client: NftClient,
  sets: ReadonlyMap<string, NftSet>,
  renumbered: readonly Renumbered[],
  signal: AbortSignal | undefined,
): Promise<Command[]> {
  const bySet = new Map<string, Map<string, Renumbered>>()
  for (const one of renumbered)
    for (const [slot, endpoint] of one.before.entries()) {
      if (one.after[slot] === endpoint) continue
      const name = affinitySet(one.view, slot)
      const keys = bySet.get(name) ?? new Map<string, Renumbered>()
      bySet.set(name, keys.set(`${one.address} ${one.protocol} ${one.port}`, one))
    }
  const removals: Command[] = []
  const additions: Command[] = []
  for (const [name, keys] of bySet) {
    const set = sets.get(name)
    if (!set) continue
    const slot = Number(name.slice(name.lastIndexOf('-') + 1))
    const gone: Element[] = []
    for await (const element of client.elements(set, { signal })) {
      const [, ...service] = element.key as readonly (string | number)[]
      const one = keys.get(service.join(' '))
      if (!one) continue
      gone.push({ key: element.key })
      const now = one.after.indexOf(one.before[slot] as string)
      const to = sets.get(affinitySet(one.view, now))
      const { key, timeout, expires } = element
      if (to) additions.push({ add: { elements: { set: to, elements: [{ key, timeout, expires }] } } })
    }
    if (gone.length > 0) removals.push({ delete: { elements: { set, elements: gone } } })
  }
  return [...removals, ...additions]
}
