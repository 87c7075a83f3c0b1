/**
 * What nft itself makes of JSON that it printed: now and then something else than what it was printed from (a set of one range becomes that
 * range), and of some of it nothing at all. Nobody can do better from the JSON alone.
 */
import type * as json from '../../../../lib/nft/json/index.js'
import { documentToText } from '../../../../lib/nft/json/number.js'
import type { Check } from './check.js'
import type { Place } from './examine.js'
import { expressionsOf } from './kernel-rules.js'
import { readJson, readText } from './listing.js'
import { NEW, OLD, type Oracle } from './oracle.js'

/** How nft lists rules that it was given as JSON, by their places; and those that it refuses. */
export interface Opinion {
  readonly text: ReadonlyMap<string, string>
  /** As nft 1.0.6 lists them, where it does. */
  readonly old: ReadonlyMap<string, string>
  readonly json: ReadonlyMap<string, json.Rule>
  readonly expressions: ReadonlyMap<string, string>
  readonly refused: ReadonlySet<string>
  /** What is no rule, as text and as JSON, a line each. */
  readonly rest: ReadonlySet<string>
}

type Item = json.Document['nftables'][number]
interface PlacedRule {
  readonly place: string
  readonly chain: string
  readonly item: Item
}

/** A rule's chain, and how many stand before it there. */
export const placeOf = (chain: string, index: number): string => `${chain} ${index}`

/** The rules of a listing with their places. */
export function placedRules(document: json.Document): PlacedRule[] {
  const counts = new Map<string, number>()
  return document.nftables.flatMap(item => {
    if (!('rule' in item)) return []
    const { family, table, chain: name } = item.rule
    const chain = `${family} ${table} ${name}`
    const index = counts.get(chain) ?? 0
    counts.set(chain, index + 1)
    return [{ place: placeOf(chain, index), chain, item }]
  })
}

/** Asks nft about some rules of a document. */
export async function secondOpinion(
  oracle: Oracle,
  { netns, nf }: Place,
  document: json.Document,
  places: ReadonlySet<string>,
): Promise<Opinion> {
  const others = document.nftables.filter(item => !('rule' in item || 'metainfo' in item))
  const refused = new Set<string>()
  const load = (items: readonly Item[]): Promise<string | undefined> =>
    oracle.load(NEW ?? '', netns, documentToText({ nftables: items }), true)
  await loadParts(
    load,
    others.map(item => ({ place: '', chain: '', item })),
    new Set(),
  )
  const asked = placedRules(document).filter(({ place }) => places.has(place))
  const loaded = await loadParts(load, asked, refused)
  const listed = await oracle.list(NEW ?? '', netns)
  const [text, asJson] = [readText(listed.text), readJson(listed.json)]
  return {
    text: byPlace(loaded, text.rules),
    old: byPlace(loaded, readText((await oracle.listText(OLD, netns)) ?? '').rules),
    json: byPlace(loaded, asJson.rules),
    expressions: byPlace(loaded, expressionsOf(await nf.snapshot())),
    refused,
    rest: new Set([...text.rest.split('\n'), ...asJson.rest.split('\n')]),
  }
}

/** Halves what nft refuses until it is one. Returns what it took, in order. */
async function loadParts(
  load: (items: readonly Item[]) => Promise<string | undefined>,
  rules: readonly PlacedRule[],
  refused: Set<string>,
): Promise<PlacedRule[]> {
  if (rules.length === 0) return []
  const error = await load(rules.map(({ item }) => item))
  if (error === undefined) return [...rules]
  const [only] = rules
  if (rules.length === 1 && only) {
    refused.add(only.place)
    return []
  }
  const half = rules.length >> 1
  const first = await loadParts(load, rules.slice(0, half), refused)
  return [...first, ...(await loadParts(load, rules.slice(half), refused))]
}

function byPlace<T>(loaded: readonly PlacedRule[], listed: ReadonlyMap<string, readonly T[]>): ReadonlyMap<string, T> {
  const counts = new Map<string, number>()
  return new Map(
    loaded.flatMap(({ place, chain }): [string, T][] => {
      const index = counts.get(chain) ?? 0
      counts.set(chain, index + 1)
      const rule = listed.get(chain)?.[index]
      return rule === undefined ? [] : [[place, rule]]
    }),
  )
}

/** A check without what nft does the same way, and without what it refuses. */
export function without(check: Check, same: (place: string, actual: string) => boolean, { refused, rest }: Opinion): Check {
  const differences = check.differences.filter(({ place, actual }) =>
    place === undefined ? !actual.split('\n').every(line => rest.has(line)) : !(refused.has(place) || same(place, actual)),
  )
  return { ...check, differences }
}
