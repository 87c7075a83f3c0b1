/** From a ruleset that is there to one that is wanted, with as few commands as may be. */
import type { Command, Document, Rule, SetItem } from '../json/index.js'
import { canonical, isObject, referencesOf, without } from './canonical.js'
import { kept } from './sequence.js'
import { type Part, type TableParts, tablesOf } from './tables.js'

/**
 * The commands that make `wanted` of `there`: of the tables that `wanted` names, the others stay as they are. Both are documents as `ruleset`
 * gives them. Rules, objects and elements that are the same stay, with their handles and counters; what the kernel can not change (a chain's
 * hook, a set's types) is deleted and made anew, and with it what refers to it.
 */
export function planDocument(wanted: Document, there: Document): Document {
  const known = tablesOf(there)
  const commands: Command[] = []
  for (const [key, table] of tablesOf(wanted)) commands.push(...planTable(table, known.get(key)))
  return { nftables: commands }
}

const EMPTY: Omit<TableParts, 'family' | 'name'> = {
  table: undefined,
  objects: new Map(),
  rules: new Map(),
  elements: new Map(),
}

function planTable(wanted: TableParts, there: TableParts | undefined): readonly Command[] {
  const own = { family: wanted.family, name: wanted.name, ...wanted.table }
  if (there?.table === undefined)
    return [command('add', 'table', own), ...new TablePlan(wanted, { ...wanted, ...EMPTY }).commands()]
  // Of a table only whether it is dormant can be changed.
  if (canonical(fixed(own)) !== canonical(fixed(there.table)))
    return [
      command('delete', 'table', { family: wanted.family, name: wanted.name }),
      command('add', 'table', own),
      ...new TablePlan(wanted, { ...wanted, ...EMPTY }).commands(),
    ]
  const same = canonical(without(own, 'handle')) === canonical(without(there.table, 'handle'))
  return [...(same ? [] : [command('add', 'table', own)]), ...new TablePlan(wanted, there).commands()]
}

function fixed(table: object): object {
  const { flags, ...others } = without(table, 'handle')
  const list = (Array.isArray(flags) ? flags : flags === undefined ? [] : [flags]).filter(flag => flag !== 'dormant')
  return { ...others, flags: list }
}

const command = (verb: string, word: string, object: object): Command => ({ [verb]: { [word]: object } }) as unknown as Command

/** Kinds of objects in the order in which they are made: what others refer to first. Sets and maps come behind them. */
const ORDER: readonly string[] = [
  'counter',
  'quota',
  'limit',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'synproxy',
  'tunnel',
  'flowtable',
  'chain',
]
const rank = ({ word }: Part): number => ORDER.indexOf(word) + (ORDER.includes(word) ? 0 : ORDER.length + 1)

class TablePlan {
  readonly #wanted: TableParts
  readonly #there: TableParts
  readonly #of: { readonly family: string; readonly table: string }
  /** What goes, or is made anew: `chain a`, `@b`, `counter c`, as references name them. */
  readonly #gone = new Set<string>()
  readonly #removals: Command[] = []
  readonly #additions: Command[] = []

  constructor(wanted: TableParts, there: TableParts) {
    this.#wanted = wanted
    this.#there = there
    this.#of = { family: wanted.family, table: wanted.name }
  }

  commands(): readonly Command[] {
    const objectsGone = this.#objects()
    const rules: Command[] = []
    for (const chain of new Set([...this.#there.rules.keys(), ...this.#wanted.rules.keys()])) this.#rules(chain, rules)
    const elements: Command[] = []
    for (const set of new Set([...this.#there.elements.keys(), ...this.#wanted.elements.keys()])) this.#elements(set, elements)
    return [...this.#removals, ...objectsGone, ...this.#additions, ...elements, ...rules]
  }

  /** Returns what deletes objects: behind the rules and elements that refer to them. */
  #objects(): readonly Command[] {
    const gone: Part[] = []
    for (const [name, part] of this.#there.objects) {
      const now = this.#wanted.objects.get(name)
      if (now && sameDefinition(now, part)) continue
      this.#gone.add(referenceOf(part))
      gone.push(part)
    }
    const made = [...this.#wanted.objects.values()].sort((a, b) => rank(a) - rank(b))
    for (const part of made) {
      const before = this.#there.objects.get(`${part.word === 'map' ? 'set' : part.word} ${part.object.name}`)
      if (before && !this.#gone.has(referenceOf(part)) && sameObject(part, before)) continue
      this.#additions.push(command('add', part.word, without(part.object, 'handle')))
    }
    return gone
      .sort((a, b) => rank(b) - rank(a))
      .map(({ word, object }) => command('delete', word, { ...this.#of, name: object.name }))
  }

  #rules(chain: string, additions: Command[]): void {
    const there = this.#there.rules.get(chain) ?? []
    const wanted = this.#wanted.rules.get(chain) ?? []
    const gone = this.#gone.has(`chain ${chain}`)
    const places = gone
      ? wanted.map(() => undefined)
      : kept(
          wanted.map(ruleText),
          there.map(rule => this.#stays(rule)),
        )
    const stay = new Set(places)
    for (const [i, { handle }] of there.entries())
      if (!stay.has(i)) this.#removals.push(command('delete', 'rule', { ...this.#of, chain, handle }))
    let next: number | undefined
    const behind: Command[] = []
    for (let i = wanted.length - 1; i >= 0; i--) {
      const place = places[i]
      if (place !== undefined) next = there[place]?.handle
      else behind.push(this.#addition(wanted[i] as Rule, next))
    }
    additions.push(...behind.reverse())
  }

  /** Before a rule that stays, or at the end. */
  #addition(rule: Rule, before: number | undefined): Command {
    const fresh = without(rule, 'handle', 'index')
    return before === undefined ? command('add', 'rule', fresh) : command('insert', 'rule', { ...fresh, handle: before })
  }

  /** What a rule is compared by; nothing wanted is the same as one that refers to what goes. */
  #stays(rule: Rule): string {
    for (const reference of referencesOf(rule.expr)) if (this.#gone.has(reference)) return ''
    return ruleText(rule)
  }

  #elements(set: string, additions: Command[]): void {
    const gone = this.#gone.has(`@${set}`)
    const wanted = this.#wanted.elements.get(set) ?? []
    const there = gone ? [] : (this.#there.elements.get(set) ?? [])
    const known = new Set(there.map(item => this.#itemText(item)))
    const now = new Set(wanted.map(item => canonical(plain(item))))
    const removed = there.filter(item => !now.has(this.#itemText(item)))
    const added = wanted.filter(item => !known.has(canonical(plain(item))))
    const object = { ...this.#of, name: set }
    if (removed.length > 0) this.#removals.push(command('delete', 'element', { ...object, elem: removed.map(keyItem) }))
    if (added.length > 0) additions.push(command('add', 'element', { ...object, elem: added }))
  }

  #itemText(item: SetItem): string {
    for (const reference of referencesOf(item)) if (this.#gone.has(reference)) return ''
    return canonical(plain(item))
  }
}

const ruleText = (rule: Rule): string => canonical([rule.expr, rule.comment ?? null])

const referenceOf = ({ word, object }: Part): string =>
  word === 'set' || word === 'map' || word === 'flowtable' ? `@${object.name}` : `${word} ${object.name}`

/** Fields that can be changed without making an object anew. */
const CHANGEABLE: Readonly<Record<string, readonly string[]>> = { chain: ['policy'] }
/** What packets change. */
const COUNTED: Readonly<Record<string, readonly string[]>> = { counter: ['packets', 'bytes'], quota: ['used'] }

const comparable = ({ word, object }: Part, ...less: readonly string[]): string =>
  `${word} ${canonical(without(object, 'handle', ...(COUNTED[word] ?? []), ...less))}`

const sameObject = (a: Part, b: Part): boolean => comparable(a) === comparable(b)
const sameDefinition = (a: Part, b: Part): boolean =>
  comparable(a, ...(CHANGEABLE[a.word] ?? [])) === comparable(b, ...(CHANGEABLE[b.word] ?? []))

/** What an element carries besides its key, and the key as `val`. */
const carried = (item: SetItem): Readonly<Record<string, unknown>> | undefined => {
  const elem = isObject(item) ? (item as Readonly<Record<string, unknown>>).elem : undefined
  return isObject(elem) ? elem : undefined
}

/** An element that carries nothing is its key. */
function plain(item: SetItem): unknown {
  if (Array.isArray(item)) return [plain(item[0] as SetItem), item[1]]
  const elem = carried(item)
  return elem && Object.keys(elem).every(name => name === 'val' || name === 'expires') ? elem.val : item
}

/** What an element is deleted by: of a map the pair, of one that carries more its key. */
function keyItem(item: SetItem): SetItem {
  if (Array.isArray(item)) return [keyItem(item[0] as SetItem), item[1]] as unknown as SetItem
  return (carried(item)?.val ?? item) as SetItem
}
