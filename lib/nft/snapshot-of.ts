/** What a ruleset will be when only these commands have been carried out: as if it had been read. */
import type { Snapshot } from './snapshot.js'
import type { Chain, Command, Element, Flowtable, NftObject, NftSet, Rule, StatefulObject, Table } from './types.js'

/** @param commands what others do than add, is left out */
export function snapshotOf(commands: readonly Command[]): Snapshot {
  const tables: Table[] = []
  const chains: Chain[] = []
  const rules: Rule[] = []
  const sets: NftSet[] = []
  const objects: StatefulObject[] = []
  const flowtables: Flowtable[] = []
  const elements = new Map<string, { set: NftSet; elements: Element[] }>()
  const names = new Map<number, string>()
  for (const command of commands) {
    const object = addedBy(command)
    if (!object) continue
    if ('table' in object) tables.push(object.table)
    else if ('chain' in object) chains.push(object.chain)
    else if ('rule' in object) rules.push({ ...object.rule, expressions: object.rule.expressions.map(named(names)) })
    else if ('object' in object) objects.push(object.object)
    else if ('flowtable' in object) flowtables.push(object.flowtable)
    else if ('set' in object) {
      const set = object.set.name.includes('%d') ? { ...object.set, name: ownName(object.set, names) } : object.set
      sets.push(set)
      elements.set(keyOf(set), { set, elements: [] })
    } else {
      const { set, elements: added } = object.elements
      const name = set.id === undefined ? set.name : (names.get(set.id) ?? set.name)
      elements.get(keyOf({ ...set, name }))?.elements.push(...added)
    }
  }
  const filled = [...elements.values()].filter(({ elements }) => elements.length > 0)
  return { generation: 0, consistent: true, tables, chains, rules, sets, elements: filled, objects, flowtables }
}

function addedBy(command: Command): NftObject | undefined {
  if ('add' in command) return command.add
  if ('create' in command) return command.create
  if ('insert' in command) return command.insert
  return 'replace' in command ? command.replace : undefined
}

const keyOf = ({ family, table, name }: Pick<NftSet, 'family' | 'table' | 'name'>): string => `${family} ${table} ${name}`

/** A set without a name gets the one that the kernel might give it. */
function ownName({ name, id = 0 }: NftSet, names: Map<number, string>): string {
  const own = name.replace('%d', String(id))
  names.set(id, own)
  return own
}

/** Expressions that mean a set by its id mean it by its name then. */
const named =
  (names: ReadonlyMap<number, string>) =>
  <E extends object>(expression: E): E => {
    const { setId } = expression as { readonly setId?: number | undefined }
    const name = setId === undefined ? undefined : names.get(setId)
    return name === undefined ? expression : { ...expression, set: name, setId: undefined }
  }
