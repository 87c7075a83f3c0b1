/** A watch whose events come late, in pieces, or not at all: the memory kernel, and a hand on what it tells. */
import t, { type Test } from 'tap'
import { MessageReader, MessageWriter } from '../../lib/netlink/buffer.js'
import type { Socket, SocketOptions, Transport } from '../../lib/netlink/index.js'
import { endMessage, messagesOf } from '../../lib/netlink/message.js'
import { beginNetfilter } from '../../lib/netlink/netfilter.js'
import { quota } from '../../lib/nft/expressions/quota.js'
import { type Command, type NftClient, open } from '../../lib/nft/index.js'
import { flowtableAttributes, generationAttributes, message, messageType, objectAttributes } from '../../lib/nft/wire.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { Mirror, next, summary } from '../kernel/nft/watch/mirror.js'
import { between, type Hooks } from '../kernel/support/between.js'

type Tell = (data: Uint8Array, errno: number) => void
/** What becomes of what the kernel tells. */
type Hand = (data: Uint8Array, errno: number, tell: Tell) => void

const NOTHING = new Uint8Array()
const ENOBUFS = 105
const EBADF = 9

class Subscribed implements Transport {
  readonly #transport: Transport
  readonly #hand: Hand
  tell: Tell = () => {}

  constructor(transport: Transport, hand: Hand) {
    this.#transport = transport
    this.#hand = hand
  }

  open(options: SocketOptions): Socket {
    const socket = this.#transport.open(options)
    const subscribe: Socket['subscribe'] = tell => {
      this.tell = tell
      socket.subscribe((data, errno) => this.#hand(data, errno, tell))
    }
    return new Proxy(socket, {
      get(target, name) {
        const value: unknown = name === 'subscribe' ? subscribe : Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  readFile = (path: string) => this.#transport.readFile(path)
  writeFile = (path: string, text: string) => this.#transport.writeFile(path, text)
  async close(): Promise<void> {}
}

/** A client that watches, and another one that writes. */
async function setUp(t: Test, hand: Hand = (data, errno, tell) => tell(data, errno), hooks: Hooks = {}) {
  const kernel = memoryKernel({ interfaces: { lo: 65536, eth0: 1500 } })
  const transport = new Subscribed(between(kernel, hooks), hand)
  const watching = await open({ transport })
  const writing = await open({ transport: kernel })
  t.teardown(async () => {
    await watching.close()
    await writing.close()
  })
  return { tell: (data: Uint8Array, errno: number) => transport.tell(data, errno), watching, writing }
}

const table = (name: string) => ({ family: 'inet', name }) as const
const adding = (...names: string[]): Command[] => names.map(name => ({ add: { table: table(name) } }))

t.test('what was read already is not told again when its event comes late', async t => {
  const held: (() => void)[] = []
  let holding = true
  const { watching, writing } = await setUp(t, (data, errno, tell) => {
    if (holding) held.push(() => tell(data, errno))
    else tell(data, errno)
  })
  const events = watching.watch()
  await writing.commit(adding('a'))
  const later = watching.watch({ initial: true })
  t.same(summary(await next(later)), ['added table a'])
  await writing.commit(adding('b'))
  holding = false
  for (const tell of held) tell()
  t.same(summary(await next(later)), ['added table b'])
  await events.return?.()
})

t.test('what changes while it is read is there in the end, whenever it happened', async t => {
  for (let at = 0; at < 9; at++) {
    let writer: NftClient | undefined
    let calls = 0
    const change: Command[] = [
      { delete: { table: table('old') } },
      ...adding('new'),
      { add: { chain: { family: 'inet', table: 'new', name: 'c' } } },
      { add: { rule: { family: 'inet', table: 'new', chain: 'c', expressions: [] } } },
    ]
    const { watching, writing } = await setUp(t, undefined, {
      before: async ({ kind }) => {
        if (kind === 'dumpMany' && calls++ === at) await writer?.commit(change)
      },
    })
    writer = writing
    await writing.commit([...adding('old'), { add: { chain: { family: 'inet', table: 'old', name: 'c' } } }])
    const events = watching.watch({ initial: true })
    const mirror = new Mirror()
    mirror.apply(await next(events))
    const { generation } = await writing.commit(adding('last'))
    while (mirror.generation !== generation) mirror.apply(await next(events))
    await mirror.compare(writing)
  }
})

t.test('a generation that nobody told of is a gap: one event has the difference', async t => {
  let dropping = false
  const { watching, writing } = await setUp(t, (data, errno, tell) => {
    if (!dropping) tell(data, errno)
  })
  await writing.commit(adding('a'))
  const events = watching.watch({ initial: true })
  await next(events)
  dropping = true
  await writing.commit([...adding('b'), { delete: { table: table('a') } }])
  await new Promise(setImmediate)
  dropping = false
  await writing.commit(adding('c'))
  const event = await next(events)
  t.equal(event.resynchronised, true)
  t.equal(event.process, undefined)
  t.same(summary(event), ['removed table a', 'added table b', 'added table c'])
})

t.test('a transaction is one event however its messages come', async t => {
  const pieces: Uint8Array[] = []
  let whole = false
  const { tell, watching, writing } = await setUp(t, (data, _, tell) => {
    const reader = new MessageReader(data)
    for (const { start, end } of messagesOf(reader)) {
      if (whole) pieces.push(reader.bytes.slice(start, end))
      else tell(reader.bytes.slice(start, end), 0)
    }
  })
  const events = watching.watch()
  const { generation } = await watching.commit(adding('a', 'b', 'c'))
  const first = await next(events)
  t.same([first.generation, summary(first)], [generation, ['added table a', 'added table b', 'added table c']])
  whole = true
  await writing.commit(adding('d'))
  await writing.commit(adding('e', 'f'))
  await new Promise(setImmediate)
  tell(Buffer.concat(pieces), 0)
  t.same(summary(await next(events)), ['added table d'])
  t.same(summary(await next(events)), ['added table e', 'added table f'])
})

t.test('what is lost while it is read is read again', async t => {
  let writer: NftClient | undefined
  let calls = 0
  let dropping = false
  const { tell, watching, writing } = await setUp(
    t,
    (data, errno, tell) => {
      if (!dropping) tell(data, errno)
    },
    {
      before: async ({ kind }) => {
        if (kind !== 'dumpMany' || calls++ !== 3) return
        dropping = true
        await writer?.commit(adding('b'))
        await new Promise(setImmediate)
        dropping = false
        tell(NOTHING, ENOBUFS)
      },
    },
  )
  writer = writing
  await writing.commit(adding('a'))
  t.same(summary(await next(watching.watch({ initial: true }))), ['added table a', 'added table b'])
})

t.test('an overrun is told even when nothing remained of what was lost', async t => {
  const { tell, watching } = await setUp(t)
  const events = watching.watch({ initial: true })
  await next(events)
  tell(NOTHING, ENOBUFS)
  const { resynchronised, changes } = await next(events)
  t.same([resynchronised, changes], [true, []])
})

t.test('a socket that fails ends it with what happened', async t => {
  const { tell, watching } = await setUp(t)
  const events = watching.watch({ initial: true })
  await next(events)
  const waiting = events.next()
  tell(NOTHING, EBADF)
  await t.rejects(waiting, { name: 'NetlinkError', code: 'EBADF', message: /no more changes can be received/ })
  t.same(await events.next(), { done: true, value: undefined })
})

t.test('a client that is closed while a watch reads ends it', async t => {
  const { watching } = await setUp(t)
  const waiting = watching.watch({ initial: true }).next()
  await watching.close()
  t.same(await waiting, { done: true, value: undefined })
})

/** A message as the kernel tells it. */
function told(number: number, family: number, port: number, write: (writer: MessageWriter) => void): Uint8Array {
  const writer = new MessageWriter(1024)
  const start = beginNetfilter(writer, messageType(number), 0, 0, family)
  writer.u32[(start >> 2) + 3] = port
  write(writer)
  endMessage(writer, start)
  return writer.written().slice()
}

/** NFT_QUOTA_F_DEPLETED, which is not written as a word. */
const DEPLETED = 2

/** That the quota q of a table is used up, as a packet of IPv4 tells it. */
function depleted(table: string, handle: number): Uint8Array {
  const data = new MessageWriter(128)
  quota.table.encode(data, { bytes: 100n, flags: [DEPLETED], used: 200n })
  const record = { table, name: 'q', type: 2, data: data.written().slice(), handle }
  return told(message.newObject, 2, 0, writer => objectAttributes.encode(writer, record))
}

const quotaOf = (family: 'inet' | 'ip6') => ({ family, table: 'a', name: 'q', type: 'quota', bytes: 100n }) as const

t.test('what the kernel does by itself amid a transaction is an event of its own', async t => {
  const amid: Uint8Array[] = []
  const { watching, writing } = await setUp(t, (data, _, tell) => {
    const reader = new MessageReader(data)
    const [first, ...others] = [...messagesOf(reader)].map(({ start, end }) => reader.bytes.slice(start, end))
    tell(Buffer.concat([first ?? NOTHING, ...amid.splice(0), ...others]), 0)
  })
  const { handles = [] } = await writing.commit([...adding('a'), { add: { object: quotaOf('inet') } }], { handles: true })
  const events = watching.watch({ initial: true })
  const { generation } = await next(events)
  amid.push(depleted('a', handles[1] ?? 0))
  await writing.commit(adding('b', 'c'))
  const own = await next(events)
  t.same([own.generation, own.process, own.own, summary(own)], [generation, undefined, false, ['changed object q']])
  t.same(summary(await next(events)), ['added table b', 'added table c'])
})

t.test('whose quota it is that was used up is read where the kernel leaves it open', async t => {
  const { tell, watching, writing } = await setUp(t)
  const ip6 = { family: 'ip6', name: 'a' } as const
  const objects: Command[] = [{ add: { object: quotaOf('inet') } }, { add: { object: quotaOf('ip6') } }]
  const { handles = [] } = await writing.commit([...adding('a'), { add: { table: ip6 } }, ...objects], { handles: true })
  t.equal(handles[2], handles[3])
  const events = watching.watch({ initial: true })
  await next(events)
  tell(depleted('a', handles[2] ?? 0), 0)
  const { resynchronised, changes } = await next(events)
  t.same([resynchronised, changes], [true, []])
})

t.test('interfaces that leave a flowtable are a change of it; whether the last one took it along is read', async t => {
  const { tell, watching, writing } = await setUp(t)
  const flowtable = { family: 'inet', table: 'a', name: 'f', devices: ['lo', 'eth0'] } as const
  const { handles = [] } = await writing.commit([...adding('a'), { add: { flowtable } }], { handles: true })
  const events = watching.watch({ initial: true })
  const { generation } = await next(events)
  const leave = (devices: readonly string[], id: number) => {
    const hook = { number: 0, priority: 0, devices }
    const record = { table: 'a', name: 'f', handle: handles[1], hook }
    const gone = told(message.deleteFlowtable, 1, 77, writer => flowtableAttributes.encode(writer, record))
    tell(Buffer.concat([gone, told(message.newGeneration, 0, 77, writer => generationAttributes.encode(writer, { id }))]), 0)
  }
  leave(['eth0'], generation + 1)
  const changed = await next(events)
  t.same(summary(changed), ['changed flowtable f'])
  t.match(changed.changes, [{ before: { devices: ['lo', 'eth0'] }, after: { devices: ['lo'] } }])
  leave(['lo'], generation + 2)
  const read = await next(events)
  t.same([read.resynchronised, summary(read)], [true, ['changed flowtable f']])
})
