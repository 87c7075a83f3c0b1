/** What commands make and name: by it is told which failures follow from others. */
import type { ObjectWord } from './commands.js'
import { type Described, describe } from './describe.js'
import type { Refused } from './place.js'
import type { Element, Elements, NftSet, Rule } from './types.js'

/** Something that is named: by its name, or within a transaction by its id. */
export interface Name {
  readonly word: ObjectWord
  readonly object: Described
}

/** The same text for the same thing. */
export function keyOf({ word, object }: Name): string {
  const { family, table, type, name, id } = object
  return JSON.stringify([word, family, table, word === 'object' ? type : undefined, name ?? { id }])
}

export const describeName = ({ word, object }: Name): string => describe(word, object)

/** What a command makes. Its names, and its id. */
export function madeBy({ verb, word, object }: Pick<Refused, 'verb' | 'word' | 'object'>): Name[] {
  const { family, table, name, id, type, newName } = object as Described & { readonly newName?: unknown }
  if (verb === 'rename') return [{ word, object: { family, table, name: newName } }]
  if (verb !== 'add' && verb !== 'create' && verb !== 'insert') return []
  const made: Name[] = name === undefined || isPattern(name) ? [] : [{ word, object: { family, table, name, type } }]
  if (id !== undefined) made.push({ word, object: { family, table, id } })
  return made
}

/** Anonymous sets are named by a pattern, which the kernel makes a name of: `__set%d`. */
const isPattern = (name: unknown): boolean => String(name).includes('%d')

/** What a command takes away. */
export function removedBy({ verb, word, object }: Pick<Refused, 'verb' | 'word' | 'object'>): Name[] {
  const { family, table, name, type } = object as Described
  return (verb === 'delete' || verb === 'destroy' || verb === 'rename') && name !== undefined
    ? [{ word, object: { family, table, name, type } }]
    : []
}

/** What is named where a refusal points: one of them may be what is missing. */
export function namedAt(refused: Refused): Name[] {
  const { word, object, field = '' } = refused
  const { family, table } = (word === 'elements' ? (object as Elements).set : object) as Described
  if (field === 'table' || field === 'set.table') return [{ word: 'table', object: { family, name: table } }]
  if (word === 'rule') return namedInRule(refused, object as Rule)
  if (word === 'elements') return namedInElements(refused, object as Elements)
  const { name, type } = object as Described
  return field === 'name' ? [{ word, object: { family, table, name, type } }] : []
}

function namedInRule({ field = '', expression }: Refused, rule: Rule): Name[] {
  const { family, table, chain, chainId, positionId } = rule
  if (field === 'chain') return [{ word: 'chain', object: { family, table, name: chain } }]
  if (field === 'chainId') return [{ word: 'chain', object: { family, table, id: chainId } }]
  if (field === 'positionId') return [{ word: 'rule', object: { family, table, id: positionId } }]
  return expression === undefined ? [] : namedInExpression(family, table, rule.expressions[expression])
}

/** Fields of expressions that have names in them. */
interface Names {
  readonly data?: unknown
  readonly set?: unknown
  readonly setId?: unknown
  readonly type?: unknown
  readonly name?: unknown
  readonly flowtable?: unknown
  readonly kind?: unknown
}

function namedInExpression(family: string, table: string, expression: unknown): Name[] {
  const { kind, data, set, setId, type, name, flowtable } = (expression ?? {}) as Names
  const names = namedInVerdict(family, table, data)
  if (set !== undefined && !isPattern(set)) names.push({ word: 'set', object: { family, table, name: set } })
  if (setId !== undefined) names.push({ word: 'set', object: { family, table, id: setId } })
  if (kind === 'objref' && name !== undefined) names.push({ word: 'object', object: { family, table, type, name } })
  if (flowtable !== undefined) names.push({ word: 'flowtable', object: { family, table, name: flowtable } })
  return names
}

function namedInVerdict(family: string, table: string, data: unknown): Name[] {
  if (data === null || typeof data !== 'object' || !('verdict' in data)) return []
  const { chain, chainId } = data as { readonly chain?: unknown; readonly chainId?: unknown }
  if (chain !== undefined) return [{ word: 'chain', object: { family, table, name: chain } }]
  return chainId === undefined ? [] : [{ word: 'chain', object: { family, table, id: chainId } }]
}

function namedInElements({ field = '', element, verb }: Refused, { set, elements }: Elements): Name[] {
  const { family, table, name, id } = set
  if (field === 'set.name' || field === 'set.id') {
    const byName: Name = { word: 'set', object: { family, table, name, data: set.data, objects: set.objects } }
    const byId: Name[] = id === undefined ? [] : [{ word: 'set', object: { family, table, id } }]
    return isPattern(name) ? byId : [byName, ...byId]
  }
  if (element === undefined || verb === 'delete' || verb === 'destroy') return []
  return namedInElement(set, elements[element])
}

function namedInElement(
  { family, table, objects }: Pick<NftSet, 'family' | 'table' | 'objects'>,
  element: Element | undefined,
): Name[] {
  if (element?.object !== undefined) return [{ word: 'object', object: { family, table, type: objects, name: element.object } }]
  return namedInVerdict(family, table, element?.data)
}
