/** What `watch` tells when events were lost, or when there were none. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { SocketOptions, Transport } from '../../../../lib/netlink/index.js'
import type { Command } from '../../../../lib/nft/index.js'
import type { Case } from '../case.js'
import { Mirror, next, summary } from './mirror.js'

const table = { family: 'inet', name: 'web' } as const
const chain = (name: string) => ({ family: 'inet', table: 'web', name }) as const
const rule = (name: string, comment: string) => ({ family: 'inet', table: 'web', chain: name, expressions: [], comment }) as const
/** Enough for 64 KiB of events. */
const flood = Array.from({ length: 3000 }, (_, i) => `flood${i}`)
const adding = (names: readonly string[]): Command[] => names.map(name => ({ add: { chain: chain(name) } }))

/** Sockets that can hold so many bytes of what comes. */
function withBuffer(transport: Transport, receiveBuffer: number): Transport {
  return {
    open: (options: SocketOptions) => transport.open({ ...options, receiveBuffer }),
    readFile: path => transport.readFile(path),
    writeFile: (path, text) => transport.writeFile(path, text),
    close: () => transport.close(),
  }
}

export const cases: readonly Case[] = [
  {
    name: 'what nobody reads is bounded: beyond that, one event has the difference from what was told',
    async run({ open }) {
      const nf = await open()
      await nf.commit([{ add: { table } }, ...adding(['old', 'kept', 'renamed'])])
      const events = nf.watch({ initial: true, unread: 65536 })
      const mirror = new Mirror()
      mirror.apply(await next(events))
      await nf.commit([{ add: { chain: chain('told') } }])
      await nf.commit(adding(flood))
      const renamed = { ...chain('renamed'), handle: (await nf.getChain(chain('renamed')))?.handle }
      const delta: readonly Command[] = [
        { delete: { chain: chain('old') } },
        { rename: { chain: { ...renamed, newName: 'new name' } } },
        ...flood.map(name => ({ delete: { chain: chain(name) } })),
        { add: { chain: chain('new') } },
        { add: { rule: rule('new', 'first') } },
      ]
      const { generation } = await nf.commit(delta)
      const told = await next(events)
      assert.deepEqual([told.resynchronised, summary(told)], [false, ['added chain told']])
      mirror.apply(told)
      const lost = await next(events)
      assert.equal(lost.resynchronised, true)
      assert.equal(lost.generation, generation)
      assert.equal(lost.process, undefined)
      assert.deepEqual(summary(lost).sort(), [
        'added chain new',
        'added rule first',
        'changed chain new name',
        'removed chain old',
      ])
      mirror.apply(lost)
      await nf.commit([{ add: { rule: rule('kept', 'after') } }])
      const after = await next(events)
      assert.deepEqual([after.resynchronised, summary(after)], [false, ['added rule after']])
      mirror.apply(after)
      await mirror.compare(nf)
    },
  },
  {
    name: 'a table that was made anew under its old name while events were lost is another table',
    async run({ open }) {
      const nf = await open()
      const fresh: readonly Command[] = [{ add: { table } }, { add: { chain: chain('c') } }]
      await nf.commit(fresh)
      const events = nf.watch({ initial: true, unread: 65536 })
      await next(events)
      await nf.commit([{ delete: { table } }, ...fresh, ...adding(flood)])
      await nf.commit([{ delete: { table } }, ...fresh])
      const lost = await next(events)
      assert.equal(lost.resynchronised, true)
      assert.deepEqual(summary(lost), ['removed chain c', 'removed table web', 'added table web', 'added chain c'])
    },
  },
  {
    name: 'what the kernel drops is found out: one event has the difference, and the next ones follow',
    needs: 'linux',
    async run({ open, transport, netns, inside }) {
      const nf = await open()
      await inside('nft add table inet web')
      const watching = await open({ transport: withBuffer(transport(), 2048) })
      const events = watching.watch({ initial: true })
      const mirror = new Mirror()
      mirror.apply(await next(events))
      // The event loop stands still, so that nobody reads.
      for (let n = 0; n < 30; n++) {
        const words = [
          `add chain inet web c${n}`,
          `add rule inet web c${n} counter accept comment "r${n}"`,
          ...(n > 20 ? [`delete chain inet web c${n - 20}`] : []),
        ]
        execFileSync('ip', ['netns', 'exec', netns, 'nft', words.join('; ')])
      }
      let resynchronised = 0
      const last = await nf.generation()
      while (mirror.generation !== last) {
        const event = await next(events)
        if (event.resynchronised) resynchronised++
        mirror.apply(event)
      }
      await mirror.compare(nf)
      assert.ok(resynchronised > 0)
      await nf.commit([{ add: { rule: rule('c29', 'after') } }])
      assert.deepEqual(summary(await next(events)), ['added rule after'])
    },
  },
  {
    name: 'a table that goes with its owner, of which the kernel tells nothing, is told as removed',
    async run({ open }) {
      const nf = await open()
      const owner = await open()
      const events = nf.watch({ initial: true })
      await next(events)
      await owner.commit([{ add: { table: { ...table, flags: ['owner'] } } }, { add: { chain: chain('c') } }])
      assert.deepEqual(summary(await next(events)), ['added table web', 'added chain c'])
      await owner.close()
      const gone = await next(events)
      assert.equal(gone.resynchronised, true)
      assert.deepEqual(summary(gone), ['removed chain c', 'removed table web'])
    },
  },
]
