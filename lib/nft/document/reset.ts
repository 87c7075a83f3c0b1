/** `reset`: counters and quotas go back to their beginning, and the answer has what they were. */
import type { CallOptions } from '../../netlink/channel.js'
import type { NftClient } from '../client.js'
import type { RuleFilter } from '../options.js'
import type { Snapshot } from '../snapshot.js'
import type { Family, NftSet, ObjectKey, RuleKey } from '../types.js'
import { questionOf } from './answer.js'
import type { Entry } from './entries.js'

/** Resets what a command says, and returns the ruleset as it was before. */
export async function resetFor(client: NftClient, entry: Entry, snapshot: Snapshot, options: CallOptions): Promise<Snapshot> {
  const { kinds, table, name, handle, ...question } = questionOf(entry)
  const family = question.family as Family | undefined
  const found = { ...snapshot }
  if (kinds.has('rule')) {
    const filter = { family, table, chain: name, handle } as RuleFilter & Partial<RuleKey>
    found.rules = await client.resetRules({ ...filter, ...options })
  }
  const objects = (['counter', 'quota'] as const).filter(kind => kinds.has(kind))
  if (objects.length > 0) {
    const lists = []
    for (const type of objects) {
      const named = kinds.size === 1 ? name : undefined
      lists.push(...(await client.resetObjects({ family, table, type, name: named, ...options } as Partial<ObjectKey>)))
    }
    found.objects = [...snapshot.objects.filter(({ type }) => !objects.some(kind => kind === type)), ...lists]
  }
  if (kinds.has('set') || kinds.has('map')) {
    const wanted = ({ set }: { readonly set: NftSet }): boolean =>
      (family ?? set.family) === set.family && (table ?? set.table) === set.table && (name ?? set.name) === set.name
    const elements = []
    for (const list of snapshot.elements)
      elements.push(wanted(list) ? { set: list.set, elements: await client.resetElements(list.set, undefined, options) } : list)
    found.elements = elements
  }
  return found
}
