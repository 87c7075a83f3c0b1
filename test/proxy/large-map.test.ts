import t from 'tap'
import { LargeMap } from '../../lib/proxy/nftables/large-map.js'

t.test('a large map has what a map has', async t => {
  const map = new LargeMap<number>()
  const plain = new Map<string, number>()
  const keys = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1 tcp 80`)
  for (const [i, key] of keys.entries()) {
    map.set(key, i)
    plain.set(key, i)
    if (i % 3 === 0) {
      map.delete(keys[i >> 1] as string)
      plain.delete(keys[i >> 1] as string)
    }
  }
  t.equal(map.size, plain.size)
  t.same(
    map
      .maps()
      .flatMap(part => [...part.values()])
      .sort((a, b) => a - b),
    [...plain.values()].sort((a, b) => a - b),
  )
  t.ok(keys.every(key => map.get(key) === plain.get(key)))
})
