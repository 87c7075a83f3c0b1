/** Whom the table refuses, as it counts them. */
import type { Element, NftClient } from '../../nft/index.js'
import type { Family } from '../../service/index.js'
import { SETS, TABLE, tableFamily } from './layout.js'

/**
 * Why: the Service has no endpoints; none of them is on this node, which a traffic policy asks for; or the client is in none of the Service's
 * source ranges.
 */
export type RefusalReason = 'no-endpoints' | 'no-local-endpoints' | 'source-ranges'

/** Packets of a Service's clients that were refused. */
export interface Refusals {
  readonly family: Family
  /** `default/web:http`. */
  readonly service: string
  readonly reason: RefusalReason
  /** Whether clients are told. */
  readonly verdict: 'reject' | 'drop'
  readonly packets: number
}

/** Of all addresses of a Service together, since each was refused. Empty where there is no table. */
export async function readRefusals(client: NftClient, family: Family, signal?: AbortSignal): Promise<readonly Refusals[]> {
  const of = { family: tableFamily(family), table: TABLE }
  const sums = new Map<string, Refusals>()
  const there = new Set((await client.sets({ ...of, signal })).map(({ name }) => name))
  for (const name of [SETS.denied, SETS.refused.inside, SETS.refused.outside]) {
    if (!there.has(name)) continue
    for await (const element of client.elements({ ...of, name }, { signal })) {
      const one = refusalOf(family, name, element)
      if (!one) continue
      const key = `${one.service} ${one.reason}`
      sums.set(key, { ...one, packets: one.packets + (sums.get(key)?.packets ?? 0) })
    }
  }
  return [...sums.values()]
}

function refusalOf(family: Family, set: string, { comment = '', data, expressions = [] }: Element): Refusals | undefined {
  const word = (data as { readonly verdict?: string }).verdict
  if (word === 'accept') return undefined
  const counter = expressions.find(({ kind }) => kind === 'counter') as { readonly packets?: bigint } | undefined
  const verdict = word === 'drop' ? 'drop' : 'reject'
  const reason = set === SETS.denied ? 'source-ranges' : verdict === 'drop' ? 'no-local-endpoints' : 'no-endpoints'
  return { family, service: comment, reason, verdict, packets: Number(counter?.packets ?? 0n) }
}
