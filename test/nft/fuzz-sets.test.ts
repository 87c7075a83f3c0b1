/**
 * Messages that no kernel sends, through the readers of sets and elements: none throws, and what was read is written as it was, or refused.
 * FUZZ_SEED chooses other ones, FUZZ_COUNT how many.
 */
import { inspect, isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { BadValue } from '../../lib/netlink/schema.js'
import { ElementReader } from '../../lib/nft/objects/element-reader.js'
import { writeElements } from '../../lib/nft/objects/elements.js'
import { readSet, writeSet } from '../../lib/nft/objects/set.js'
import type { Element, Elements, NftSet, Unknown } from '../../lib/nft/types.js'
import { Random } from '../kernel/support/random.js'
import { Mutator } from './support/mutate.js'
import { readRecording } from './support/recording.js'
import { withoutTold } from './support/told.js'

const SEED = Number(process.env.FUZZ_SEED ?? 20260801)
const COUNT = Number(process.env.FUZZ_COUNT ?? 1_000_000) / 50
const HEADER = 4

/** On a busy machine. */
t.setTimeout(300_000)

const recorded = readRecording()
const writer = new MessageWriter(64 << 10)

/** Whether an attribute is there twice: the second is the field when the first is not written. */
const isTwice = (unknown: readonly Unknown[] = []): boolean => unknown.some(({ type }) => (type & 0x3fff) <= 20)

/** What `write` writes; undefined when it refuses. */
function written(write: () => void): MessageReader | undefined {
  writer.offset = 0
  try {
    write()
    return new MessageReader(writer.written())
  } catch (error) {
    if (error instanceof BadValue) return undefined
    throw error
  }
}

/** Runs `trip` for many messages made from those of a kind. */
function messages(t: Test, kind: string, trip: (reader: MessageReader, end: number) => string | undefined): void {
  const mutator = new Mutator(
    recorded.filter(recording => recording.kind === kind),
    new Random(SEED),
  )
  const reader = new MessageReader(mutator.bytes)
  let failures = 0
  for (let i = 0; i < COUNT && failures < 10; i++) {
    mutator.next()
    let wrong: string | undefined
    try {
      wrong = trip(reader, mutator.end)
    } catch (error) {
      wrong = String((error as Error).stack)
    }
    if (wrong === undefined) continue
    failures++
    t.fail(`${wrong}: message ${i}, ${Buffer.from(mutator.bytes.subarray(0, mutator.end)).toString('hex')}`)
  }
  t.equal(failures, 0)
}

const toWrite = ({ handle: _handle, backend: _backend, count: _count, id: _id, ...set }: NftSet): unknown =>
  withoutTold(set) ?? set
/** Types that do not fit the rest of the set are one type, and may fit what is left of the set when it is written. */
const fits = ({ key, data }: NftSet): boolean =>
  [key, data].every(types => !(typeof types === 'object' && 'type' in types && Number(types.type) > 63))

let compared = 0

t.test('a set that was read is written as it was, or refused', async t => {
  compared = 0
  messages(t, 'newSet', (reader, end) => {
    const set = readSet('ip', reader, HEADER, end)
    const bytes = set && written(() => writeSet(writer, set))
    if (!set || !bytes || isTwice(set.unknown) || !fits(set)) return undefined
    compared++
    const again = readSet('ip', bytes, 0, bytes.end)
    return again && isDeepStrictEqual(toWrite(again), toWrite(set))
      ? undefined
      : `it became ${inspect(again, { depth: null })}, of ${inspect(set, { depth: null })}`
  })
  t.ok(compared > COUNT / 10, `${compared} were written`)
})

const common = { family: 'ip', table: 't', name: 's' } as const
const SETS: readonly Elements['set'][] = [
  { ...common, key: 'ipv4_addr' },
  { ...common, key: 'ipv4_addr', flags: ['interval'] },
  { ...common, key: ['ipv4_addr', 'inet_service'], flags: ['interval'] },
  { ...common, key: 'ipv4_addr', data: 'verdict' },
  { ...common, key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
]

function read(set: Elements['set'], reader: MessageReader, start: number, end: number): Element[] {
  const elements: Element[] = []
  const of = new ElementReader(set)
  of.read(reader, start, end, elements)
  of.end(elements)
  return elements
}

for (const set of SETS)
  t.test(`elements that were read are written as they were, or refused: ${JSON.stringify(set)}`, async t => {
    compared = 0
    messages(t, 'newElements', (reader, end) => {
      const elements = read(set, reader, HEADER, end)
      const bytes = written(() => {
        for (const _ of writeElements(writer, { set, elements }, 'add', () => {}));
      })
      if (!bytes || elements.some(({ unknown }) => isTwice(unknown))) return undefined
      if (elements.length > 0) compared++
      const again = read(set, bytes, 0, bytes.end)
      return isDeepStrictEqual(withoutTold(again) ?? again, withoutTold(elements) ?? elements)
        ? undefined
        : `they became ${inspect(again, { depth: null })}, of ${inspect(elements, { depth: null })}`
    })
    t.ok(compared > 0, `${compared} were written`)
  })
