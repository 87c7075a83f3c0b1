/** Changes, as they are told. */
import assert from 'node:assert/strict'
import type { Change, RouteClient, WatchEvent, WatchOptions } from '../../../../lib/route/index.js'
import type { Case } from '../case.js'
import { pair } from './addresses.js'

const text = ({ type, object, value }: Change): string =>
  `${type} ${object} ${'destination' in value ? `${value.destination} ${value.device ?? ''}`.trim() : 'name' in value ? value.name : 'address' in value ? value.address : value.priority}`

/** Collects changes until there are those that are awaited. */
class Watched {
  readonly events: AsyncIterableIterator<WatchEvent, void, void>
  readonly changes: Change[] = []

  constructor(client: RouteClient, options: WatchOptions) {
    this.events = client.watch(options)
  }

  async until(...wanted: readonly string[]): Promise<string[]> {
    while (!wanted.every(one => this.changes.map(text).includes(one))) {
      const { value, done } = await this.events.next()
      if (done) assert.fail(`it ended before ${wanted}: ${this.changes.map(text)}`)
      this.changes.push(...value.changes)
    }
    return this.changes.splice(0).map(text)
  }
}

export const cases: readonly Case[] = [
  {
    name: 'watch: what is done to devices, addresses, routes and rules is told in its order',
    async run({ route }) {
      const client = await route()
      await pair(client)
      const watched = new Watched(client, {})
      await client.addLink({ name: 'br', kind: 'bridge' })
      assert.deepEqual(await watched.until('added link br'), ['added link br'])
      await client.addAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 })
      const added = await watched.until('added address 10.1.0.1', 'added route 10.1.0.0/24 a0')
      assert.ok(added.includes('added route 10.1.0.1/32 a0'), String(added))
      await client.addRoute({ destination: '10.7.0.0/16', gateway: '10.1.0.2' })
      await client.addRule({ family: 'ipv4', priority: 77, table: 77 })
      assert.deepEqual(await watched.until('added rule 77'), ['added route 10.7.0.0/16 a0', 'added rule 77'])
      await client.removeRoute({ destination: '10.7.0.0/16' })
      await client.removeRule({ family: 'ipv4', priority: 77 })
      assert.deepEqual(await watched.until('removed rule 77'), ['removed route 10.7.0.0/16 a0', 'removed rule 77'])
      await client.removeLink('br')
      await watched.until('removed link br')
    },
  },
  {
    name: 'watch: routes that go with an address or a device are told, though the kernel does not tell them',
    async run({ route }) {
      const client = await route()
      await pair(client)
      await client.addAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 })
      await client.addRoute({ destination: '10.7.0.0/16', gateway: '10.1.0.2', table: 500 })
      await client.addRoute({ destination: '10.8.0.0/16', device: 'a1' })
      const watched = new Watched(client, { objects: ['route'] })
      await client.removeAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 })
      await watched.until('removed route 10.1.0.0/24 a0', 'removed route 10.1.0.1/32 a0')
      await client.changeLink('a1', { up: false })
      await watched.until('removed route 10.8.0.0/16 a1')
    },
  },
  {
    name: 'watch: a route that is replaced, and one of several ways',
    async run({ route }) {
      const client = await route()
      await pair(client)
      await client.addAddress({ device: 'a0', address: '10.1.0.1', prefixLength: 24 })
      await client.addRoute({ destination: '10.7.0.0/16', gateway: '10.1.0.2' })
      const watched = new Watched(client, { objects: ['route'] })
      await client.replaceRoute({ destination: '10.7.0.0/16', gateway: '10.1.0.3', protocol: 77 })
      await watched.until('removed route 10.7.0.0/16 a0', 'added route 10.7.0.0/16 a0')
      const nexthops = [{ gateway: '10.1.0.2' }, { gateway: '10.1.0.3', weight: 3 }]
      await client.addRoute({ destination: '10.9.0.0/16', nexthops })
      await watched.until('added route 10.9.0.0/16')
      await client.removeRoute({ destination: '10.9.0.0/16' })
      await watched.until('removed route 10.9.0.0/16')
    },
  },
  {
    name: 'watch: it begins with what is there, where that is asked for',
    async run({ route }) {
      const client = await route()
      await client.addAddress({ device: 'lo', address: '10.96.0.10' })
      const watched = new Watched(client, { initial: true, objects: ['link', 'address'] })
      const { value } = await watched.events.next()
      const texts = (value as WatchEvent).changes.map(text)
      assert.deepEqual(
        texts.filter(one => !one.includes('::')),
        ['added link lo', 'added address 127.0.0.1', 'added address 10.96.0.10'],
      )
    },
  },
  {
    name: 'watch: it ends with its signal, when it is left, and with the client',
    async run({ route }) {
      const client = await route()
      const stop = new AbortController()
      const one = client.watch({ signal: stop.signal })
      const waiting = one.next()
      stop.abort()
      assert.deepEqual(await waiting, { value: undefined, done: true })
      const another = client.watch()
      const next = another.next()
      await client.close()
      assert.equal((await next).done, true)
    },
  },
  {
    name: 'watch: what was told and not read in time is read again',
    async run({ route }) {
      const client = await route()
      const watched = new Watched(client, { unread: 65536, objects: ['route'] })
      for (let i = 0; i < 300; i++) await client.addRoute({ destination: `10.7.${i >> 8}.${i & 255}`, type: 'blackhole' })
      const wanted = Array.from({ length: 300 }, (_, i) => `added route 10.7.${i >> 8}.${i & 255}/32`)
      let resynchronised = false
      const seen: string[] = []
      while (seen.length < 300) {
        const { value } = await watched.events.next()
        const event = value as WatchEvent
        resynchronised ||= event.resynchronised
        seen.push(...event.changes.map(text))
      }
      assert.equal(resynchronised, true)
      assert.deepEqual(seen.sort(), wanted.sort())
    },
  },
]
