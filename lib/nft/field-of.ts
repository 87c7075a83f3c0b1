/** The caller's names of attributes: messages have other nests than the objects. */
import { BadValue, joinPath } from '../netlink/schema.js'
import type { ObjectWord, Verb } from './commands.js'

/** Beginnings of paths in messages, and what stands for them in objects. */
type Renamed = Readonly<Record<string, string>>

const HOOK: Renamed = {
  'hook.number': 'hook',
  'hook.priority': 'priority',
  'hook.devices': 'devices',
  'hook.device': 'devices[0]',
}

const FIELDS: Readonly<Record<ObjectWord, Renamed>> = {
  table: {},
  chain: HOOK,
  rule: {},
  set: {
    keyType: 'key',
    keyLength: 'key',
    dataType: 'data',
    dataLength: 'data',
    objectType: 'objects',
    'description.size': 'size',
    description: 'key',
    expression: 'expressions[0]',
  },
  elements: { table: 'set.table', set: 'set.name', setId: 'set.id' },
  object: { data: '' },
  flowtable: HOOK,
}

/** Data are bytes or a verdict for the caller, and a nest with either in messages. */
const DATA = /\.value$|\.verdict(?=\.(?:verdict|chain|chainId)$)/

const ELEMENT: Renamed = { keyEnd: 'key', userData: 'comment', expression: 'expressions[0]' }

/** The messages that flush name what is flushed as part of another object. */
const FLUSH: Partial<Record<ObjectWord, Renamed>> = { table: { table: 'name' }, chain: { chain: 'name' }, set: { set: 'name' } }

function renamedFor(verb: Verb, word: ObjectWord): Renamed {
  if (verb === 'flush') return FLUSH[word] ?? {}
  return verb === 'rename' ? { name: 'newName' } : FIELDS[word]
}

/** The field of an object that the attribute `path` of its message comes from. */
export function fieldOf(verb: Verb, word: ObjectWord, attribute: string, object: object): string {
  const path = attribute.replace(DATA, '')
  const [, element, below = ''] = /^(elements\[\d+\])\.?(.*)/.exec(path) ?? []
  if (element !== undefined) return joinPath(element, renamedIn(ELEMENT, below))
  const renamed: Renamed = { userData: 'userData' in object ? 'userData' : 'comment', ...renamedFor(verb, word) }
  return renamedIn(renamed, path)
}

/** Runs `write`; what it refuses is told by the caller's name of it. */
export function callersNames(verb: Verb, word: ObjectWord, object: object, write: () => void): void {
  try {
    write()
  } catch (error) {
    if (error instanceof BadValue) error.path = fieldOf(verb, word, error.path, object)
    throw error
  }
}

function renamedIn(names: Renamed, path: string): string {
  for (const [attribute, field] of Object.entries(names))
    if (path === attribute || /^[.[]/.test(path.startsWith(attribute) ? path.slice(attribute.length) : ''))
      return joinPath(field, path.slice(attribute.length).replace(/^\./, ''))
  return path
}
