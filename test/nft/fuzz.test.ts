/**
 * Messages that no kernel sends, through every decoder: none throws, none hangs, none loses an attribute. What is no attribute is kept as bytes.
 * FUZZ_SEED chooses other ones, FUZZ_COUNT how many.
 */
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import { tableOf } from '../../lib/nft/trace.js'
import { message } from '../../lib/nft/wire.js'
import { Random } from '../kernel/support/random.js'
import { attributesIn, sameAttributes } from './support/attributes.js'
import { Mutator } from './support/mutate.js'
import { ERROR, readRecording } from './support/recording.js'
import { withoutTold } from './support/told.js'

const SEED = Number(process.env.FUZZ_SEED ?? 20260801)
const COUNT = Number(process.env.FUZZ_COUNT ?? 1_000_000)
const HEADER = 4

const numberOf = (kind: string): number => message[kind as keyof typeof message]
const recorded = readRecording()

t.comment(`seed ${SEED}, ${COUNT} messages made from ${recorded.length} recorded ones`)

t.test('the attributes of every message, read and written, are the same', async t => {
  const mutator = new Mutator(
    recorded.filter(({ kind }) => kind !== ERROR && kind !== 'trace'),
    new Random(SEED),
  )
  const reader = new MessageReader(mutator.bytes)
  const writer = new MessageWriter(64 << 10)
  let failures = 0
  for (let i = 0; i < COUNT && failures < 10; i++) {
    const { kind } = mutator.next()
    const wrong = trip(kind, reader, mutator.end, writer)
    if (wrong === undefined) continue
    failures++
    t.fail(`${wrong}: message ${i}, ${kind} ${Buffer.from(mutator.bytes.subarray(0, mutator.end)).toString('hex')}`)
  }
  t.equal(failures, 0)
})

/** What went wrong on the way through the table of a message. */
function trip(kind: string, reader: MessageReader, end: number, writer: MessageWriter): string | undefined {
  const table = tableOf(numberOf(kind))
  if (!table) return 'there is no table'
  try {
    const read = table.decode(reader, HEADER, end)
    if (!read) return attributesIn(reader.bytes, HEADER, end) && 'it was not read'
    writer.offset = 0
    table.encode(writer, read)
    if (sameAttributes(reader.bytes, HEADER, end, writer.bytes, 0, writer.offset)) return undefined
    const expected = withoutTold(read)
    const again = withoutTold(table.decode(new MessageReader(writer.written()), 0, writer.offset))
    return expected !== undefined && isDeepStrictEqual(again, expected) ? undefined : 'an attribute was lost'
  } catch (error) {
    return String(error)
  }
}
