/** What each command is on the wire: its message, its flags, and its attributes. */
import type { MessageWriter } from '../netlink/buffer.js'
import { BadValue, shown } from '../netlink/schema.js'
import { familyToWire } from './family.js'
import { callersNames } from './field-of.js'
import { checkFields } from './known-fields.js'
import { writeChain, writeChainKey } from './objects/chain.js'
import { writeElements } from './objects/elements.js'
import { writeFlowtable, writeFlowtableKey } from './objects/flowtable.js'
import { named, needed } from './objects/needed.js'
import { writeRule, writeRuleKey } from './objects/rule.js'
import { writeSet, writeSetKey } from './objects/set.js'
import { writeObject, writeObjectKey } from './objects/stateful.js'
import { writeTable, writeTableKey } from './objects/table.js'
import { within } from './objects/within.js'
import type { Chain, Command, Elements, Family, Flowtable, NftSet, Rule, StatefulObject, Table } from './types.js'
import { chainAttributes, message, ruleAttributes, setElementListAttributes } from './wire.js'

const NLM_F_REPLACE = 0x100
const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400
const NLM_F_APPEND = 0x800

/** The words of commands, and what stands below each. */
export type Verb = 'add' | 'create' | 'insert' | 'replace' | 'delete' | 'destroy' | 'flush' | 'rename'
export type ObjectWord = 'table' | 'chain' | 'rule' | 'set' | 'elements' | 'object' | 'flowtable'

/** Starts and ends messages of a batch. */
export interface Sink {
  readonly writer: MessageWriter
  /** Starts a message; the one before has ended. */
  begin(number: number, flags: number, family: number, element?: number): void
  end(): void
}

interface Numbers {
  readonly new: number
  readonly delete: number
  readonly destroy: number
}

const NUMBERS: Readonly<Record<ObjectWord, Numbers>> = {
  table: { new: message.newTable, delete: message.deleteTable, destroy: message.destroyTable },
  chain: { new: message.newChain, delete: message.deleteChain, destroy: message.destroyChain },
  rule: { new: message.newRule, delete: message.deleteRule, destroy: message.destroyRule },
  set: { new: message.newSet, delete: message.deleteSet, destroy: message.destroySet },
  elements: { new: message.newElements, delete: message.deleteElements, destroy: message.destroyElements },
  object: { new: message.newObject, delete: message.deleteObject, destroy: message.destroyObject },
  flowtable: { new: message.newFlowtable, delete: message.deleteFlowtable, destroy: message.destroyFlowtable },
}

/** The verb of a command, the word of its object, and the object. Throws a `BadValue` for what is none. */
export function partsOf(command: Command): { readonly verb: Verb; readonly word: ObjectWord; readonly object: object } {
  const verb = onlyField(command) as Verb | undefined
  if (verb === undefined || !VERBS.includes(verb)) throw wanted(command, VERBS, 'a command')
  const target = (command as Partial<Record<Verb, object>>)[verb]
  const word = onlyField(target) as ObjectWord | undefined
  if (word === undefined || !LEGAL[verb].includes(word)) throw wanted(target, LEGAL[verb], `what to ${verb}`).within(verb)
  const object = (target as Partial<Record<ObjectWord, object>>)[word]
  if (object === undefined || object === null || typeof object !== 'object')
    throw new BadValue('type', `${shown(object)}: give an object`).within(word).within(verb)
  return { verb, word, object }
}

const ALL: readonly ObjectWord[] = ['table', 'chain', 'rule', 'set', 'elements', 'object', 'flowtable']
const LEGAL: Readonly<Record<Verb, readonly ObjectWord[]>> = {
  add: ALL,
  create: ALL,
  insert: ['rule'],
  replace: ['rule'],
  delete: ALL,
  destroy: ALL,
  flush: ['table', 'chain', 'set'],
  rename: ['chain'],
}
const VERBS = Object.keys(LEGAL) as Verb[]

/** The name of an object's only field. */
function onlyField(value: unknown): string | undefined {
  if (value === null || typeof value !== 'object') return undefined
  let only: string | undefined
  for (const field in value) {
    if (only !== undefined) return undefined
    only = field
  }
  return only
}

function wanted(value: unknown, words: readonly string[], what: string): BadValue {
  return new BadValue('type', `${shown(value)}: ${what} has one of the fields ${words.join(', ')}, and no other`)
}

/**
 * Writes the messages of a command: at once, or while the caller takes what it returns, step by step, each with how much was done in it:
 * others can have a turn between them. Throws a `BadValue` with its path within the command.
 */
export function writeCommand(sink: Sink, command: Command): Iterable<number> | undefined {
  const { verb, word, object } = partsOf(command)
  if (word === 'elements' && verb !== 'flush') return elements(sink, verb, object as Elements)
  try {
    checkFields(word, object)
    write(sink, verb, word, familyToWire((object as { family: Family }).family), object)
  } catch (error) {
    throw error instanceof BadValue ? error.within(word).within(verb) : error
  }
  return undefined
}

function familyOfSet({ set }: Elements): number {
  return within('set', () => {
    if (set === null || typeof set !== 'object') throw new BadValue('type', `${shown(set)}: give the set as it was added or read`)
    checkFields('set', set)
    return familyToWire(set.family)
  })
}

function write(sink: Sink, verb: Verb, word: ObjectWord, family: number, object: unknown): void {
  const { writer } = sink
  switch (verb) {
    case 'add':
    case 'create':
    case 'insert':
    case 'replace':
      sink.begin(NUMBERS[word].new, flagsOf(verb, word), family)
      writeObjectOf(writer, word, object, verb)
      break
    case 'delete':
    case 'destroy':
      sink.begin(NUMBERS[word][verb], 0, family)
      writeKeyOf(writer, word, object)
      break
    case 'flush':
      flush(sink, word, family, object as { table?: string; name: string })
      break
    case 'rename':
      rename(sink, family, object as { table: string; name?: string; handle?: number; newName: string })
  }
  sink.end()
}

function flagsOf(verb: Verb, word: ObjectWord): number {
  if (verb === 'replace') return NLM_F_REPLACE
  if (verb === 'insert') return NLM_F_CREATE
  if (word === 'rule') return NLM_F_CREATE | NLM_F_APPEND
  return verb === 'create' ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE
}

function writeObjectOf(writer: MessageWriter, word: ObjectWord, object: unknown, verb: Verb): void {
  switch (word) {
    case 'table':
      return writeTable(writer, object as Table)
    case 'chain':
      return writeChain(writer, object as Chain)
    case 'rule':
      return writeRule(writer, object as Rule, verb === 'replace')
    case 'set':
      return writeSet(writer, object as NftSet)
    case 'object':
      return writeObject(writer, object as StatefulObject)
    case 'flowtable':
      return writeFlowtable(writer, object as Flowtable)
  }
}

function writeKeyOf(writer: MessageWriter, word: ObjectWord, object: unknown): void {
  switch (word) {
    case 'table':
      return writeTableKey(writer, object as Parameters<typeof writeTableKey>[1])
    case 'chain':
      return writeChainKey(writer, object as Parameters<typeof writeChainKey>[1])
    case 'rule':
      return writeRuleKey(writer, object as Parameters<typeof writeRuleKey>[1])
    case 'set':
      return writeSetKey(writer, object as Parameters<typeof writeSetKey>[1])
    case 'object':
      return writeObjectKey(writer, object as Parameters<typeof writeObjectKey>[1])
    case 'flowtable':
      return writeFlowtableKey(writer, object as Parameters<typeof writeFlowtableKey>[1])
  }
}

/** Removing without saying what is how the kernel is told to remove all of it. */
function flush(sink: Sink, word: ObjectWord, family: number, { table, name }: { table?: string; name: string }): void {
  const { writer } = sink
  needed(word === 'table' ? { name } : { table, name })
  sink.begin(word === 'set' ? message.deleteElements : message.deleteRule, 0, family)
  if (word === 'table') ruleAttributes.encode(writer, { table: name })
  else if (word === 'chain') ruleAttributes.encode(writer, { table, chain: name })
  else setElementListAttributes.encode(writer, { table, set: name })
}

/** A chain is found by its handle then, for the name is the new one; the client asks for it when it is not given. */
function rename(
  sink: Sink,
  family: number,
  { table, name, handle, newName }: { table: string; name?: string; handle?: number; newName: string },
): void {
  named(handle === undefined ? { table, name, newName } : { table, newName })
  if (name !== undefined && typeof name !== 'string') throw new BadValue('type', `${shown(name)}: give a text`).within('name')
  sink.begin(message.newChain, 0, family)
  callersNames('rename', 'chain', {}, () => chainAttributes.encode(sink.writer, { table, handle, name: newName }))
}

function* elements(sink: Sink, verb: Verb, given: Elements): Generator<number, void, void> {
  try {
    checkFields('elements', given)
    yield* writeLists(sink, verb, familyOfSet(given), given)
  } catch (error) {
    throw error instanceof BadValue ? error.within('elements').within(verb) : error
  }
}

function* writeLists(sink: Sink, verb: Verb, family: number, given: Elements): Generator<number, void, void> {
  if (!Array.isArray(given.elements))
    throw new BadValue('type', `${shown(given.elements)}: give a list of elements`).within('elements')
  if (given.elements.length === 0) return
  const removes = verb === 'delete' || verb === 'destroy'
  const number = removes ? NUMBERS.elements[verb] : NUMBERS.elements.new
  const flags = removes ? 0 : flagsOf(verb, 'elements')
  yield* writeElements(sink.writer, given, removes ? 'name' : 'add', element => {
    if (element > 0) sink.end()
    sink.begin(number, flags, family, element)
  })
  sink.end()
}
