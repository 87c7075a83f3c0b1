/** Objects in words, for errors: `chain in of table inet web`. */
import type { ObjectWord } from './commands.js'

/** What an object, a key of one, or a request may have. Callers of JavaScript may leave anything out. */
export interface Described {
  readonly family?: unknown
  readonly table?: unknown
  readonly name?: unknown
  readonly handle?: unknown
  readonly id?: unknown
  readonly chain?: unknown
  readonly chainId?: unknown
  readonly type?: unknown
  readonly data?: unknown
  readonly objects?: unknown
  readonly flags?: unknown
  readonly set?: Described | undefined
}

/** An object in words. */
export function describe(word: ObjectWord, object: Described): string {
  switch (word) {
    case 'table':
      return `table ${object.family} ${nameOf(object)}`
    case 'chain':
      return `chain ${nameOf(object)}${ofTable(object)}`
    case 'rule':
      if (object.chain === undefined && object.chainId === undefined) return `rule ${nameOf(object)}${ofTable(object)}`
      return `${object.handle === undefined ? 'a rule' : `rule ${object.handle}`} of ${describe('chain', chainOf(object))}`
    case 'set':
      return `${object.data === undefined && object.objects === undefined ? 'set' : 'map'} ${nameOf(object)}${ofTable(object)}`
    case 'elements':
      return `elements of ${describe('set', object.set ?? {})}`
    case 'object':
      return `${object.type ?? 'object'} ${nameOf(object)}${ofTable(object)}`
    case 'flowtable':
      return `flowtable ${nameOf(object)}${ofTable(object)}`
  }
}

const chainOf = ({ family, table, chain, chainId }: Described): Described => ({ family, table, name: chain, id: chainId })

const ofTable = ({ family, table }: Described): string =>
  table === undefined ? '' : ` of ${describe('table', { family, name: table })}`

function nameOf({ name, handle, id }: Described): string {
  if (name !== undefined) return name === '' ? '""' : String(name)
  if (handle !== undefined) return `with handle ${handle}`
  return id === undefined ? 'without a name' : `with id ${id}`
}

/** The key of an element in words: `10.0.0.1 . 80`, `10.0.0.0-10.0.0.9`. */
export function describeKey(key: unknown): string {
  if (Array.isArray(key)) return key.map(describeKey).join(' . ')
  if (key instanceof Uint8Array) return `0x${Buffer.from(key).toString('hex')}`
  if (key !== null && typeof key === 'object' && 'from' in key && 'to' in key)
    return `${describeKey(key.from)}-${describeKey(key.to)}`
  return String(key)
}
