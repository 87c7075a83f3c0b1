/**
 * Messages that no kernel sends, through every decoder: none throws, none hangs, none loses an attribute. What is no attribute is kept as
 * bytes. FUZZ_SEED chooses other ones, FUZZ_COUNT how many.
 */
import { inspect, isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { messagesOf, readAcknowledgement } from '../../lib/netlink/message.js'
import { BadValue } from '../../lib/netlink/schema.js'
import { familyFromWire } from '../../lib/nft/family.js'
import { ElementReader } from '../../lib/nft/objects/element-reader.js'
import { writeElements } from '../../lib/nft/objects/elements.js'
import { readSet } from '../../lib/nft/objects/set.js'
import { tableOf } from '../../lib/nft/trace.js'
import type { Element, Elements, Family } from '../../lib/nft/types.js'
import { message } from '../../lib/nft/wire.js'
import { Random } from '../kernel/support/random.js'
import { attributesIn, sameAttributes } from './support/attributes.js'
import { Mutator } from './support/mutate.js'
import { KINDS, lost } from './support/objects.js'
import { ERROR, type Recorded, readRecording } from './support/recording.js'
import { withoutTold } from './support/told.js'

const SEED = Number(process.env.FUZZ_SEED ?? 20260801)
const COUNT = Number(process.env.FUZZ_COUNT ?? 1_000_000)
const HEADER = 4
/** More failures than these tell nothing new. */
const ENOUGH = 10

const recorded = readRecording()
t.setTimeout(600_000)
t.comment(`seed ${SEED}, ${COUNT} messages made from ${recorded.length} recorded ones`)

/** What one test does with a message: says what went wrong. */
type Trip = (seed: Recorded, reader: MessageReader, end: number, writer: MessageWriter) => string | undefined

/** Makes so many messages of some recorded ones, and sends each on its way. */
function fuzz(t: Test, count: number, seeds: (kind: string) => boolean, trip: Trip): void {
  const mutator = new Mutator(
    recorded.filter(({ kind }) => seeds(kind)),
    new Random(SEED),
  )
  const reader = new MessageReader(mutator.bytes)
  const writer = new MessageWriter(64 << 10)
  let failures = 0
  for (let i = 0; i < count && failures < ENOUGH; i++) {
    const seed = mutator.next()
    writer.offset = 0
    const wrong = said(() => trip(seed, reader, mutator.end, writer))
    if (wrong === undefined) continue
    failures++
    t.fail(`${wrong}: message ${i}, ${seed.kind} ${Buffer.from(mutator.bytes.subarray(0, mutator.end)).toString('hex')}`)
  }
  t.equal(failures, 0, `${count} messages`)
}

function said(trip: () => string | undefined): string | undefined {
  try {
    return trip()
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

const tableFor = (kind: string) => {
  const table = tableOf(message[kind as keyof typeof message])
  if (!table) throw new Error(`${kind} has no table`)
  return table
}

t.test('the attributes of every message, read and written, are the same', async t => {
  fuzz(
    t,
    0.6 * COUNT,
    kind => kind !== ERROR && kind !== 'trace',
    ({ kind }, reader, end, writer) => {
      const table = tableFor(kind)
      const read = table.decode(reader, HEADER, end)
      if (!read) return attributesIn(reader.bytes, HEADER, end) && 'it was not read'
      table.encode(writer, read)
      if (sameAttributes(reader.bytes, HEADER, end, writer.bytes, 0, writer.offset)) return undefined
      const expected = withoutTold(read)
      const again = withoutTold(table.decode(new MessageReader(writer.written()), 0, writer.offset))
      return expected !== undefined && isDeepStrictEqual(again, expected) ? undefined : 'an attribute was lost'
    },
  )
})

t.test('objects that are read can be written with all of their attributes, or it is said why not', async t => {
  let written = 0
  fuzz(
    t,
    0.25 * COUNT,
    kind => KINDS[wordOf(kind)] !== undefined,
    (seed, reader, end, writer) => {
      const kind = KINDS[wordOf(seed.kind)]
      const object = kind?.read(familyOf(seed.bytes), reader, HEADER, end)
      if (!kind || object === undefined) return undefined
      if (!isWritten(() => kind.write(writer, object as never))) return undefined
      written++
      const table = tableFor(seed.kind)
      const before = table.decode(reader, HEADER, end) ?? {}
      const after = table.decode(new MessageReader(writer.written()), 0, writer.offset) ?? {}
      const fields = lost(kind, table, before, after)
      return fields.length > 0 ? `${fields} of ${inspect(object, { depth: 9 })}` : undefined
    },
  )
  t.ok(written > 0.12 * COUNT, `${written} were written`)
})

const wordOf = (kind: string): string => kind.replace(/^(new|delete)/, '')
const familyOf = (bytes: Uint8Array): Family => familyFromWire(bytes[0] as number) ?? 'inet'

/** Whether `write` did not refuse. */
function isWritten(write: () => unknown): boolean {
  try {
    write()
    return true
  } catch (error) {
    if (error instanceof BadValue) return false
    throw error
  }
}

t.test('elements that are read can be written and read again, or it is said why not', async t => {
  let written = 0
  fuzz(
    t,
    0.1 * COUNT,
    kind => kind.endsWith('Elements'),
    (seed, reader, end, writer) => {
      const set = setOf(seed)
      const elements = readElements(set, reader, HEADER, end)
      if (elements.length === 0 || !isWritten(() => [...writeElements(writer, { set, elements }, 'add', () => {})]))
        return undefined
      written++
      const again = readElements(set, new MessageReader(writer.written()), 0, writer.offset)
      const same =
        elements.length === again.length &&
        elements.every(it => again.some(other => isDeepStrictEqual(comparable(it), comparable(other))))
      return same ? undefined : `${inspect(elements, { depth: 9 })} became ${inspect(again, { depth: 9 })}`
    },
  )
  t.ok(written > 0.04 * COUNT, `${written} were written`)
})

const sets = new Map<Uint8Array, Elements['set']>()

/** The set that recorded elements are of. */
function setOf({ set = new Uint8Array() }: Recorded): Elements['set'] {
  const known = sets.get(set) ?? readSet(familyOf(set), new MessageReader(set), HEADER, set.length)
  if (!known) throw new Error('the recorded set can not be read')
  sets.set(set, known)
  return known
}

function readElements(set: Elements['set'], reader: MessageReader, start: number, end: number): Element[] {
  const elements: Element[] = []
  const elementReader = new ElementReader(set)
  elementReader.read(reader, start, end, elements)
  elementReader.end(elements)
  return elements
}

/** Empty lists say nothing. */
function comparable(element: Element): unknown {
  const { expressions, userData, ...rest } = element
  const fields = { ...rest, ...(expressions?.length && { expressions }), ...(userData?.length && { userData }) }
  return withoutTold(fields) ?? fields
}

t.test('replies of any bytes end, and errors say something', async t => {
  fuzz(
    t,
    0.05 * COUNT,
    kind => kind === ERROR || kind === 'newTable',
    (_, reader, end) => {
      for (const reply of messagesOf(new MessageReader(reader.bytes.subarray(0, end)))) readAcknowledgement(reader, reply)
      const whole = { type: 2, flags: 0x300, sequence: 1, start: 0, payload: 0, end }
      return Number.isInteger(readAcknowledgement(reader, whole).errno) ? undefined : 'no number'
    },
  )
})
