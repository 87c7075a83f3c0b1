/** What a change of the ruleset is, and when two states of an object are the same to whoever configures it. */
import type { ObjectWord } from './commands.js'
import type { Chain, Elements, Flowtable, NftSet, Rule, StatefulObject, Table } from './types.js'

interface Difference<T> {
  /** Absent where it was added. */
  readonly before?: T
  /** Absent where it was removed. */
  readonly after?: T
}

/**
 * One change. What packets change is none: counters, quotas used up, elements that time out, and elements that rules add.
 *
 * A set that is removed takes its elements with it: they are not told one by one. Where a rule stands among the others is not told either:
 * `rules` lists them in their order.
 */
export type Change = { readonly type: 'added' | 'removed' | 'changed' } & (
  | ({ readonly object: 'table' } & Difference<Table>)
  | ({ readonly object: 'chain' } & Difference<Chain>)
  | ({ readonly object: 'rule' } & Difference<Rule>)
  | ({ readonly object: 'set' } & Difference<NftSet>)
  | ({ readonly object: 'elements' } & Difference<Elements>)
  | ({ readonly object: 'object' } & Difference<StatefulObject>)
  | ({ readonly object: 'flowtable' } & Difference<Flowtable>)
)

/** What the kernel tells of an object besides its configuration. */
const TOLD: Readonly<Record<ObjectWord, readonly string[]>> = {
  table: ['use'],
  chain: ['use', 'counters'],
  rule: ['after'],
  set: ['use', 'count', 'backend'],
  elements: ['expires'],
  object: ['use'],
  flowtable: ['use'],
}

/** What packets change, by the kind of an expression or the type of an object. */
const STATE: Readonly<Record<string, readonly string[]>> = {
  counter: ['packets', 'bytes'],
  quota: ['used'],
  last: ['used', 'milliseconds'],
}

/** What is configured, as text that can be compared: both sides were made by the same code, so that fields stand in one order. */
export function configuration(word: ObjectWord, object: object): string {
  const told = TOLD[word]
  return JSON.stringify(object, function (this: { kind?: unknown; type?: unknown }, name, value: unknown) {
    if (this === object && told.includes(name)) return undefined
    const kind = String(this.kind ?? this.type)
    if (Object.hasOwn(STATE, kind) && STATE[kind]?.includes(name)) return undefined
    if (typeof value === 'bigint') return String(value)
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    // Listings and events have them in different orders.
    if (name === 'devices' && Array.isArray(value)) return value.toSorted()
    return value
  })
}
