/** From documents to the commands of a transaction (src/parser_json.c, json_parse_cmd_*). */
import { atOnce } from '../../netlink/turns.js'
import { at, fieldsOf, numberIn, objectOf, textIn } from '../json/fields.js'
import { missing } from '../lower/names.js'
import type { Chain, Command, Family, NftKey, NftObject } from '../types.js'
import type { Devices } from '../vocabulary/value-type.js'
import { type ElementVerb, elementCommands, type Step } from './elements.js'
import { type Entry, entriesOf } from './entries.js'
import { familyIn, nameIn, nameOrHandle, optionalFamily } from './identity.js'
import { Known, type Owned, type State } from './known.js'
import { CHAIN_FIELDS, devicesIn, FLOWTABLE_FIELDS, lowerChain, lowerFlowtable, lowerTable } from './lower-objects.js'
import { lowerElementTarget, lowerSet, SET_FIELDS } from './lower-set.js'
import { lowerObject, objectFields } from './lower-stateful.js'
import { ruleCommands, ruleKey } from './rules.js'
import { isObjectKind } from './words.js'

/** A chain or a rule takes as long as so many elements. */
const OBJECT = 10

/** Where a command comes from. */
export interface Origin extends Entry {
  /** Of each of its elements, the path below `elem`. */
  readonly elements?: readonly string[] | undefined
}

/** A document as a transaction. */
export interface LoweredDocument {
  readonly commands: readonly Command[]
  /** Of each command, where in the document it stands. */
  readonly origins: readonly Origin[]
  /** What is to be listed when it is carried out. */
  readonly questions: readonly Entry[]
}

/**
 * The commands of a document. What they need to know of the ruleset is `state`: they hold for its generation only. Throws a `BadValue` with
 * the place in the document.
 */
export function lowerDocument(document: unknown, state: State, devices?: Devices): LoweredDocument {
  return atOnce(lowering(document, state, devices))
}

/** The same in steps, an object each. */
export function* lowering(document: unknown, state: State, devices?: Devices): Generator<number, LoweredDocument, void> {
  const entries = entriesOf(document)
  const lowered = new Lowering(new Known(state), devices)
  const commands: Command[] = []
  const origins: Origin[] = []
  for (const entry of entries) {
    if (entry.verb === 'list' || entry.verb === 'reset') continue
    for (const { command, elements } of at(entry.path, () => lowered.entry(entry))) {
      commands.push(command)
      origins.push({ ...entry, elements })
    }
    yield OBJECT
  }
  return { commands, origins, questions: entries.filter(({ verb }) => verb === 'list' || verb === 'reset') }
}

class Lowering {
  readonly #known: Known
  readonly #devices: Devices | undefined

  constructor(known: Known, devices: Devices | undefined) {
    this.#known = known
    this.#devices = devices
  }

  entry({ verb, kind, value }: Entry): readonly Step[] {
    switch (verb) {
      case 'add':
      case 'create':
        return this.#add(verb, kind, value)
      case 'insert':
      case 'replace':
        return stepsOf(ruleCommands(verb, value, this.#known, this.#devices))
      case 'delete':
      case 'destroy':
        return this.#remove(verb, kind, value)
      case 'flush':
        return stepsOf(this.#flush(kind, value))
      case 'rename':
        return stepsOf([this.#rename(value)])
      default:
        return []
    }
  }

  #add(verb: 'add' | 'create', kind: string, value: unknown): readonly Step[] {
    if (isObjectKind(kind)) {
      const object = lowerObject(kind, value)
      this.#known.addOther(object, kind, object.name)
      return [added(verb, { object })]
    }
    switch (kind) {
      case 'table': {
        const table = lowerTable(value)
        this.#known.addTable(table.family, table.name)
        return [added(verb, { table })]
      }
      case 'chain': {
        const chain: Chain = lowerChain(value)
        this.#known.addChain(chain, chain.name, chain)
        return [added(verb, { chain })]
      }
      case 'rule':
        return stepsOf(ruleCommands('add', value, this.#known, this.#devices))
      case 'flowtable': {
        const flowtable = lowerFlowtable(value)
        this.#known.addOther(flowtable, kind, flowtable.name)
        return [added(verb, { flowtable })]
      }
      case 'element':
        return this.#elements(verb, value)
      default:
        return this.#set(verb, kind === 'map' ? 'map' : 'set', value)
    }
  }

  #set(verb: 'add' | 'create', kind: 'set' | 'map', value: unknown): readonly Step[] {
    const { set, shapes, elem } = lowerSet(kind, value, this.#devices)
    this.#known.addSet(set)
    const step = added(verb, { set })
    if (elem === undefined) return [step]
    return [step, ...at('elem', () => elementCommands('add', set, elem, this.#known, this.#devices, shapes))]
  }

  #elements(verb: ElementVerb, value: unknown): readonly Step[] {
    const { elem, ...of } = lowerElementTarget(value)
    const names = this.#known.named(of, 'set')
    const set = this.#known.set(of, of.name)
    if (!set) throw missing('set', of.name, of, names?.keys() ?? []).within('name')
    return at('elem', () => elementCommands(verb, set, elem, this.#known, this.#devices))
  }

  #remove(verb: 'delete' | 'destroy', kind: string, value: unknown): readonly Step[] {
    if (kind === 'element') return this.#elements(verb, value)
    const key = this.#keyOf(kind, value)
    return [{ command: verb === 'delete' ? { delete: key } : { destroy: key } }]
  }

  #keyOf(kind: string, value: unknown): NftKey {
    if (isObjectKind(kind)) {
      const object = keyIn(value, objectFields(kind))
      if ('name' in object) this.#known.removeOther(object, kind, object.name)
      return { object: { ...object, type: kind } }
    }
    switch (kind) {
      case 'table': {
        const fields = fieldsOf(value, ['family', 'name', 'handle', 'flags', 'comment'])
        const table = { family: familyIn(fields), ...nameOrHandle(fields) }
        if ('name' in table) this.#known.removeTable(table.family, table.name)
        return { table }
      }
      case 'chain': {
        const chain = keyIn(value, CHAIN_FIELDS)
        if ('name' in chain) this.#known.removeChain(chain, chain.name)
        return { chain }
      }
      case 'rule': {
        const rule = ruleKey(value)
        const rules = this.#known.rules(rule, rule.chain)
        const found = rules.findIndex(place => 'position' in place && place.position === rule.handle)
        if (found >= 0) rules.splice(found, 1)
        return { rule }
      }
      case 'flowtable': {
        const onlyDevices = devicesIn(objectOf(value))
        const flowtable = keyIn(value, FLOWTABLE_FIELDS)
        if ('name' in flowtable && !onlyDevices) this.#known.removeOther(flowtable, kind, flowtable.name)
        return { flowtable: { ...flowtable, ...(onlyDevices && { onlyDevices }) } }
      }
      default: {
        const set = keyIn(value, SET_FIELDS)
        if ('name' in set) this.#known.removeSet(set, set.name)
        return { set }
      }
    }
  }

  #flush(kind: string, value: unknown): readonly Command[] {
    if (kind === 'ruleset') return this.#flushRuleset(value)
    if (kind === 'table') {
      const fields = fieldsOf(value, ['family', 'name', 'handle'])
      const table = { family: familyIn(fields), name: textIn(fields, 'name') }
      this.#known.flushRules({ family: table.family, table: table.name })
      return [{ flush: { table } }]
    }
    const key = nameIn(fieldsOf(value, ['family', 'table', 'name', 'handle']))
    if (kind === 'chain') {
      this.#known.rules(key, key.name).length = 0
      return [{ flush: { chain: key } }]
    }
    const set = this.#known.set(key, key.name)
    if (set) this.#known.setElements(set, [])
    return [{ flush: { set: key } }]
  }

  /** The kernel's own message for it is no part of a transaction with others: each table goes. */
  #flushRuleset(value: unknown): readonly Command[] {
    const family: Family | undefined = value === null ? undefined : optionalFamily(fieldsOf(value, ['family']))
    const tables = this.#known.tables(family)
    for (const table of tables) this.#known.removeTable(table.family, table.name)
    return tables.map(table => ({ delete: { table } }))
  }

  #rename(value: unknown): Command {
    const fields = fieldsOf(value, [...CHAIN_FIELDS, 'newname'])
    const { family, table, name } = nameIn(fields)
    const newName = textIn(fields, 'newname')
    this.#known.rename({ family, table }, name, newName)
    const handle = fields.handle === undefined ? {} : { handle: numberIn(fields, 'handle', 1) }
    return { rename: { chain: { family, table, name, ...handle, newName } } }
  }
}

const stepsOf = (commands: readonly Command[]): Step[] => commands.map(command => ({ command }))

const added = (verb: 'add' | 'create', object: NftObject): Step => ({
  command: verb === 'add' ? { add: object } : { create: object },
})

function keyIn(value: unknown, known: readonly string[]): Owned & ({ readonly name: string } | { readonly handle: number }) {
  const fields = fieldsOf(value, known)
  return { family: familyIn(fields), table: textIn(fields, 'table'), ...nameOrHandle(fields) }
}
