/** The memory kernel's sockets: acknowledgements, dumps page by page, receive buffers that overflow. */
import t from 'tap'
import { MessageReader } from '../../lib/netlink/buffer.js'
import type { Reply } from '../../lib/netlink/transport.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { be16, type Command, dest, full, hex, key, master, text, u16, u32, zeros } from './support.js'
import { ACK, attribute, CONTROLLER, DONE, DUMP, ERROR, LIMIT, messages, NOOP, ports, REQUEST, summary, Wire } from './wire.js'

t.test('only failures answer, unless an acknowledgement is asked for', async t => {
  const wire = await Wire.of()
  const reply = await wire.exchange(
    wire.ask('flush', REQUEST),
    wire.ask('delService', REQUEST, { service: key }),
    wire.ask('flush', REQUEST | ACK),
    wire.ask('delService', REQUEST | ACK, { service: key }),
    wire.ask('getInfo', REQUEST),
    wire.ask('getInfo', REQUEST | ACK),
  )
  t.strictSame(summary(reply), [
    [ERROR, 0x100, 3, 3],
    [ERROR, 0x100, 4, 0],
    [ERROR, 0x100, 5, 3],
    [28, 0, 6],
    [28, 0, 7],
    [ERROR, 0x100, 7, 0],
  ])
  t.match(reply, { errno: 0, complete: true, lost: false, datagrams: 6 })
})

t.test('what is no request, and what belongs to netlink itself, is acknowledged and not carried out', async t => {
  const wire = await Wire.of()
  await wire.fill(1)
  for (const message of [wire.ask('flush', ACK), wire.message(NOOP, REQUEST | ACK), wire.message(0, REQUEST | ACK, zeros(4))]) {
    t.strictSame(
      summary(await wire.socket.exchange(message, new MessageReader(message).u32[2] as number, LIMIT)).map(row => row[3]),
      [0],
    )
  }
  t.equal(ports(await wire.exchange(wire.ask('getService', REQUEST | DUMP))).length, 1)
})

t.test('a message that claims to be longer than it is ends the buffer', async t => {
  const wire = await Wire.of()
  const first = wire.ask('flush', REQUEST | ACK)
  const broken = wire.ask('flush', REQUEST | ACK)
  new Uint32Array(broken.buffer)[0] = 1000
  const reply = await wire.socket.exchange(Buffer.concat([first, broken]), wire.sequence - 1, LIMIT)
  t.equal(summary(reply).length, 1)
})

t.test('types without a family, and messages too short for a command', async t => {
  const wire = await Wire.of()
  t.strictSame(
    summary(await wire.exchange(wire.message(999, REQUEST, zeros(4)))).map(row => row[3]),
    [2],
  )
  t.strictSame(
    summary(await wire.exchange(wire.message(CONTROLLER, REQUEST, zeros(2)))).map(row => row[3]),
    [22],
  )
})

t.test('an acknowledgement tells the attribute at fault and its rule', async t => {
  const failed = `27000100${hex(text('Attribute failed policy validation')).padEnd(72, '0')}`
  const leftover = `2c000100${hex(text('bytes leftover after parsing attributes'))}`
  const rows: [name: string, command: Command, attributes: Uint8Array, flags: number, errno: number, rest: string][] = [
    // Recorded from Linux 6.1.176, as all bytes in these tests.
    [
      'a number that is short',
      'setConfig',
      attribute(4, u16(1)),
      0x300,
      34,
      `${failed}0800020014000000240004800c00040000000000000000000c000500ffffffff000000000800010004000000`,
    ],
    ['a nest of 2 bytes', 'newService', attribute(1, zeros(2)), 0x300, 34, `${failed}08000200140000000c000480080001000d000000`],
    [
      'a name that is long',
      'newDaemon',
      attribute(3, attribute(2, text('x'.repeat(16)))),
      0x300,
      22,
      `${failed}080002001800000014000480080007000f000000080001000c000000`,
    ],
    ['a rule without a type', 'newDaemon', attribute(3, attribute(6, zeros(8))), 0x300, 22, `${failed}0800020018000000`],
    ['a nest that the kernel says nothing about', 'newService', attribute(1, attribute(1, zeros(1))), 0x100, 22, ''],
    ['bytes behind the attributes', 'flush', u16(1), 0x300, 0, leftover],
  ]
  for (const [name, command, attributes, flags, errno, rest] of rows) {
    const wire = await Wire.of()
    const reply = await wire.exchange(wire.ask(command, REQUEST | ACK, attributes))
    const [message] = messages(reply)
    t.strictSame(summary(reply), [[ERROR, flags, wire.sequence, errno]], name)
    t.equal(hex(reply.data.subarray((message?.payload ?? 0) + 20)), rest, name)
  }
})

t.test('an unknown command past the last one is held to the rules of its time', async t => {
  const wire = await Wire.of()
  const asked = (flags: number): Promise<Reply> => wire.exchange(wire.ask(18, REQUEST | flags))
  t.strictSame(
    summary(await asked(0)).map(row => row[3]),
    [95],
  )
  t.strictSame(
    summary(await asked(DUMP)).map(row => row[3]),
    [95],
  )
  t.strictSame(
    summary(await asked(0x10)).map(row => row.slice(1, 4)),
    [[0x300, wire.sequence, 22]],
  )
})

t.test('the end of a list is a datagram of its own, and says what the kernel found odd', async t => {
  const wire = await Wire.of()
  const ends = async (request: Uint8Array): Promise<string[]> => {
    const reply = await wire.exchange(request)
    return messages(reply).map(
      ({ type, flags, start, end }) => `${type} ${flags.toString(16)} ${hex(reply.data.subarray(start + 16, end))}`,
    )
  }
  t.strictSame(await ends(wire.ask('getService', REQUEST | DUMP)), [`${DONE} 2 00000000`])
  t.strictSame(await ends(wire.ask('getDaemon', REQUEST | DUMP | ACK)), [`${DONE} 2 00000000`], 'it is not acknowledged')
  const short = Buffer.concat([attribute(1, zeros(0)), attribute(4, u16(1))])
  t.strictSame(await ends(wire.ask('getDest', REQUEST | DUMP, short)), [
    `${DONE} 202 0000000027000100${hex(text('Attribute failed policy validation'))}00`,
  ])
  await wire.fill(1)
  t.equal((await wire.exchange(wire.ask('getService', REQUEST | DUMP))).datagrams, 2)
})

t.test('pages hold 4 KiB on a socket that has not read yet, and 32 KiB afterwards', async t => {
  const wire = await Wire.of()
  await wire.fill(150)
  const fresh = wire.kernel.open({ protocol: 16 })
  const counts: number[] = []
  let reply = await fresh.page(wire.ask('getService', REQUEST | DUMP), wire.sequence, 1, LIMIT)
  for (; !reply.complete; reply = await fresh.page(null, wire.sequence, 1, LIMIT)) counts.push(ports(reply).length)
  t.strictSame(counts, [11, 101, 38])
})

t.test('one bit of the two is no dump', async t => {
  const wire = await Wire.of()
  for (const flag of [0x100, 0x200])
    t.strictSame(
      summary(await wire.exchange(wire.ask('getService', REQUEST | flag))).map(row => row[3]),
      [22],
    )
})

t.test('what is removed behind the cursor of a dump hides what is before it', async t => {
  const wire = await Wire.of()
  await wire.fill(150)
  const reader = wire.kernel.open({ protocol: 16 })
  const last = wire.sequence + 1
  const first = await reader.page(wire.ask('getService', REQUEST | DUMP), last, 1, LIMIT)
  const [a = 0, b = 0] = ports(first)
  await wire.exchange(wire.remove(a), wire.remove(b))
  const seen = ports(first)
  for (let reply = first; !reply.complete; seen.push(...ports(reply))) reply = await reader.page(null, last, 1, LIMIT)
  t.equal(new Set(seen).size, 148, '148 of those that live, and the two that were removed, make 150')
})

t.test('a socket has one dump at a time; other requests are answered in between', async t => {
  const wire = await Wire.of()
  await wire.fill(150)
  await wire.page(wire.ask('getService', REQUEST | DUMP))
  const dump = wire.sequence
  const reply = await wire.exchange(wire.ask('getService', REQUEST | DUMP))
  t.strictSame(
    summary(reply).filter(row => row[2] !== dump),
    [[ERROR, 0x100, wire.sequence, 16]],
  )
  const info = await wire.exchange(wire.ask('getInfo', REQUEST))
  t.strictSame(
    summary(info).filter(row => row[2] !== dump),
    [[28, 0, wire.sequence]],
  )
})

t.test('the bytes of a dump are those that were sent, whatever becomes of the buffer', async t => {
  const wire = await Wire.of()
  await wire.exchange(wire.ask('newService', REQUEST | ACK, { service: full }))
  const dests = Array.from({ length: 150 }, (_, port) =>
    wire.ask('newDest', REQUEST, { service: key, dest: { ...dest, PORT: be16(port) } }),
  )
  await wire.exchange(...dests, wire.message(NOOP, REQUEST | ACK))
  const request = wire.ask('getDest', REQUEST | DUMP, { service: key })
  let reply = await wire.page(request)
  request.fill(0xff)
  let count = messages(reply).length
  for (; !reply.complete; count += messages(reply).length) reply = await wire.page(null)
  t.equal(count, 151)
})

t.test('many dumps in one call come one after the other', async t => {
  const wire = await Wire.of()
  await wire.fill(3)
  const requests = [
    wire.ask('getService', REQUEST | DUMP),
    wire.ask('getDaemon', REQUEST | DUMP),
    wire.ask('getService', REQUEST | DUMP),
  ]
  const first = wire.sequence - 2
  const reply = await wire.socket.dumpMany(Buffer.concat(requests), LIMIT)
  t.strictSame(
    messages(reply).map(({ sequence }) => sequence - first),
    [0, 0, 0, 0, 1, 2, 2, 2, 2],
  )
  t.match(reply, { complete: true, datagrams: 5 })
  t.match(await wire.socket.dumpMany(new Uint8Array(), LIMIT), { complete: true, datagrams: 0, errno: 0 })
})

t.test('replies overflow a small receive buffer, and what they answer was carried out', async t => {
  for (const [receiveBuffer, kept] of [
    [1152, 3],
    [8192, 21],
    [20_000, 52],
  ] as const) {
    const wire = await Wire.of({}, receiveBuffer)
    t.equal(wire.socket.receiveBuffer, 2 * receiveBuffer)
    await wire.fill(100)
    const reply = await wire.exchange(...Array.from({ length: 100 }, (_, port) => wire.remove(port)))
    t.match(reply, { errno: 0, lost: true, complete: false, datagrams: kept })
    t.strictSame(ports(await wire.exchange(wire.ask('getService', REQUEST | DUMP))), [])
    t.match(await wire.exchange(wire.message(NOOP, REQUEST | ACK)), { lost: false, complete: true })
  }
})

t.test('the receive buffer is 8 MiB, what is asked for doubled, or what the kernel grants', async t => {
  t.equal(new Wire().socket.receiveBuffer, 8 << 20)
  t.equal(new Wire({}, 4096).socket.receiveBuffer, 8192)
  t.equal(new Wire({ receiveBuffer: 212_992 }, 1 << 20).socket.receiveBuffer, 212_992)
})

t.test('a buffer larger than the send buffer is not sent at all', async t => {
  const wire = await Wire.of()
  t.match(await wire.socket.exchange(new Uint8Array(212_961), 1, LIMIT), { errno: 90, syscall: 'sendmsg', sent: 0 })
})

t.test('a daemon that is stopped before its thread begins is not acknowledged', async t => {
  const wire = await Wire.of()
  const reply = await wire.exchange(
    wire.ask('newDaemon', REQUEST | ACK, { daemon: master }),
    wire.ask('delDaemon', REQUEST | ACK, { daemon: { STATE: u32(1) } }),
    wire.message(NOOP, REQUEST | ACK),
  )
  t.strictSame(
    summary(reply).map(row => row.slice(2)),
    [
      [2, 0],
      [4, 0],
    ],
  )
  t.strictSame(
    summary(await wire.exchange(wire.ask('delDaemon', REQUEST, { daemon: { STATE: u32(1) } }))).map(row => row[3]),
    [3],
  )
})

t.test('waiting ends when the socket is closed', async t => {
  const wire = await Wire.of()
  const waiting = wire.exchange(wire.ask('flush', REQUEST))
  const next = wire.exchange(wire.ask('flush', REQUEST))
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  await wire.socket.close()
  t.match(await waiting, { errno: 125, syscall: 'poll', sent: 20, complete: false })
  t.match(await next, { errno: 125, sent: 0, complete: false })
  t.throws(() => void wire.exchange(wire.ask('flush', REQUEST)), /closed/)
})

t.test('it speaks the protocols of IPVS, of netfilter and of routes only', async t => {
  t.throws(() => memoryKernel().open({ protocol: 4 }), {
    code: 'EPROTONOSUPPORT',
    syscall: 'socket',
    message: /no netlink protocol 4/,
  })
})

t.test('the controller tells families by name, by number, and all', async t => {
  const wire = await Wire.of()
  const asked = (flags: number, ...attributes: Uint8Array[]): Promise<Reply> =>
    wire.exchange(wire.message(CONTROLLER, REQUEST | flags, Uint8Array.of(3, 1, 0, 0), ...attributes))
  const byName = await asked(0, attribute(2, text('IPVS')))
  const byNumber = await asked(0, attribute(1, u16(28)))
  t.equal(hex(byName.data.subarray(16)), hex(byNumber.data.subarray(16)))
  t.strictSame(
    summary(await asked(DUMP)).map(row => row[0]),
    [16, 16, DONE],
  )
  for (const [attributes, errno] of [
    [attribute(2, text('nope')), 2],
    [attribute(1, u16(99)), 2],
    [zeros(0), 22],
    [attribute(2, u16(0x4141)), 22],
  ] as const)
    t.strictSame(
      summary(await asked(0, attributes)).map(row => row[3]),
      [errno],
    )
})
