/** Flows that begin, change and end, as they are told. */
import assert from 'node:assert/strict'
import type { FlowEvent } from '../../../../lib/conntrack/index.js'
import type { Case } from '../case.js'
import { tuple } from './flows.js'

const text = (event: FlowEvent): string =>
  event.type === 'lost' ? 'lost' : `${event.type} ${event.flow.original.destinationPort}`

async function take(events: AsyncIterableIterator<FlowEvent, void, void>, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) {
    const { value, done } = await events.next()
    if (done) assert.fail(`it ended after ${texts}`)
    texts.push(text(value))
  }
  return texts
}

export const cases: readonly Case[] = [
  {
    name: 'watch of flows: what begins, changes and ends is told in its order',
    async run({ conntrack }) {
      const client = await conntrack()
      const events = client.watch()
      const original = tuple('udp', '10.0.0.1', 1000, '10.96.0.10', 53)
      await client.add({ original, timeout: 100, status: ['seen-reply'] })
      await client.update({ original }, { mark: 7 })
      await client.delete({ original })
      assert.deepEqual(await take(events, 3), ['new 53', 'update 53', 'destroy 53'])
    },
  },
  {
    name: 'watch of flows: only what is asked for is told',
    async run({ conntrack }) {
      const client = await conntrack()
      const events = client.watch({ events: ['destroy'], original: { destinationPort: 54 } })
      for (const port of [53, 54, 55])
        await client.add({ original: tuple('udp', '10.0.0.1', 1000, '10.96.0.10', port), timeout: 100 })
      await client.flush('all')
      assert.deepEqual(await take(events, 1), ['destroy 54'])
    },
  },
  {
    name: 'watch of flows: what was not read in time is told to be lost',
    async run({ conntrack }) {
      const client = await conntrack()
      const events = client.watch({ unread: 65536 })
      for (let i = 0; i < 600; i++) await client.add({ original: tuple('udp', '10.0.0.1', 1000, '10.96.0.10', i), timeout: 100 })
      const texts = await take(events, 1)
      while (texts.at(-1) !== 'lost') texts.push(...(await take(events, 1)))
      assert.ok(texts.length < 600, `${texts.length}`)
      await client.add({ original: tuple('udp', '10.0.0.1', 1000, '10.96.0.10', 700), timeout: 100 })
      while (texts.at(-1) !== 'new 700') texts.push(...(await take(events, 1)))
    },
  },
  {
    name: 'watch of flows: it ends with its signal, and with the client',
    async run({ conntrack }) {
      const client = await conntrack()
      const stop = new AbortController()
      const waiting = client.watch({ signal: stop.signal }).next()
      stop.abort()
      assert.equal((await waiting).done, true)
      const next = client.watch().next()
      await client.close()
      assert.equal((await next).done, true)
    },
  },
]
