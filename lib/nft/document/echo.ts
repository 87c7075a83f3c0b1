/** A document as it was applied: with the handles that the kernel gave, as `nft --echo -j` prints it. */
import type * as json from '../json/index.js'
import type { LoweredDocument } from './lower.js'

export function echoOf(
  { nftables }: json.Document,
  { commands, origins }: LoweredDocument,
  handles: readonly (number | undefined)[],
): json.Document {
  const found = new Map<number, number>()
  for (const [i, { index, kind }] of origins.entries()) {
    const handle = handles[i]
    // Before a rule come the sets that it needs.
    const word = kind === 'set' || kind === 'map' ? 'set' : kind
    const added = Object.values(commands[i] ?? {})[0] as object
    if (handle !== undefined && (word in added || 'object' in added)) found.set(index, handle)
  }
  return { nftables: nftables.map((entry, i) => withHandle(entry, found.get(i))) }
}

type Item = json.Document['nftables'][number]

function withHandle(entry: Item, handle: number | undefined): Item {
  if (handle === undefined) return entry
  const [word, value] = Object.entries(entry)[0] as [string, Record<string, Record<string, unknown>>]
  if (!['add', 'create', 'insert', 'replace'].includes(word)) return { [word]: numbered(value, handle) } as unknown as Item
  const [kind, object] = Object.entries(value)[0] as [string, Record<string, unknown>]
  return { [word]: { [kind]: numbered(object, handle) } } as unknown as Item
}

const numbered = ({ handle: _given, ...object }: Record<string, unknown>, handle: number) => ({ ...object, handle })
