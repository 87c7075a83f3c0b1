/** Changes of the ruleset as lines of nft's language, as `nft monitor` prints them. */
import { liftChain, liftFlowtable, liftSet, liftTable } from '../../nft/document/lift-objects.js'
import { liftObject } from '../../nft/document/lift-stateful.js'
import type { Change } from '../../nft/index.js'
import type * as json from '../../nft/json/index.js'
import { liftElements } from '../../nft/lift/elements.js'
import { liftRule } from '../../nft/lift/index.js'
import type { Element, Elements, NftSet, Rule } from '../../nft/types.js'
import { objectLine } from './command-line.js'

const VERBS = { added: 'add', changed: 'change', removed: 'delete' } as const

/** What rules refer to: sets by their names, and those without a name with their elements, which stand in the rule. */
interface Known {
  readonly set: NftSet
  readonly elements: readonly Element[]
}

export interface ChangeLine {
  readonly type: Change['type']
  readonly text: string
}

/** Writes the changes of one transaction after the other. */
export class ChangeWriter {
  readonly #sets = new Map<string, Known>()

  /** @param sets those that there are before the first change */
  constructor(sets: readonly NftSet[]) {
    for (const set of sets) this.#sets.set(keyOf(set, set.name), { set, elements: [] })
  }

  /** A line for each change. */
  lines(changes: readonly Change[]): ChangeLine[] {
    for (const change of changes) this.#learn(change)
    return changes.flatMap(change => {
      const words = wordsOf(change, this.#sets)
      return words ? [{ type: change.type, text: [VERBS[change.type], ...words].join(' ') }] : []
    })
  }

  /** Rules may be told before the elements of their sets. */
  #learn(change: Change): void {
    const set = change.object === 'set' ? (change.after ?? change.before) : undefined
    if (set) this.#sets.set(keyOf(set, set.name), { set, elements: [] })
    const added = change.object === 'elements' ? (change.after ?? change.before) : undefined
    const key = added && keyOf(added.set, added.set.name)
    const known = key === undefined ? undefined : this.#sets.get(key)
    if (added && key !== undefined && known && isUnnamed(known.set))
      this.#sets.set(key, { set: known.set, elements: [...known.elements, ...added.elements] })
  }
}

const isUnnamed = ({ flags }: Pick<NftSet, 'flags'>): boolean => flags?.includes('anonymous') === true
const keyOf = ({ family, table }: { family: string; table: string }, name: string): string => `${family}/${table}/${name}`

/** Undefined for what belongs to a rule. */
function wordsOf(change: Change, sets: ReadonlyMap<string, Known>): string[] | undefined {
  const whole = change.type !== 'removed'
  switch (change.object) {
    case 'table':
      return objectLine('table', liftTable(change.after ?? (change.before as never)), whole)
    case 'chain':
      return objectLine('chain', liftChain(change.after ?? (change.before as never)), whole)
    case 'rule':
      return ruleWords(change.after ?? (change.before as never), whole, sets)
    case 'set':
      return setWords(change.after ?? (change.before as never), whole)
    case 'elements':
      return elementWords(change.after ?? (change.before as never))
    case 'flowtable':
      return objectLine('flowtable', liftFlowtable(change.after ?? (change.before as never)), whole)
    case 'object': {
      const lifted = liftObject(change.after ?? (change.before as never))
      const [kind, object] = lifted ? (Object.entries(lifted)[0] as [string, json.Counter]) : []
      return kind === undefined || object === undefined ? undefined : objectLine(kind, object, whole)
    }
  }
}

function ruleWords(rule: Rule, whole: boolean, sets: ReadonlyMap<string, Known>): string[] {
  const { family, table, chain, handle, comment } = rule
  const setNamed = (name: string) => sets.get(keyOf(rule, name))
  const expr = whole ? liftRule(rule, { family, setNamed }) : []
  const lifted = {
    family,
    table,
    chain,
    ...(handle !== undefined && { handle }),
    ...(comment !== undefined && { comment }),
    expr,
  }
  return objectLine('rule', lifted as never, whole)
}

function setWords(set: NftSet, whole: boolean): string[] | undefined {
  if (isUnnamed(set)) return undefined
  const [kind, object] = Object.entries(liftSet(set, undefined, { whole: true }))[0] as [string, json.Set]
  return objectLine(kind, object, whole)
}

function elementWords({ set, elements }: Elements): string[] | undefined {
  if (isUnnamed(set)) return undefined
  const { family, table, name } = set
  return objectLine('element', { family, table, name, elem: liftElements(set, elements, { whole: true }) } as never, true)
}
