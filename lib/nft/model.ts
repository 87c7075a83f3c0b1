/** What a watcher knows to be there. Changes are what differs from it, so that nothing is told twice. */
import type { Turns } from '../netlink/turns.js'
import { type Change, configuration } from './change.js'
import type { ObjectWord } from './commands.js'
import { ElementsModel } from './elements-model.js'
import type { Generation } from './kernel.js'
import type { Family, NftSet, SetKey } from './types.js'

/** Objects that have a place of their own in the model: all but elements, which are their set's. */
export type ModelWord = Exclude<ObjectWord, 'elements'>

/** What the model needs to know of any object. */
export interface ModelObject {
  readonly family: Family
  readonly table?: string | undefined
  readonly name?: string | undefined
  readonly handle?: number | undefined
  readonly owner?: number | undefined
  readonly devices?: readonly string[] | undefined
}

/** In the order in which they can be made: what comes later refers to what comes before. */
const ORDER: readonly ModelWord[] = ['table', 'object', 'flowtable', 'chain', 'set', 'rule']

interface Entry {
  readonly object: ModelObject
  /** Of a set, where they are asked for. */
  readonly elements: ElementsModel | undefined
}

export class Model {
  /** What it is the state of. */
  generation: Generation = 0
  readonly #entries = Object.fromEntries(ORDER.map(word => [word, new Map<string, Entry>()])) as Record<
    ModelWord,
    Map<string, Entry>
  >
  /** Keys of tables and sets by their names. */
  readonly #tables = new Map<string, string>()
  readonly #sets = new Map<string, string>()
  readonly #withElements: boolean

  /** @param withElements whether it knows the elements of sets as well */
  constructor(withElements = false) {
    this.#withElements = withElements
  }

  /** An object is there, as it is now. */
  add(word: ModelWord, object: ModelObject): Change | undefined {
    const entries = this.#entries[word]
    const key = keyOf(object)
    const known = entries.get(key)
    const after = known ? withDevices(known.object, object) : object
    const elements = word === 'set' && this.#withElements ? (known?.elements ?? new ElementsModel()) : undefined
    entries.set(key, { object: after, elements })
    if (word === 'table') this.#tables.set(nameOf(object), key)
    if (word === 'set') this.#sets.set(nameOf(object), key)
    if (!known) return changeOf('added', word, undefined, after)
    const same = configuration(word, known.object) === configuration(word, after)
    return same ? undefined : changeOf('changed', word, known.object, after)
  }

  /** An object is gone, or the devices that it names are. `unclear`: only reading tells. */
  remove(word: ModelWord, object: ModelObject): Change | 'unclear' | undefined {
    const entries = this.#entries[word]
    const key = keyOf(object)
    const known = entries.get(key)
    if (!known) return undefined
    if (object.devices && (word === 'chain' || word === 'flowtable')) {
      const devices = (known.object.devices ?? []).filter(device => !object.devices?.includes(device))
      // The end of a chain in Linux 6.12, of a flowtable before 6.4, looks like the end of all its devices.
      if (devices.length === 0) return 'unclear'
      const after = { ...known.object, devices }
      entries.set(key, { ...known, object: after })
      return changeOf('changed', word, known.object, after)
    }
    entries.delete(key)
    if (word === 'table') this.#tables.delete(nameOf(known.object))
    if (word === 'set') this.#sets.delete(nameOf(known.object))
    // The event of a rule has the last state of its counters.
    return changeOf('removed', word, word === 'rule' ? object : known.object, undefined)
  }

  /** A set that is known. */
  set(key: SetKey): { readonly set: NftSet; readonly elements: ElementsModel | undefined } | undefined {
    const entry = this.#entries.set.get(this.#sets.get(nameOf(key)) ?? '')
    return entry && { set: entry.object as NftSet, elements: entry.elements }
  }

  /** Families of the tables of this name that have this object. */
  familiesOf({ table, name, handle }: ModelObject): Family[] {
    const objects = [...this.#entries.object.values()].map(({ object }) => object)
    return objects.filter(it => it.table === table && it.name === name && it.handle === handle).map(({ family }) => family)
  }

  /** The sets that are known. */
  *sets(): Generator<NftSet, void, void> {
    for (const { object } of this.#entries.set.values()) yield object as NftSet
  }

  /** Tables that go with their owner's socket: the kernel tells nobody when they do. */
  owned(): string {
    const owned: (string | number)[] = []
    for (const [key, { object }] of this.#entries.table) if (object.owner !== undefined) owned.push(key, object.owner)
    return owned.join()
  }

  /** What became different since `before`: first what went, then what came, each in an order in which it could be done. */
  async since(before: Model, turns: Turns): Promise<Change[]> {
    const changes: Change[] = []
    for (const word of ORDER.toReversed()) {
      for (const [key, { object }] of before.#entries[word]) {
        if (turns.due(1)) await turns.give()
        if (!this.#entries[word].has(key) || !this.#sameTable(before, object))
          changes.push(changeOf('removed', word, object, undefined))
      }
    }
    for (const word of ORDER) {
      for (const [key, { object, elements }] of this.#entries[word]) {
        if (turns.due(1)) await turns.give()
        const known = this.#sameTable(before, object) ? before.#entries[word].get(key) : undefined
        if (!known) changes.push(changeOf('added', word, undefined, object))
        else if (configuration(word, known.object) !== configuration(word, object))
          changes.push(changeOf('changed', word, known.object, object))
        if (elements) changes.push(...(await elements.since(known?.elements ?? new ElementsModel(), object as NftSet, turns)))
      }
    }
    return changes
  }

  /** Whether both models mean the same table: one that was made anew has the old one's name, and other handles in it. */
  #sameTable(before: Model, { family, table, name }: ModelObject): boolean {
    const key = table === undefined ? join(family, name) : join(family, table)
    return this.#tables.get(key) === before.#tables.get(key)
  }
}

/** There may be a space in a name, and no NUL. */
const join = (...names: readonly (string | number | undefined)[]): string => names.join('\0')

/** Handles count within a table. */
const keyOf = ({ family, table, name, handle }: ModelObject): string => join(family, table, handle ?? name)

const nameOf = ({ family, table, name }: ModelObject): string =>
  table === undefined ? join(family, name) : join(family, table, name)

/** Events of chains and flowtables that were there name only the devices that came (nft_trans_chain_hooks). */
function withDevices(known: ModelObject, object: ModelObject): ModelObject {
  if (known.devices === undefined) return object
  return { ...object, devices: [...new Set([...known.devices, ...(object.devices ?? [])])] }
}

function changeOf(type: Change['type'], word: ObjectWord, before: object | undefined, after: object | undefined): Change {
  return { type, object: word, ...(before && { before }), ...(after && { after }) } as unknown as Change
}
