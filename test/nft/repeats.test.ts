import t from 'tap'
import { MessageReader } from '../../lib/netlink/buffer.js'
import { Repeats } from '../../lib/nft/objects/repeats.js'

const COUNT = 100_000

/** Keys of `length` bytes one behind the other, each filled up to 4: the number of each stands in it, and nothing else. */
function keysOf(length: number): { reader: MessageReader; offset: (i: number) => number } {
  const step = (length + 3) & ~3
  const bytes = new Uint8Array(COUNT * step)
  for (let i = 0; i < COUNT; i++)
    for (let byte = 0; byte < Math.min(3, length); byte++) bytes[i * step + length - 1 - byte] = i >> (8 * byte)
  return { reader: new MessageReader(bytes), offset: i => i * step }
}

for (const length of [3, 4, 6, 12, 16, 64])
  t.test(
    `of 100,000 keys of ${length} bytes that differ none is taken for another, and one that comes again is seen`,
    async t => {
      const { reader, offset } = keysOf(length)
      const repeats = new Repeats()
      for (let i = 0; i < COUNT; i++) repeats.add(reader, offset(i), length)
      t.equal(repeats.found, false)
      repeats.add(reader, offset(COUNT >> 1), length)
      t.equal(repeats.found, true)
    },
  )
